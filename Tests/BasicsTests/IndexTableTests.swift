import Basics
import TestKit
import Testing

@Suite struct IndexTableTests {
    @Test func `a table agrees with a dictionary on any run of steps`() {
        forEachSeed(200) { random in
            var table = IndexTable(capacity: Int(random.below(40)))
            var model: [UInt64: UInt32] = [:]
            let spread = UInt64(1) << random.below(10)
            let keys = (0..<200).map { _ in random.chance(Ratio(0.3)) ? random.next() : random.below(spread) }
            for _ in 0..<2_000 {
                let key = keys[Int(random.below(200))]
                switch random.below(5) {
                case 0, 1:
                    let value = UInt32(truncatingIfNeeded: random.next())
                    table[key] = value
                    model[key] = value
                case 2:
                    table[key] = nil
                    model[key] = nil
                default:
                    try #require(table[key] == model[key])
                }
                try #require(table.count == model.count)
            }
            for key in keys { try #require(table[key] == model[key]) }
            table.removeAll()
            try #require(table.count == 0)
            for key in keys { try #require(table[key] == nil) }
        }
    }

    /// The least time of three for filling a table and finding every key four times.
    private func timeToFill(_ keys: [UInt64]) -> Duration {
        let clock = ContinuousClock()
        return (0..<3).map { _ in
            var table = IndexTable(capacity: keys.count)
            return clock.measure {
                for (number, key) in keys.enumerated() { table[key] = UInt32(number) }
                for _ in 0..<4 {
                    for (number, key) in keys.enumerated() where table[key] != UInt32(number) {
                        Issue.record("\(key)")
                    }
                }
            }
        }.min() ?? .zero
    }

    @Test func `keys with a pattern are found about as fast as random ones`() {
        let numbers = 0..<UInt64(1 << 15)
        var random = SeededRandom(seed: 2)
        let usual = timeToFill(numbers.map { _ in random.next() })
        let patterns: [(name: String, keys: [UInt64])] = [
            ("counted", numbers.map { $0 }),
            ("shifted", numbers.map { $0 << 40 }),
            ("pairs of addresses", numbers.map { (0x0A00_0000 | $0) << 32 | (0x0A01_0000 | $0) }),
            ("mirrored", numbers.map { $0 << 32 | $0 }),
            ("strided", numbers.map { $0 &* 4_096 }),
            ("ports", numbers.map { 0x0A00_0001_0A00_0002 ^ $0 << 16 }),
        ]
        for pattern in patterns {
            let taken = timeToFill(pattern.keys)
            #expect(taken < usual * 6, "\(pattern.name): \(taken) against \(usual)")
        }
    }

    @Test func `a warm table takes no memory`() {
        var table = IndexTable(capacity: 1_000)
        let count = allocations {
            for key in 0..<10_000 as Range<UInt64> {
                table[key] = 1
                if key >= 900 { table[key - 900] = nil }
            }
        }
        #expect(count == 0)
        #expect(table.count == 900)
    }
}
