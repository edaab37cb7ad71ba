import Basics
import Wire

/// What a peer was last told of each prefix, in pages that are given back when nothing is left in them.
struct AdvertisedTable: Sendable {
    private var pages: ContiguousArray<ContiguousArray<AttributeIndex>> = []
    private var live: ContiguousArray<UInt32> = []
    /// How many prefixes the peer has been told.
    private(set) var count = 0

    private static let pageBits: UInt32 = 11
    private static let pageSize: UInt32 = 1 << pageBits

    subscript(index: PrefixIndex) -> AttributeIndex {
        @inline(__always) get {
            let page = Int(index >> Self.pageBits)
            let offset = Int(index & (Self.pageSize - 1))
            return page < pages.count && offset < pages[page].count ? pages[page][offset] : .none
        }
        set { set(index, newValue) }
    }

    private mutating func set(_ index: PrefixIndex, _ value: AttributeIndex) {
        let page = Int(index >> Self.pageBits)
        let offset = Int(index & (Self.pageSize - 1))
        let old = self[index]
        if value == .none, old == .none { return }
        while pages.count <= page {
            pages.append([])
            live.append(0)
        }
        if page > 0, pages[page].isEmpty { pages[page].reserveCapacity(Int(Self.pageSize)) }
        while pages[page].count <= offset { pages[page].append(.none) }
        pages[page][offset] = value
        if old == .none {
            count += 1
            live[page] += 1
        } else if value == .none {
            count -= 1
            live[page] -= 1
            if live[page] == 0 { pages[page] = [] }
        }
    }

    /// Takes a page out with all that it holds; nil when there is none left.
    mutating func takePage() -> ContiguousArray<AttributeIndex>? {
        guard let page = pages.popLast() else { return nil }
        count -= Int(live.removeLast())
        return page
    }
}

/// The Adj-RIB-Out of one peer: what it has been told (RFC 4271 §3.2), and what it is to be told next.
///
/// Telling goes in rounds. Prefixes to be looked at come together; when nothing else is
/// to be decided they are gathered, each by the set of attributes that it is to be told
/// with, and then told set by set, so that a set takes as few messages as it can however
/// its prefixes came. What changes meanwhile is for the next round.
struct AdjacencyOut: Sendable {
    /// A set of attributes with the prefixes to be told with it.
    struct Bundle: Sendable, BitwiseCopyable {
        let attributes: AttributeIndex
        let isIPv4: Bool
        fileprivate(set) var first: UInt32
        fileprivate(set) var last: UInt32
    }

    private struct Entry: Sendable, BitwiseCopyable {
        let prefix: PrefixIndex
        var next = endOfLinks
    }

    var told = AdvertisedTable()
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
    mutating func gather(_ prefix: PrefixIndex, _ attributes: AttributeIndex, isIPv4: Bool) {
        guard attributes != .none else { return withdrawn.append(prefix) }
        let entry = UInt32(entries.count)
        entries.append(Entry(prefix: prefix))
        // Two families may share a set, but never a message.
        let key = UInt64(attributes) << 1 | (isIPv4 ? 0 : 1)
        if let last = bundles.last, last.attributes == attributes, last.isIPv4 == isIPv4 {
            entries[Int(last.last)].next = entry
            bundles[bundles.count - 1].last = entry
        } else if let place = places[key] {
            entries[Int(bundles[Int(place)].last)].next = entry
            bundles[Int(place)].last = entry
        } else {
            places[key] = UInt32(bundles.count)
            bundles.append(Bundle(attributes: attributes, isIPv4: isIPv4, first: entry, last: entry))
        }
    }

    mutating func beginTelling() {
        isTelling = true
        if bundles.count > 64 { places = IndexTable() } else { places.removeAll() }
    }

    /// The next prefixes to be withdrawn, but for those that are to be announced after all.
    mutating func takeWithdrawn(limit: Int) -> ContiguousArray<PrefixIndex> {
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
    func prefixes(of bundle: Bundle, into prefixes: inout ContiguousArray<PrefixIndex>) {
        prefixes.removeAll(keepingCapacity: true)
        var entry = bundle.first
        while entry != endOfLinks {
            let prefix = entries[Int(entry)].prefix
            if told[prefix] == bundle.attributes { prefixes.append(prefix) }
            entry = entries[Int(entry)].next
        }
    }

    mutating func endRound() {
        isTelling = false
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
