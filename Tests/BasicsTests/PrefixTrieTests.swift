import Basics
import TestKit
import Testing

@Suite struct PrefixTrieTests {
    /// A list that is searched from end to end.
    private struct Model<Key: FixedWidthInteger & UnsignedInteger & Sendable> {
        var entries: [(key: Key, length: Int, value: Int)] = []

        static func contains(_ key: Key, _ length: Int, _ other: Key) -> Bool {
            (0..<length).allSatisfy { (key ^ other) >> Key(Key.bitWidth - 1 - $0) & 1 == 0 }
        }

        mutating func set(_ key: Key, _ length: Int, _ value: Int?) -> Int? {
            let place = entries.firstIndex { $0.length == length && Self.contains($0.key, length, key) }
            let previous = place.map { entries.remove(at: $0).value }
            let kept = (0..<length).reduce(0 as Key) { $0 | key & (1 << Key(Key.bitWidth - 1 - $1)) }
            if let value { entries.append((kept, length, value)) }
            return previous
        }

        func longest(_ key: Key) -> (key: Key, length: Int, value: Int)? {
            entries.filter { Self.contains($0.key, $0.length, key) }.max { $0.length < $1.length }
        }
    }

    private func checkAgainstModel<Key: FixedWidthInteger & UnsignedInteger & Sendable>(_: Key.Type) {
        forEachSeed(100) { random in
            var trie = PrefixTrie<Key, Int>()
            var model = Model<Key>()
            // Few bits differ, so that prefixes nest and fork at every depth.
            func drawKey() -> Key {
                let word = random.chance(Ratio(0.5)) ? random.next() : random.next() & random.next() & random.next()
                let key = Key(truncatingIfNeeded: word) << Key(Key.bitWidth - 32)
                return random.chance(Ratio(0.3)) ? key | Key(truncatingIfNeeded: random.next() & 7) : key
            }
            func drawLength() -> Int {
                random.chance(Ratio(0.8)) ? Int(random.below(12)) : Int(random.below(UInt64(Key.bitWidth + 1)))
            }
            for step in 0..<300 {
                let (key, length) = (drawKey(), drawLength())
                if random.chance(Ratio(0.6)) {
                    let previous = trie.insert(key, length: length, value: step)
                    try #require(previous == model.set(key, length, step))
                } else {
                    let previous = trie.remove(key, length: length)
                    try #require(previous == model.set(key, length, nil))
                }
                try #require(trie.count == model.entries.count)
                try compare(trie, model, key: drawKey(), length: drawLength())
            }
            var seen: [(key: Key, length: Int, value: Int)] = []
            trie.forEach { seen.append(($0, $1, $2)) }
            let wanted = model.entries.sorted { ($0.key, $0.length) < ($1.key, $1.length) }
            try #require(seen.map(\.value) == wanted.map(\.value))
            try #require(seen.map(\.key) == wanted.map(\.key) && seen.map(\.length) == wanted.map(\.length))
            for entry in wanted {
                let removed = trie.remove(entry.key, length: entry.length)
                try #require(removed == entry.value)
            }
            try #require(trie.count == 0)
            try #require(trie.longestMatch(0) == nil)
        }
    }

    private func compare<Key>(
        _ trie: PrefixTrie<Key, Int>, _ model: Model<Key>, key: Key, length: Int
    ) throws {
        let longest = model.longest(key)
        try #require(trie.longestMatch(key) == longest?.value)
        let found = trie.longestMatchingPrefix(key)
        try #require(found?.key == longest?.key && found?.length == longest?.length && found?.value == longest?.value)
        let exact = model.entries.first { $0.length == length && Model.contains($0.key, length, key) }
        try #require(trie.exactMatch(key, length: length) == exact?.value)
    }

    @Test func `a trie of 32-bit keys agrees with a list`() {
        checkAgainstModel(UInt32.self)
    }

    @Test func `a trie of 128-bit keys agrees with a list`() {
        checkAgainstModel(UInt128.self)
    }

    @Test func `the longest of nested prefixes is chosen, the default last`() {
        var trie = PrefixTrie<UInt32, String>()
        trie.insert(0, length: 0, value: "default")
        trie.insert(0x0A00_0000, length: 8, value: "ten")
        trie.insert(0x0A01_0000, length: 16, value: "site")
        trie.insert(0x0A01_0203, length: 32, value: "host")
        #expect(trie.longestMatch(0x0A01_0203) == "host")
        #expect(trie.longestMatch(0x0A01_0204) == "site")
        #expect(trie.longestMatch(0x0AFF_0000) == "ten")
        #expect(trie.longestMatch(0xC0A8_0001) == "default")
        #expect(trie.exactMatch(0x0A01_0000, length: 15) == nil)
        let replaced = trie.insert(0x0A01_FFFF, length: 16, value: "new")
        #expect(replaced == "site")
        #expect(trie.count == 4)
    }

    @Test func `routes that come and go leave no nodes behind`() {
        var random = SeededRandom(seed: 4)
        var trie = PrefixTrie<UInt32, Int>()
        func churn() {
            let keys = (0..<1_000).map { _ in UInt32(truncatingIfNeeded: random.next()) }
            for key in keys { trie.insert(key, length: 24, value: 1) }
            for key in keys { trie.remove(key, length: 24) }
        }
        for _ in 0..<4 { churn() }
        #expect(trie.count == 0)
        var visited = 0
        trie.forEach { _, _, _ in visited += 1 }
        #expect(visited == 0)
        // The random keys are drawn outside the count; what is left would be growth of the node array.
        let keys = (0..<500).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        let count = allocations {
            for key in keys { trie.insert(key, length: 24, value: 1) }
        }
        #expect(count == 0)
    }
}
