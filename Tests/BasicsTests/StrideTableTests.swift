import Basics
import TestKit
import Testing

@Suite struct StrideTableTests {
    /// The longest of the given prefixes that contains a key and is shorter than `limit`.
    private func cover(
        _ key: UInt32, _ prefixes: PrefixTrie<UInt32, UInt32>, shorterThan limit: Int
    ) -> (length: Int, value: UInt32)? {
        for length in stride(from: limit - 1, through: 0, by: -1) {
            if let value = prefixes.exactMatch(key, length: length) { return (length, value) }
        }
        return nil
    }

    @Test func `it answers as the trie does while prefixes come and go`() {
        forEachSeed(40) { random in
            var table = StrideTable()
            var trie = PrefixTrie<UInt32, UInt32>()
            var known: [(key: UInt32, length: Int)] = []
            let base = UInt32(truncatingIfNeeded: random.next())
            for _ in 0..<400 {
                if random.below(3) == 0, !known.isEmpty {
                    let gone = known.remove(at: Int(random.below(UInt64(known.count))))
                    trie.remove(gone.key, length: gone.length)
                    table.remove(
                        gone.key, length: gone.length, coveredBy: cover(gone.key, trie, shorterThan: gone.length))
                } else {
                    let length = Int(random.below(33))
                    let noise = UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32))
                    let key = length == 0 ? 0 : (base ^ noise) & ~0 << UInt32(32 - length)
                    let value = UInt32(random.below(1_000))
                    if trie.insert(key, length: length, value: value) == nil { known.append((key, length)) }
                    table.insert(key, length: length, value: value)
                }
                for _ in 0..<8 {
                    let probe = base ^ UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32))
                    let found = table.longestMatch(probe)
                    try #require(found == trie.longestMatch(probe))
                }
            }
            for (key, length) in known.sorted(by: { $0.length > $1.length }) {
                table.remove(key, length: length, coveredBy: nil)
            }
            let rest = (0..<64).compactMap { _ in table.longestMatch(base ^ UInt32(random.below(1 << 32))) }
            try #require(rest.isEmpty)
        }
    }

    @Test func `the default route answers for everything and a host route for itself`() {
        var table = StrideTable()
        table.insert(0, length: 0, value: 1)
        table.insert(0xC000_0201, length: 32, value: 2)
        #expect(table.longestMatch(0xC000_0201) == 2)
        #expect(table.longestMatch(0xC000_0202) == 1)
        table.remove(0xC000_0201, length: 32, coveredBy: (0, 1))
        #expect(table.longestMatch(0xC000_0201) == 1)
        table.remove(0, length: 0, coveredBy: nil)
        #expect(table.longestMatch(0xC000_0201) == nil)
    }
}
