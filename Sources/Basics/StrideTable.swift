/// Longest-prefix match over 32-bit keys in at most three steps: 16 bits, then 8, then 8.
///
/// Every slot holds the answer for all keys that lead to it, or leads to 256 slots of
/// the next step. A look-up takes one load for most keys and three at most, however many
/// prefixes there are; it pays with a kilobyte for each /16 that has longer prefixes.
public struct StrideTable: Sendable {
    /// The first step's slots, then the groups of 256.
    @usableFromInline var slots: ContiguousArray<UInt32>
    /// For each slot the length of the prefix that its answer is of, plus one; 0 for none.
    private var lengths: ContiguousArray<UInt8>
    private var freeGroups: ContiguousArray<UInt32> = []

    /// In a slot: the rest is where a group begins.
    @usableFromInline static let isGroup: UInt32 = 0x8000_0000
    @usableFromInline static let none: UInt32 = 0x7FFF_FFFF

    private static let rootSize = 1 << 16
    private static let groupSize = 256

    public init() {
        slots = ContiguousArray(repeating: Self.none, count: Self.rootSize)
        lengths = ContiguousArray(repeating: 0, count: Self.rootSize)
    }

    /// The value of the longest prefix that contains `key`.
    @inlinable
    public borrowing func longestMatch(_ key: UInt32) -> UInt32? {
        slots.withUnsafeBufferPointer { slots in
            var slot = unsafe slots[Int(key >> 16)]
            if slot >= Self.isGroup {
                slot = unsafe slots[Int(slot & ~Self.isGroup) &+ Int(key >> 8 & 0xFF)]
                if slot >= Self.isGroup { slot = unsafe slots[Int(slot & ~Self.isGroup) &+ Int(key & 0xFF)] }
            }
            return slot == Self.none ? nil : slot
        }
    }

    /// Sets the value of a prefix, which is below 2^31 - 1.
    public mutating func insert(_ key: UInt32, length: Int, value: UInt32) {
        precondition(length >= 0 && length <= 32 && value < Self.none)
        let (first, count) = range(of: key, length, makesGroups: true)
        let mark = UInt8(length + 1)
        for slot in first..<first + count { fill(slot, value, mark) { $0 <= mark } }
    }

    /// Takes a prefix out; what covers it next is for the caller to know.
    public mutating func remove(_ key: UInt32, length: Int, coveredBy cover: (length: Int, value: UInt32)?) {
        precondition(length >= 0 && length <= 32 && (cover?.length ?? 0) <= length)
        let (first, count) = range(of: key, length, makesGroups: false)
        let mark = cover.map { UInt8($0.length + 1) } ?? 0
        for slot in first..<first + count {
            fill(slot, cover?.value ?? Self.none, mark) { $0 == UInt8(length + 1) }
        }
        if length > 24 { dissolve(groupHolding: key, steps: 2) }
        if length > 16 { dissolve(groupHolding: key, steps: 1) }
    }

    /// The slots that a prefix spans in the step where it ends; none where its group is not there.
    private mutating func range(of key: UInt32, _ length: Int, makesGroups: Bool) -> (first: Int, count: Int) {
        guard length > 16 else { return (Int(key >> 16) & ~0 << (16 - length), 1 << (16 - length)) }
        guard let second = group(at: Int(key >> 16), makesGroups) else { return (0, 0) }
        let middle = Int(key >> 8 & 0xFF)
        guard length > 24 else { return (second + middle & ~0 << (24 - length), 1 << (24 - length)) }
        guard let third = group(at: second + middle, makesGroups) else { return (0, 0) }
        return (third + Int(key & 0xFF) & ~0 << (32 - length), 1 << (32 - length))
    }

    /// Where a slot's group begins.
    private mutating func group(at slot: Int, _ isMade: Bool) -> Int? {
        if slots[slot] >= Self.isGroup { return Int(slots[slot] & ~Self.isGroup) }
        guard isMade else { return nil }
        let start: Int
        if let free = freeGroups.popLast() {
            start = Int(free)
            for place in start..<start + Self.groupSize {
                slots[place] = slots[slot]
                lengths[place] = lengths[slot]
            }
        } else {
            start = slots.count
            slots.append(contentsOf: repeatElement(slots[slot], count: Self.groupSize))
            lengths.append(contentsOf: repeatElement(lengths[slot], count: Self.groupSize))
        }
        slots[slot] = Self.isGroup | UInt32(start)
        return start
    }

    private mutating func fill(_ slot: Int, _ value: UInt32, _ mark: UInt8, where isReplaced: (UInt8) -> Bool) {
        if slots[slot] >= Self.isGroup {
            let start = Int(slots[slot] & ~Self.isGroup)
            for place in start..<start + Self.groupSize { fill(place, value, mark, where: isReplaced) }
        } else if isReplaced(lengths[slot]) {
            slots[slot] = value
            lengths[slot] = mark
        }
    }

    /// Puts one slot in the place of a group whose slots all say the same.
    private mutating func dissolve(groupHolding key: UInt32, steps: Int) {
        var slot = Int(key >> 16)
        if steps == 2 {
            guard slots[slot] >= Self.isGroup else { return }
            slot = Int(slots[slot] & ~Self.isGroup) + Int(key >> 8 & 0xFF)
        }
        guard slots[slot] >= Self.isGroup else { return }
        let start = Int(slots[slot] & ~Self.isGroup)
        let (value, mark) = (slots[start], lengths[start])
        // A longer prefix may say the same as a shorter one, and must not be forgotten.
        guard value < Self.isGroup, mark <= (steps == 2 ? 25 : 17) else { return }
        for place in start..<start + Self.groupSize where slots[place] != value || lengths[place] != mark { return }
        slots[slot] = value
        lengths[slot] = mark
        freeGroups.append(UInt32(start))
    }
}
