/// The slots of a map in the order of their last use, exactly.
struct RecencyList: ~Copyable {
    /// Neighbours by slot; the last one is no slot but both ends: its next is the newest.
    private let previous: UnsafeMutablePointer<UInt32>
    private let next: UnsafeMutablePointer<UInt32>
    private let end: Int

    init(capacity: Int) {
        end = capacity
        previous = .allocate(capacity: capacity + 1)
        next = .allocate(capacity: capacity + 1)
        previous[end] = UInt32(end)
        next[end] = UInt32(end)
    }

    deinit {
        previous.deallocate()
        next.deallocate()
    }

    /// The slot that was not used for longest; nil where there is none.
    var oldest: Int? {
        let slot = Int(previous[end])
        return slot == end ? nil : slot
    }

    mutating func insert(_ slot: Int) {
        let newest = next[end]
        next[slot] = newest
        previous[slot] = UInt32(end)
        previous[Int(newest)] = UInt32(slot)
        next[end] = UInt32(slot)
    }

    mutating func remove(_ slot: Int) {
        next[Int(previous[slot])] = next[slot]
        previous[Int(next[slot])] = previous[slot]
    }

    mutating func touch(_ slot: Int) {
        guard Int(next[end]) != slot else { return }
        remove(slot)
        insert(slot)
    }
}
