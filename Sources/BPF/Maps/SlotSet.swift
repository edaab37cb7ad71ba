/// Which of a map's slots hold a value.
///
/// The slot freed last is taken first, so that the same calls always give the same slots; they are
/// visited in their order. What no slot has needed yet is not touched, so that a large map that
/// stays almost empty costs almost no memory.
struct SlotSet: ~Copyable {
    let capacity: Int
    private(set) var count = 0
    /// Slots from here on were never taken.
    private var fresh = 0
    private var freed = 0
    private let free: UnsafeMutablePointer<UInt32>
    private let used: UnsafeMutablePointer<UInt64>

    init(capacity: Int) {
        self.capacity = capacity
        let words = (capacity + 63) / 64
        free = .allocate(capacity: max(1, capacity))
        used = .allocate(capacity: max(1, words))
        used.initialize(repeating: 0, count: max(1, words))
    }

    deinit {
        free.deallocate()
        used.deallocate()
    }

    /// Takes a slot; nil where all are taken.
    mutating func take() -> Int? {
        let slot: Int
        if freed > 0 {
            freed -= 1
            slot = Int(free[freed])
        } else {
            guard fresh < capacity else { return nil }
            slot = fresh
            fresh += 1
        }
        used[slot >> 6] |= 1 << UInt64(slot & 63)
        count += 1
        return slot
    }

    /// Gives back a slot that was taken.
    mutating func release(_ slot: Int) {
        used[slot >> 6] &= ~(1 << UInt64(slot & 63))
        free[freed] = UInt32(slot)
        freed += 1
        count -= 1
    }

    /// The first slot in use from `slot` on.
    func next(from slot: Int) -> Int? {
        guard slot < fresh else { return nil }
        var word = slot >> 6
        var bits = used[word] & (~0 << UInt64(slot & 63))
        while bits == 0 {
            word += 1
            guard word << 6 < fresh else { return nil }
            bits = used[word]
        }
        return (word << 6) + bits.trailingZeroBitCount
    }
}
