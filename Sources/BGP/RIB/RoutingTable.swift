import Basics
import Wire

/// The number of a prefix in a ``RoutingTable``; small, so that a RIB may be an array.
typealias PrefixIndex = UInt32

/// The peer that a path was heard from.
typealias PathSource = UInt16

extension PathSource {
    /// This speaker itself; behind all peers.
    static let local = PathSource.max - 1
    /// Nobody.
    static let none = PathSource.max
}

/// The Adj-RIBs-In of all peers and the Loc-RIB (RFC 4271 §3.2).
///
/// Paths to the same prefix hang together in a chain, in order of their peers and of the
/// numbers that those give them: that is how the decision process reads them, and a
/// peer's Adj-RIB-In is the paths that carry its number. The first path lies in the
/// prefix's own record, as most prefixes have one alone. Every index of attributes kept
/// here is held in the ``AttributeTable`` by the caller.
struct RoutingTable: Sendable {
    /// The route of the Loc-RIB.
    struct Best: Equatable, Sendable, BitwiseCopyable {
        var source: PathSource
        var attributes: AttributeIndex
    }

    /// Everything of a prefix in 32 octets: itself, its first path and the route chosen.
    struct Destination: PooledRecord {
        /// The address of an IPv4 prefix, the place of an IPv6 one's.
        var address: UInt32
        var received = AttributeIndex.none
        var accepted = AttributeIndex.none
        /// To the second path, or of a number that is free to the next free one.
        var link = endOfLinks
        var bestAttributes = AttributeIndex.none
        var source = PathSource.none
        var bestSource = PathSource.none
        var length: UInt8
        var epoch: UInt8 = 0
        var isIPv4: Bool
        var isDirty = false
        /// Whether it waits in `leaving`.
        var isLeaving = false
        var isLive = true
        /// Whether the first path is kept out of the decision for its flaps.
        var isSuppressed = false
    }

    private struct WideAddress: PooledRecord {
        var bits: UInt128
        var link = endOfLinks
    }

    var destinations = PagedPool<Destination>()
    private var wideAddresses = PagedPool<WideAddress>()
    private var numbers = HashIndex()
    var paths = PagedPool<FurtherPath>()
    /// The numbers of first paths, by prefix, and of the others, by their place in `paths`.
    var firstNumbers = SparseTable(empty: PathNumbers.none)
    var furtherNumbers = SparseTable(empty: PathNumbers.none)
    /// Prefixes whose paths have changed since the last decision, in the order of the changes.
    private var dirty: ContiguousArray<PrefixIndex> = []
    private var firstDirty = 0
    /// Prefixes that nothing led to when they were decided; their numbers are given back by ``release(where:limit:)``.
    private var leaving: ContiguousArray<PrefixIndex> = []

    /// How many prefixes have a number.
    var count: Int { destinations.count }

    /// How many numbers there are to be walked through, at most.
    var capacity: UInt32 { destinations.capacity }

    static var pageSize: UInt32 { PagedPool<Destination>.pageSize }

    // MARK: Prefixes

    subscript(index: PrefixIndex) -> IPPrefix {
        let record = destinations[index]
        guard record.isIPv4 else {
            return .v6(IPv6Prefix(IPv6Address(bits: wideAddresses[record.address].bits), length: Int(record.length)))
        }
        return .v4(IPv4Prefix(IPv4Address(bits: record.address), length: Int(record.length)))
    }

    /// An IPv4 prefix without its wrapping; the caller knows that it is one.
    func plain(_ index: PrefixIndex) -> (address: UInt32, length: UInt8) {
        let record = destinations[index]
        return (record.address, record.length)
    }

    func isIPv4(_ index: PrefixIndex) -> Bool { destinations[index].isIPv4 }

    func find(_ prefix: IPPrefix) -> PrefixIndex? {
        switch prefix {
        case .v4(let prefix): find(prefix)
        case .v6(let prefix): find(prefix)
        }
    }

    /// Has fetched what ``find(_:)`` looks at first.
    func prepare(_ prefix: IPv4Prefix) {
        numbers.prepare(Self.hash(prefix.address.bits, prefix.length))
    }

    func find(_ prefix: IPv4Prefix) -> PrefixIndex? {
        numbers.find(Self.hash(prefix.address.bits, prefix.length)) { number in
            let record = destinations[number]
            return record.address == prefix.address.bits && record.length == prefix.length && record.isIPv4
        }
    }

    private func find(_ prefix: IPv6Prefix) -> PrefixIndex? {
        numbers.find(Self.hash(prefix.address.bits, prefix.length)) { number in
            let record = destinations[number]
            return record.length == prefix.length && !record.isIPv4
                && wideAddresses[record.address].bits == prefix.address.bits
        }
    }

    /// The numbers in a page, in order of their prefixes if they are all that there are, IPv4 first.
    ///
    /// Whoever walks through a table a page at a time so meets the prefixes of a small one in order.
    func numbers(inPage page: UInt32) -> ContiguousArray<PrefixIndex> {
        let first = page << PagedPool<Destination>.pageBits
        var result: ContiguousArray<PrefixIndex> = []
        result.reserveCapacity(Int(destinations.usedCount(ofPage: page)))
        for index in first..<first + destinations.usedCount(ofPage: page) where destinations[index].isLive {
            result.append(index)
        }
        if result.count == count { sort(&result) }
        return result
    }

    var pageCount: UInt32 { capacity >> PagedPool<Destination>.pageBits }

    /// All numbers in order of their prefixes, IPv4 first.
    func inOrder() -> ContiguousArray<PrefixIndex> {
        var result: ContiguousArray<PrefixIndex> = []
        result.reserveCapacity(count)
        for page in 0..<pageCount { result += numbers(inPage: page) }
        if pageCount > 1 { sort(&result) }
        return result
    }

    private func sort(_ indices: inout ContiguousArray<PrefixIndex>) {
        indices.sort { self[$0] < self[$1] }
    }

    /// The number of a prefix, given now if it has none.
    mutating func add(_ prefix: IPPrefix) -> PrefixIndex {
        if let index = find(prefix) { return index }
        let index: PrefixIndex
        let hash: UInt32
        switch prefix {
        case .v4(let prefix):
            hash = Self.hash(prefix.address.bits, prefix.length)
            index = destinations.insert(
                Destination(address: prefix.address.bits, length: prefix.length, isIPv4: true))
        case .v6(let prefix):
            hash = Self.hash(prefix.address.bits, prefix.length)
            let place = wideAddresses.insert(WideAddress(bits: prefix.address.bits))
            index = destinations.insert(Destination(address: place, length: prefix.length, isIPv4: false))
        }
        while !numbers.insertIfRoom(index, hash) {
            let (destinations, wideAddresses) = (destinations, wideAddresses)
            numbers.makeRoom(hash) { Self.hash(destinations[$0], wideAddresses) }
        }
        return index
    }

    private mutating func remove(_ index: PrefixIndex) {
        numbers.remove(index, Self.hash(destinations[index], wideAddresses))
        if !destinations[index].isIPv4 { wideAddresses.remove(destinations[index].address) }
        destinations[index].isLive = false
        destinations.remove(index)
    }

    private static func hash(_ record: Destination, _ wideAddresses: PagedPool<WideAddress>) -> UInt32 {
        record.isIPv4
            ? hash(record.address, record.length) : hash(wideAddresses[record.address].bits, record.length)
    }

    @inline(__always)
    private static func hash(_ address: UInt32, _ length: UInt8) -> UInt32 {
        UInt32(truncatingIfNeeded: HashIndex.mixed(UInt64(address) << 8 | UInt64(length)) >> 32)
    }

    private static func hash(_ address: UInt128, _ length: UInt8) -> UInt32 {
        let high = HashIndex.mixed(UInt64(truncatingIfNeeded: address >> 64))
        return UInt32(
            truncatingIfNeeded: HashIndex.mixed(UInt64(truncatingIfNeeded: address), high &+ UInt64(length)) >> 32)
    }
}

// MARK: Decisions

extension RoutingTable {
    func best(_ index: PrefixIndex) -> Best? {
        let record = destinations[index]
        return record.bestSource == .none ? nil : Best(source: record.bestSource, attributes: record.bestAttributes)
    }

    mutating func setBest(_ index: PrefixIndex, _ best: Best?) {
        var record = destinations[index]
        record.bestSource = best?.source ?? .none
        record.bestAttributes = best?.attributes ?? .none
        destinations[index] = record
    }

    var hasDirty: Bool { firstDirty < dirty.count }

    mutating func markDirty(_ index: PrefixIndex) {
        guard !destinations[index].isDirty else { return }
        destinations[index].isDirty = true
        dirty.append(index)
    }

    /// The next prefix to be decided, which counts as clean from now on.
    mutating func takeDirty() -> PrefixIndex? {
        guard firstDirty < dirty.count else { return nil }
        let index = dirty[firstDirty]
        firstDirty += 1
        if firstDirty == dirty.count {
            // A burst's list is given back, the list of every day is kept.
            dirty.removeAll(keepingCapacity: dirty.count <= 4096)
            firstDirty = 0
        }
        var record = destinations[index]
        record.isDirty = false
        if record.source == .none, !record.isLeaving {
            record.isLeaving = true
            leaving.append(index)
        }
        destinations[index] = record
        return index
    }

    /// Gives the numbers back of prefixes that nothing leads to, where the caller has no use for them either.
    mutating func release(limit: Int, where isUnused: (PrefixIndex) -> Bool) {
        guard !leaving.isEmpty else { return }
        var kept: ContiguousArray<PrefixIndex> = []
        for _ in 0..<min(limit, leaving.count) {
            prepareRelease(ahead: 8)
            guard let index = leaving.popLast() else { break }
            if destinations[index].source != .none || destinations[index].isDirty {
                destinations[index].isLeaving = false
            } else if isUnused(index) {
                remove(index)
            } else {
                kept.append(index)
            }
        }
        if leaving.isEmpty { leaving = [] }
        if !kept.isEmpty { leaving.insert(contentsOf: kept, at: 0) }
    }

    /// Has fetched what giving back the number takes that is to be given back so much later, in two steps.
    private func prepareRelease(ahead: Int) {
        guard leaving.count > 2 * ahead else { return }
        destinations.prepare(leaving[leaving.count - 2 * ahead])
        numbers.prepare(Self.hash(destinations[leaving[leaving.count - ahead]], wideAddresses))
    }

    var hasLeaving: Bool { !leaving.isEmpty }
}
