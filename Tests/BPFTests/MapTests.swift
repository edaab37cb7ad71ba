import BPF
import Basics
import TestKit
import Testing

/// A machine with one map, as whoever loaded it sees it.
private struct Bench: ~Copyable {
    var machine: XDPMachine

    init(_ kind: MapKind, key: Int = 4, value: Int = 8, entries: Int, flags: UInt32 = 0) throws(BPFError) {
        let map = MapDefinition(
            name: "map", kind: kind, keySize: key, valueSize: value, maxEntries: entries, flags: flags)
        let object = BPFObject(code: Assembly.move(0, 2) + Assembly.exit, maps: [map])
        machine = try XDPMachine(object, random: SeededRandom(seed: 1))
    }

    /// The number of the error, or 0.
    mutating func put(_ key: [UInt8], _ value: UInt64, _ asked: MapUpdate = .any) -> Int32 {
        do throws(MapError) {
            try machine.put(0, key, [UInt8](value, count: machine.maps[0].valueSize), asked)
            return 0
        } catch {
            return -error.rawValue
        }
    }

    mutating func remove(_ key: [UInt8]) -> Int32 {
        do throws(MapError) {
            try machine.remove(0, key)
            return 0
        } catch {
            return -error.rawValue
        }
    }

    func value(_ key: [UInt8]) -> UInt64? {
        (try? machine.value(0, key)).flatMap { $0?.number() }
    }

    func keys() throws -> [[UInt8]] { try machine.keys(0) }
}

private func prefix(_ length: UInt64, _ octets: UInt8...) -> [UInt8] {
    [UInt8](length) + octets + [UInt8](repeating: 0, count: 4 - octets.count)
}

private func number(_ value: UInt64) -> [UInt8] { [UInt8](value) }

@Suite struct MapTests {
    @Test func `an array holds zeros for all its indices and never grows or shrinks`() throws {
        for kind in [MapKind.array, .perCPUArray] {
            var bench = try Bench(kind, entries: 4)
            let answers = [
                bench.put(number(4), 1), bench.put(number(1), 1, .onlyIfAbsent),
                bench.put(number(1), 7, .onlyIfPresent),
                bench.remove(number(1)),
            ]
            #expect(answers == [-7, -17, 0, -22])
            #expect([0, 1, 4].map { bench.value(number($0)) } == [0, 7, nil])
            #expect(try bench.keys() == (0..<4).map { number($0) })
        }
    }

    @Test func `a hash answers as Linux does`() throws {
        for kind in [MapKind.hash, .perCPUHash] {
            var bench = try Bench(kind, entries: 4)
            let filled = (0..<4).map { bench.put(number($0), 10 + $0) }
            let answers = [
                bench.put(number(77), 1), bench.put(number(0), 1, .onlyIfAbsent),
                bench.put(number(88), 1, .onlyIfPresent),
                bench.remove(number(88)), bench.remove(number(0)), bench.put(number(3), 99, .onlyIfPresent),
            ]
            #expect(filled == [0, 0, 0, 0])
            #expect(answers == [-7, -17, -2, -2, 0, 0])
            #expect([0, 1, 3].map { bench.value(number($0)) } == [nil, 11, 99])
            #expect(bench.machine.count(0) == 3)
        }
    }

    @Test func `a hash is walked slot by slot, and the slot freed last is filled first`() throws {
        var bench = try Bench(.hash, entries: 8)
        for key in [50, 40, 30, 20] as [UInt64] { _ = bench.put(number(key), key) }
        #expect(try bench.keys() == [50, 40, 30, 20].map { number($0) })
        _ = bench.remove(number(40))
        _ = bench.remove(number(20))
        _ = bench.put(number(1), 1)
        _ = bench.put(number(2), 2)
        #expect(try bench.keys() == [50, 2, 30, 1].map { number($0) })
    }

    @Test func `a map that forgets gives up the key unused for longest`() throws {
        for kind in [MapKind.recentHash, .perCPURecentHash] {
            var bench = try Bench(kind, entries: 3)
            for key in [1, 2, 3] as [UInt64] { _ = bench.put(number(key), key) }
            _ = bench.put(number(1), 11)
            let last = bench.put(number(4), 4)
            #expect(last == 0)
            #expect([1, 2, 3, 4].map { bench.value(number($0)) } == [11, nil, 3, 4])
            // Looking from outside is no use.
            _ = bench.value(number(3))
            _ = bench.put(number(5), 5)
            #expect(bench.value(number(3)) == nil)
        }
    }

    @Test func `prefixes answer as Linux does`() throws {
        var bench = try Bench(.prefixes, key: 8, entries: 2, flags: MapDefinition.noPreallocation)
        let answers = [
            bench.put(prefix(8, 10), 1), bench.put(prefix(33, 10), 1), bench.put(prefix(16, 10), 2),
            bench.put(prefix(24, 10), 3), bench.put(prefix(16, 10), 3, .onlyIfAbsent), bench.remove(prefix(32, 10)),
            bench.put(prefix(17, 10), 3, .onlyIfPresent), bench.remove(prefix(33, 10)),
        ]
        #expect(answers == [0, -22, 0, -28, -17, -2, -2, -22])
        #expect([32, 8, 4, 33].map { bench.value(prefix($0, 10)) } == [2, 1, nil, nil])
    }

    @Test func `the longest prefix found is that of a plain search`() {
        forEachSeed(200) { random in
            var bench = try Bench(.prefixes, key: 8, entries: 64, flags: MapDefinition.noPreallocation)
            var model: [(length: Int, bits: UInt32, value: UInt64)] = []
            func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~0 << UInt32(32 - length) }
            for _ in 0..<200 {
                // Few distinct bits, so that prefixes contain one another.
                let bits = UInt32(truncatingIfNeeded: random.next()) & 0xE0C0_8001
                let length = Int(random.below(33))
                let key = [UInt8](UInt64(length)) + [UInt8](UInt64(bits.byteSwapped))
                let place = model.firstIndex { $0.length == length && $0.bits == bits & mask(length) }
                switch random.below(3) {
                case 0:
                    let answer = bench.remove(key)
                    try #require(answer == (place == nil ? -2 : 0))
                    if let place { model.remove(at: place) }
                case 1:
                    let value = random.next()
                    let answer = bench.put(key, value)
                    try #require(answer == (place == nil && model.count == 64 ? -28 : 0))
                    if let place {
                        model[place].value = value
                    } else if answer == 0 {
                        model.append((length, bits & mask(length), value))
                    }
                default:
                    let fitting = model.filter { $0.length <= length && $0.bits == bits & mask($0.length) }
                    let longest = fitting.max { $0.length < $1.length }
                    let found = bench.value(key)
                    try #require(found == longest?.value)
                }
                try #require(bench.machine.count(0) == model.count)
            }
        }
    }

    @Test func `a hash holds what a plain list holds, in any order of calls`() {
        forEachSeed(200) { random in
            let isForgetting = random.chance(Ratio(0.5))
            let size = Int(random.below(14)) + 1
            var bench = try Bench(isForgetting ? .recentHash : .hash, key: size, entries: 40)
            /// The key used last stands last.
            var model: [(key: [UInt8], value: UInt64)] = []
            for _ in 0..<400 {
                var key = [UInt8](repeating: 0, count: size)
                key[Int(random.below(UInt64(size)))] = UInt8(random.below(60))
                let place = model.firstIndex { $0.key == key }
                switch random.below(3) {
                case 0:
                    let answer = bench.remove(key)
                    try #require(answer == (place == nil ? -2 : 0))
                    if let place { model.remove(at: place) }
                case 1:
                    let value = random.next()
                    let answer = bench.put(key, value)
                    let isFull = place == nil && model.count == 40
                    try #require(answer == (isFull && !isForgetting ? -7 : 0))
                    if let place { model.remove(at: place) } else if isFull, isForgetting { model.removeFirst() }
                    if answer == 0 { model.append((key, value)) }
                default:
                    let found = bench.value(key)
                    try #require(found == place.map { model[$0].value })
                }
            }
            let keys = try bench.keys().map(\.hex).sorted()
            try #require(keys == model.map(\.key.hex).sorted())
        }
    }

    @Test func `devices are held by index or by key, and interface 0 is none`() throws {
        var indexed = try Bench(.devices, value: 4, entries: 2)
        let answers = [
            indexed.put(number(0), 5), indexed.put(number(2), 5), indexed.put(number(0), 5, .onlyIfAbsent),
            indexed.remove(number(2)), indexed.remove(number(1)), indexed.put(number(1), 0),
        ]
        #expect(answers == [0, -7, -17, -22, 0, 0])
        #expect([0, 1].map { indexed.value(number($0)) } == [5, nil])
        var hashed = try Bench(.devicesHash, value: 4, entries: 2)
        let others = [
            hashed.put(number(9), 0), hashed.put(number(9), 5, .onlyIfPresent), hashed.put(number(9), 5, .onlyIfAbsent),
            hashed.remove(number(1)), hashed.put(number(1), 6), hashed.put(number(2), 7), hashed.remove(number(9)),
        ]
        #expect(others == [-22, 0, -17, -2, 0, -7, 0])
        #expect(try hashed.keys() == [number(1)])
    }

    @Test func `a program array holds programs by their index`() throws {
        var bench = try Bench(.programArray, value: 4, entries: 2)
        let answers = [
            bench.put(number(0), 0), bench.put(number(1), 1), bench.put(number(2), 0),
            bench.put(number(0), 0, .onlyIfAbsent),
            bench.remove(number(1)), bench.remove(number(2)),
        ]
        #expect(answers == [0, -22, -7, -22, -2, -7])
        #expect([0, 1].map { bench.value(number($0)) } == [0, nil])
        let removed = bench.remove(number(0))
        #expect(removed == 0 && bench.value(number(0)) == nil)
    }

    @Test func `keys and values of another size are refused`() throws {
        var bench = try Bench(.hash, entries: 2)
        #expect(bench.put([1, 2, 3], 1) == -22)
        #expect(bench.remove([1, 2, 3, 4, 5]) == -22)
    }

    @Test(arguments: [
        (MapKind.array, 8, 8, 4, UInt32(0), BPFError.Fault.badMapSize), (.hash, 0, 8, 4, 0, .badMapSize),
        (.hash, 4, 0, 4, 0, .badMapSize), (.hash, 4, 8, 0, 0, .badMapSize), (.hash, 4, 8, 1 << 40, 0, .badMapSize),
        (.prefixes, 8, 8, 4, 0, .badMapFlags), (.prefixes, 4, 8, 4, 1, .badMapSize),
        (.ring, 0, 0, 5_000, 0, .badMapSize),
        (.ring, 0, 0, 12_288, 0, .badMapSize), (.devices, 4, 16, 4, 0, .badMapSize),
        (.array, 4, 1 << 30, 4, 0, .badMapSize),
    ])
    func `a map that Linux would not make is refused`(
        kind: MapKind, key: Int, value: Int, entries: Int, flags: UInt32, fault: BPFError.Fault
    ) {
        #expect(throws: BPFError(fault, .map("map"))) {
            _ = try Bench(kind, key: key, value: value, entries: entries, flags: flags)
        }
    }
}
