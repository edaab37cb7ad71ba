import Basics
import TestKit
import Testing

@Suite struct ByteArenaTests {
    @Test func `combined octets are those of exclusive or, whatever their number`() {
        forEachSeed(100) { random in
            let key = random.next()
            let bytes = (0..<Int(random.below(300))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var arena = ByteArena(capacity: 1 + Int(random.below(40)))
            arena.append(UInt8(7))
            arena.append(bytes.span.bytes, combinedWith: key)
            arena.append(UInt8(9))
            let expected =
                [7] + bytes.indices.map { bytes[$0] ^ UInt8(truncatingIfNeeded: key >> UInt64(8 * ($0 & 7))) } + [9]
            let written = arena.bytes(ByteRange(start: 0, count: arena.count))
            let found = (0..<written.byteCount).map { written.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt8.self) }
            try #require(found == expected)
        }
    }

    @Test func `an arena agrees with an array of octets on any run of steps`() {
        forEachSeed(200) { random in
            var arena = ByteArena(capacity: 1 + Int(random.below(64)))
            var model: [UInt8] = []
            for _ in 0..<200 {
                let word = random.next()
                let big = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
                switch random.below(6) {
                case 0:
                    arena.append(word)
                    model += big
                case 1:
                    arena.append(UInt8(truncatingIfNeeded: word))
                    model.append(big[7])
                case 2:
                    arena.append(UInt16(truncatingIfNeeded: word))
                    model += big[6...]
                case 3:
                    let octets = random.octets(Int(random.below(100)))
                    arena.append(octets.span.bytes)
                    model += octets
                case 4 where model.count >= 4:
                    let place = Int(random.below(UInt64(model.count - 3)))
                    arena.patch(UInt32(truncatingIfNeeded: word), at: place)
                    model.replaceSubrange(place..<place + 4, with: big[4...])
                default:
                    if random.chance(Ratio(0.02)) {
                        arena.removeAll()
                        model.removeAll()
                    }
                }
                let count = arena.count
                try #require(count == model.count)
                let start = Int(random.below(UInt64(count + 1)))
                let length = Int(random.below(UInt64(count - start + 1)))
                let bytes = [UInt8](copying: arena.bytes(ByteRange(start: start, count: length)))
                try #require(bytes == Array(model[start..<start + length]))
            }
        }
    }

    @Test func `an emptied arena keeps its memory`() {
        var arena = ByteArena(capacity: 16)
        let octets = [UInt8](repeating: 7, count: 1_000)
        arena.append(octets.span.bytes)
        let count = allocations {
            for _ in 0..<100 {
                arena.removeAll()
                arena.append(octets.span.bytes)
                arena.patch(0 as UInt32, at: 996)
            }
        }
        #expect(count == 0)
    }

    @Test func `a range behind the end is a programmer's error`() async {
        await #expect(processExitsWith: .failure) {
            var arena = ByteArena(capacity: 16)
            arena.append(1 as UInt32)
            _ = arena.bytes(ByteRange(start: 1, count: 4)).byteCount
        }
        await #expect(processExitsWith: .failure) {
            var arena = ByteArena(capacity: 16)
            arena.append(1 as UInt32)
            arena.patch(1 as UInt16, at: 3)
        }
        await #expect(processExitsWith: .failure) {
            _ = ByteArena(capacity: 0)
        }
    }
}
