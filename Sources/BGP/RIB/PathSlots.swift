/// The paths that a peer is told which takes several to a prefix (RFC 7911), each by a small number of its own.
///
/// What an ``AdjacencyOut`` holds of a prefix for other peers, it holds of such a slot here.
struct PathSlots: Sendable {
    struct Slot: PooledRecord {
        let prefix: PrefixIndex
        /// What the peer knows the path by (RFC 7911 §3).
        let identifier: UInt32
        var link = endOfLinks
    }

    private var slots = PagedPool<Slot>()
    /// The first slot of each prefix.
    private var first = SparseTable<UInt32>(empty: endOfLinks)

    subscript(slot: UInt32) -> Slot { slots[slot] }

    /// The first slot of a prefix; the rest follow by their links, up to ``endOfLinks``.
    func first(of prefix: PrefixIndex) -> UInt32 { first[prefix] }

    /// The slot of a path, made now if there is none.
    mutating func add(_ prefix: PrefixIndex, _ identifier: UInt32) -> UInt32 {
        var slot = first[prefix]
        while slot != endOfLinks {
            if slots[slot].identifier == identifier { return slot }
            slot = slots[slot].link
        }
        slot = slots.insert(Slot(prefix: prefix, identifier: identifier, link: first[prefix]))
        first[prefix] = slot
        return slot
    }

    mutating func remove(_ slot: UInt32) {
        let record = slots[slot]
        if first[record.prefix] == slot {
            first[record.prefix] = record.link
        } else {
            var previous = first[record.prefix]
            while slots[previous].link != slot { previous = slots[previous].link }
            slots[previous].link = record.link
        }
        slots.remove(slot)
    }
}
