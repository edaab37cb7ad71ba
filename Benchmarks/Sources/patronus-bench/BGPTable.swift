import Basics

/// A made-up routing table as the octets of UPDATEs, of the same shape as a real one.
///
/// Lengths follow the histogram of a default-free table, prefixes that share their
/// attributes are runs inside a few /16 blocks, and how many share them is heavy tailed.
struct BGPTable {
    /// A prefix as `address << 8 | length`.
    typealias Packed = UInt64

    /// Of each set of attributes the prefixes, in the order of the UPDATEs.
    private let groups: [[Packed]]
    private let seed: UInt64

    private static let histogram: [(length: UInt64, count: UInt64)] = [
        (8, 16), (9, 13), (10, 38), (11, 103), (12, 299), (13, 581), (14, 1203), (15, 2100), (16, 13490), (17, 8235),
        (18, 13798), (19, 24870), (20, 42611), (21, 50750), (22, 108_623), (23, 96510), (24, 537_698),
    ]

    init(routes: Int, sets: Int, seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed, stream: "prefixes")
        let weights = (0..<sets).map { _ in min(1_000, random.pareto(shape: 1.15)) }
        let total = weights.reduce(0, +)
        var sizes = weights.map { 1 + Int(Double(routes - sets) * $0 / total) }
        for _ in 0..<max(0, routes - sizes.reduce(0, +)) { sizes[Int(random.below(UInt64(sets)))] += 1 }
        var seen = Set<Packed>(minimumCapacity: routes)
        var groups = sizes.map { Self.makeGroup($0, &seen, &random) }
        for index in stride(from: groups.count - 1, to: 0, by: -1) {
            groups.swapAt(index, Int(random.below(UInt64(index + 1))))
        }
        self.groups = groups
    }

    var routeCount: Int { groups.reduce(0) { $0 + $1.count } }
    var setCount: Int { groups.count }
    /// All prefixes, as addresses with their lengths.
    var prefixes: [(address: UInt32, length: Int)] {
        groups.flatMap { $0.map { (UInt32($0 >> 8), Int($0 & 0xFF)) } }
    }

    private static func makeGroup(_ size: Int, _ seen: inout Set<Packed>, _ random: inout SeededRandom) -> [Packed] {
        var blocks = (0..<1 + size / 32).map { _ in makeBlock(&random) }
        var cursors: [Packed: UInt64] = [:]
        var group: [Packed] = []
        while group.count < size {
            var length = drawLength(&random)
            var tries = 0
            while true {
                var address = makeBlock(&random) << 16 & ~0 << (32 - min(length, 16))
                if length >= 16 {
                    let block = blocks[Int(random.below(UInt64(blocks.count)))]
                    let span = UInt64(1) << (length - 16)
                    let place = cursors[block << 8 | length].map { ($0 + 1) % span } ?? random.below(span)
                    cursors[block << 8 | length] = place
                    address = block << 16 | place << (32 - length)
                }
                if seen.insert(address << 8 | length).inserted {
                    group.append(address << 8 | length)
                    break
                }
                tries += 1
                if tries > 4 { blocks.append(makeBlock(&random)) }
                if tries > 60 { length = min(24, length + 1) }
            }
        }
        return group
    }

    /// The first 16 bits of an address that anybody may announce.
    private static func makeBlock(_ random: inout SeededRandom) -> UInt64 {
        while true {
            let block = 0x0100 + random.below(0xDF00)
            let first = block >> 8
            if first != 10, first != 127, block != 0xA9FE, block != 0xC0A8, block >> 4 != 0xAC1 { return block }
        }
    }

    private static func drawLength(_ random: inout SeededRandom) -> UInt64 {
        var place = random.below(histogram.reduce(0) { $0 + $1.count })
        for (length, count) in histogram {
            if place < count { return length }
            place -= count
        }
        return 24
    }

    /// The UPDATEs of a peer that announces the whole table.
    func announcement(autonomousSystem: UInt32, nextHop: UInt32) -> [UInt8] {
        var random = SeededRandom(seed: seed, stream: "attributes")
        var octets: [UInt8] = []
        for (number, group) in groups.enumerated() {
            let attributes = Self.attributes(number, autonomousSystem, nextHop, &random)
            Self.append(group, limit: 4096 - 23 - attributes.count, to: &octets) { field in
                message([0, 0], UInt16(attributes.count).octets, attributes, field)
            }
        }
        return octets
    }

    /// The UPDATEs that take the whole table back.
    var withdrawal: [UInt8] {
        var octets: [UInt8] = []
        Self.append(groups.flatMap(\.self), limit: 4096 - 23, to: &octets) { field in
            message(UInt16(field.count).octets, field, [0, 0], [])
        }
        return octets
    }

    private static func append(
        _ prefixes: [Packed], limit: Int, to octets: inout [UInt8], message: ([UInt8]) -> [UInt8]
    ) {
        var field: [UInt8] = []
        for prefix in prefixes {
            let length = Int(prefix & 0xFF)
            if field.count + 1 + (length + 7) / 8 > limit {
                octets += message(field)
                field.removeAll(keepingCapacity: true)
            }
            field.append(UInt8(length))
            for index in 0..<(length + 7) / 8 { field.append(UInt8(truncatingIfNeeded: prefix >> (32 - index * 8))) }
        }
        if !field.isEmpty { octets += message(field) }
    }

    private func message(_ parts: [UInt8]...) -> [UInt8] {
        let size = parts.reduce(19) { $0 + $1.count }
        return Array(repeating: 0xFF, count: 16) + UInt16(size).octets + [2] + parts.flatMap(\.self)
    }

    /// ORIGIN, a path of two to eight ASes, NEXT_HOP, and the rest as often as it is met.
    private static func attributes(
        _ number: Int, _ autonomousSystem: UInt32, _ nextHop: UInt32, _ random: inout SeededRandom
    ) -> [UInt8] {
        var path = [autonomousSystem]
        for _ in 0..<1 + random.below(5) { path.append(1 + UInt32(random.below(64_495))) }
        // Its own origin makes every set another one.
        path.append(196_608 + UInt32(number))
        var octets: [UInt8] = [0x40, 1, 1, random.below(10) == 0 ? 2 : 0]
        octets += [0x40, 2, UInt8(2 + path.count * 4), 2, UInt8(path.count)] + path.flatMap(\.octets)
        octets += [0x40, 3, 4] + nextHop.octets
        if random.below(10) < 3 { octets += [0x80, 4, 4] + UInt32(random.below(5_000)).octets }
        if random.below(100) < 6 { octets += [0x40, 6, 0, 0xC0, 7, 8] + path[0].octets + UInt32(number).octets }
        if random.below(100) < 72 {
            let values = (0..<1 + random.below(6)).map { _ in UInt32(random.below(1 << 31)) }
            octets += [0xC0, 8, UInt8(values.count * 4)] + values.flatMap(\.octets)
        }
        if random.below(100) < 12 {
            let values = (0..<3 * (1 + random.below(4))).map { _ in UInt32(random.below(1_000)) }
            octets += [0xC0, 32, UInt8(values.count * 4)] + values.flatMap(\.octets)
        }
        return octets
    }
}

extension FixedWidthInteger {
    /// Its octets as they stand on the wire.
    fileprivate var octets: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
