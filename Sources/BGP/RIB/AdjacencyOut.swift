import Basics
import Wire

/// The Adj-RIB-Out of one peer: what it has been told (RFC 4271 §3.2), and what it is to be told next.
///
/// Telling goes in rounds. Prefixes to be looked at come together; when nothing else is
/// to be decided they are gathered, each by the set of attributes that it is to be told
/// with, and then told set by set, so that a set takes as few messages as it can however
/// its prefixes came. What changes meanwhile is for the next round.
///
/// A peer that is told several paths to a prefix has ``slots``, and what is said of
/// prefixes here is of slots then, but for those that are pending.
struct AdjacencyOut: Sendable {
    /// A set of attributes with the prefixes to be told with it.
    struct Bundle: Sendable, BitwiseCopyable {
        let attributes: AttributeIndex
        let isIPv4: Bool
        /// Whoever of an ``UpdateGroup`` is not to be told.
        let exception: PathSource
        fileprivate(set) var first: UInt32
        fileprivate(set) var last: UInt32
    }

    private struct Entry: Sendable, BitwiseCopyable {
        let prefix: PrefixIndex
        var next = endOfLinks
    }

    /// What the peer was last told of each prefix, or of each slot.
    var told = SparseTable(empty: AttributeIndex.none)
    /// The paths of a peer that is told several to a prefix (RFC 7911); nil for any other.
    var slots: PathSlots?
    /// Slots of which the peer is told nothing any more, to be given up at the round's end.
    private var emptied: ContiguousArray<UInt32> = []
    /// When the next round may begin (RFC 4271 §9.2.1.1).
    var notBefore = Instant.zero
    /// What sets become on the way to this peer, worked out once in a round.
    var exports = ExportMemo()
    private var isPending: ContiguousArray<UInt64> = []
    /// Of those that are pending, which are to be told even if nothing has changed.
    private var isRepeated: ContiguousArray<UInt64> = []
    private var pending: ContiguousArray<PrefixIndex> = []
    private var firstPending = 0
    private var bundles: ContiguousArray<Bundle> = []
    private var firstBundle = 0
    private var places = IndexTable()
    private var entries: ContiguousArray<Entry> = []
    private var withdrawn: ContiguousArray<PrefixIndex> = []
    private var firstWithdrawn = 0
    /// Whether all of the round is gathered and is being told.
    private(set) var isTelling = false

    /// Whether there is nothing to be told.
    var isIdle: Bool { firstPending == pending.count && !isInRound }

    /// Whether prefixes are held by their numbers alone.
    var isInRound: Bool { isTelling || !bundles.isEmpty || !withdrawn.isEmpty }

    var hasPending: Bool { firstPending < pending.count }

    /// The prefixes to be looked at, in the order in which they came.
    var pendingPrefixes: ArraySlice<PrefixIndex> { ArraySlice(pending[firstPending...]) }

    /// Whether the peer has been told anything of a prefix.
    func isTold(_ index: PrefixIndex) -> Bool {
        guard let slots else { return told[index] != .none }
        return slots.first(of: index) != endOfLinks
    }

    mutating func enqueue(_ index: PrefixIndex) {
        let word = Int(index >> 6)
        while isPending.count <= word { isPending.append(0) }
        let bit = UInt64(1) << UInt64(index & 63)
        guard isPending[word] & bit == 0 else { return }
        isPending[word] |= bit
        pending.append(index)
    }

    /// Has a prefix told again, whatever the peer was told.
    mutating func enqueueAgain(_ index: PrefixIndex) {
        enqueue(index)
        while isRepeated.count < isPending.count { isRepeated.append(0) }
        isRepeated[Int(index >> 6)] |= 1 << UInt64(index & 63)
    }

    /// Whether a prefix that was pending is to be told again; it is asked once.
    mutating func takeRepeated(_ index: PrefixIndex) -> Bool {
        let word = Int(index >> 6)
        let bit = UInt64(1) << UInt64(index & 63)
        guard word < isRepeated.count, isRepeated[word] & bit != 0 else { return false }
        isRepeated[word] &= ~bit
        return true
    }

    func contains(pending index: PrefixIndex) -> Bool {
        let word = Int(index >> 6)
        return word < isPending.count && isPending[word] >> UInt64(index & 63) & 1 == 1
    }

    /// The next prefix to be gathered, in the order in which they came.
    mutating func takePending() -> PrefixIndex? {
        guard firstPending < pending.count else { return nil }
        let index = pending[firstPending]
        firstPending += 1
        if firstPending == pending.count {
            firstPending = 0
            if pending.count > 4096 {
                pending = []
                isPending = []
            } else {
                pending.removeAll(keepingCapacity: true)
                isPending[Int(index >> 6)] &= ~(1 << UInt64(index & 63))
            }
        } else {
            isPending[Int(index >> 6)] &= ~(1 << UInt64(index & 63))
        }
        return index
    }

    /// Puts a prefix to those of its set.
    mutating func gather(
        _ prefix: PrefixIndex, _ attributes: AttributeIndex, isIPv4: Bool, except exception: PathSource = .none
    ) {
        guard attributes != .none || exception != .none else { return withdrawn.append(prefix) }
        let entry = UInt32(entries.count)
        entries.append(Entry(prefix: prefix))
        // Two families may share a set, but never a message.
        let key = UInt64(attributes) << 17 | UInt64(exception) << 1 | (isIPv4 ? 0 : 1)
        if let last = bundles.last, last.attributes == attributes, last.isIPv4 == isIPv4, last.exception == exception {
            entries[Int(last.last)].next = entry
            bundles[bundles.count - 1].last = entry
        } else if let place = places[key] {
            entries[Int(bundles[Int(place)].last)].next = entry
            bundles[Int(place)].last = entry
        } else {
            places[key] = UInt32(bundles.count)
            bundles.append(
                Bundle(attributes: attributes, isIPv4: isIPv4, exception: exception, first: entry, last: entry))
        }
    }

    mutating func beginTelling() {
        isTelling = true
        if bundles.count > 64 { places = IndexTable() } else { places.removeAll() }
    }

    /// The next prefixes to be withdrawn, but for those that are to be announced after all.
    mutating func takeWithdrawn(
        limit: Int, told other: SparseTable<AttributeIndex>? = nil
    ) -> ContiguousArray<PrefixIndex> {
        let told = other ?? told
        let end = min(withdrawn.count, firstWithdrawn + max(0, limit))
        var taken: ContiguousArray<PrefixIndex> = []
        for place in firstWithdrawn..<end where told[withdrawn[place]] == .none { taken.append(withdrawn[place]) }
        firstWithdrawn = end
        return taken
    }

    /// Whether announcements may begin.
    var hasWithdrawn: Bool { firstWithdrawn < withdrawn.count }

    mutating func takeBundle() -> Bundle? {
        guard firstBundle < bundles.count else { return nil }
        firstBundle += 1
        return bundles[firstBundle - 1]
    }

    /// The prefixes of a set, but for those that are not to be told with it any more.
    func prefixes(
        of bundle: Bundle, told other: SparseTable<AttributeIndex>? = nil,
        into prefixes: inout ContiguousArray<PrefixIndex>
    ) {
        let told = other ?? told
        prefixes.removeAll(keepingCapacity: true)
        var entry = bundle.first
        while entry != endOfLinks {
            let prefix = entries[Int(entry)].prefix
            if told[prefix] == bundle.attributes { prefixes.append(prefix) }
            entry = entries[Int(entry)].next
        }
    }

    /// Notes that nothing is told of a slot any more.
    mutating func empty(_ slot: UInt32) {
        if slots != nil { emptied.append(slot) }
    }

    mutating func endRound() {
        isTelling = false
        giveUpSlots()
        firstBundle = 0
        firstWithdrawn = 0
        withdrawn.removeAll(keepingCapacity: withdrawn.count <= 4096)
        if entries.count > 4096 {
            entries = []
            bundles = []
        } else {
            entries.removeAll(keepingCapacity: true)
            bundles.removeAll(keepingCapacity: true)
        }
    }

    private mutating func giveUpSlots() {
        guard !emptied.isEmpty else { return }
        // One may stand here twice, and may have been filled again.
        emptied.sort()
        var last = endOfLinks
        for slot in emptied where slot != last && told[slot] == .none {
            slots?.remove(slot)
            last = slot
        }
        emptied.removeAll(keepingCapacity: emptied.count <= 4096)
    }
}

/// What sets of attributes become on the way to one peer; every set in it is held.
struct ExportMemo: Sendable {
    private var results = IndexTable()
    private var last: (key: UInt64, result: AttributeIndex)?
    private(set) var held: ContiguousArray<AttributeIndex> = []

    mutating func find(_ key: UInt64) -> AttributeIndex? {
        if let last, last.key == key { return last.result }
        guard let result = results[key] else { return nil }
        last = (key, result)
        return result
    }

    mutating func add(_ key: UInt64, _ result: AttributeIndex, holding sets: AttributeIndex...) {
        results[key] = result
        last = (key, result)
        for set in sets where set != .none { held.append(set) }
    }

    mutating func takeAll() -> ContiguousArray<AttributeIndex> {
        var taken: ContiguousArray<AttributeIndex> = []
        swap(&taken, &held)
        last = nil
        if results.count > 64 { results = IndexTable() } else { results.removeAll() }
        return taken
    }
}
