import Wire

/// The peer that a path was heard from.
typealias PathSource = UInt32

extension PathSource {
    /// This speaker itself.
    static let local = PathSource.max
}

/// The Adj-RIBs-In of all peers and the Loc-RIB (RFC 4271 §3.2).
///
/// Paths to the same prefix hang together in a chain, in order of their peers: that is
/// how the decision process reads them, and a peer's Adj-RIB-In is the paths that carry
/// its number. Every index of attributes kept here is held in the ``AttributeTable`` by
/// the caller.
struct RoutingTable: Sendable {
    struct Path: Sendable, BitwiseCopyable {
        var source: PathSource
        /// As the peer sent them.
        var received: AttributeIndex
        /// As the import policy left them; none for a route that may not be used.
        var accepted: AttributeIndex
        fileprivate var next: UInt32
        /// Kept although its session has ended, or about to be told again.
        fileprivate(set) var isStale = false
    }

    /// The route of the Loc-RIB.
    struct Best: Equatable, Sendable, BitwiseCopyable {
        var source: PathSource
        var attributes: AttributeIndex
    }

    private struct Destination: Sendable, BitwiseCopyable {
        var firstPath = endOfChain
        var best: Best?
        var isDirty = false
    }

    private static let endOfChain = UInt32.max

    private(set) var prefixes = PrefixTable()
    private var destinations: ContiguousArray<Destination> = []
    private var paths: ContiguousArray<Path> = []
    private var freePaths: ContiguousArray<UInt32> = []
    /// Prefixes whose paths have changed since the last decision, in the order of the changes.
    private(set) var dirty: ContiguousArray<PrefixIndex> = []

    /// Sets the path of one source and returns the one that it replaces.
    mutating func set(
        _ prefix: IPPrefix, source: PathSource, received: AttributeIndex, accepted: AttributeIndex
    ) -> Path? {
        let index = prefixes.add(prefix)
        while destinations.count < prefixes.capacity { destinations.append(Destination()) }
        markDirty(index)
        let (previous, found) = locate(source, of: index)
        if let found {
            let old = paths[Int(found)]
            paths[Int(found)].received = received
            paths[Int(found)].accepted = accepted
            paths[Int(found)].isStale = false
            return old
        }
        let next = previous.map { paths[Int($0)].next } ?? destinations[Int(index)].firstPath
        let path = makePath(Path(source: source, received: received, accepted: accepted, next: next))
        link(path, after: previous, of: index)
        return nil
    }

    /// Removes the path of one source and returns it.
    mutating func remove(_ prefix: IPPrefix, source: PathSource) -> Path? {
        guard let index = prefixes.find(prefix) else { return nil }
        return remove(index, source: source)
    }

    mutating func remove(_ index: PrefixIndex, source: PathSource) -> Path? {
        let (previous, found) = locate(source, of: index)
        guard let found else { return nil }
        let path = paths[Int(found)]
        link(path.next, after: previous, of: index)
        freePaths.append(found)
        markDirty(index)
        return path
    }

    mutating func markDirty(_ index: PrefixIndex) {
        guard !destinations[Int(index)].isDirty else { return }
        destinations[Int(index)].isDirty = true
        dirty.append(index)
    }

    /// Forgets which prefixes are dirty, and those that nothing leads to any more.
    mutating func clean() {
        for index in dirty {
            destinations[Int(index)].isDirty = false
            if destinations[Int(index)].firstPath == Self.endOfChain { prefixes.remove(index) }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    mutating func markStale(_ index: PrefixIndex, source: PathSource) {
        guard let found = locate(source, of: index).found else { return }
        paths[Int(found)].isStale = true
    }

    mutating func setAccepted(_ index: PrefixIndex, source: PathSource, _ accepted: AttributeIndex) {
        guard let found = locate(source, of: index).found else { return }
        paths[Int(found)].accepted = accepted
        markDirty(index)
    }

    func best(_ index: PrefixIndex) -> Best? { destinations[Int(index)].best }

    mutating func setBest(_ index: PrefixIndex, _ best: Best?) {
        destinations[Int(index)].best = best
    }

    func path(of source: PathSource, _ index: PrefixIndex) -> Path? {
        locate(source, of: index).found.map { paths[Int($0)] }
    }

    /// Hands over every path to a prefix, in order of the peers.
    func forEachPath(_ index: PrefixIndex, _ body: (Path) -> Void) {
        var next = destinations[Int(index)].firstPath
        while next != Self.endOfChain {
            body(paths[Int(next)])
            next = paths[Int(next)].next
        }
    }

    /// The path of a source, and the last one in front of its place.
    private func locate(_ source: PathSource, of index: PrefixIndex) -> (previous: UInt32?, found: UInt32?) {
        var previous: UInt32?
        var next = destinations[Int(index)].firstPath
        while next != Self.endOfChain, paths[Int(next)].source < source {
            previous = next
            next = paths[Int(next)].next
        }
        let isFound = next != Self.endOfChain && paths[Int(next)].source == source
        return (previous, isFound ? next : nil)
    }

    private mutating func link(_ path: UInt32, after previous: UInt32?, of index: PrefixIndex) {
        if let previous {
            paths[Int(previous)].next = path
        } else {
            destinations[Int(index)].firstPath = path
        }
    }

    private mutating func makePath(_ path: Path) -> UInt32 {
        if let reused = freePaths.popLast() {
            paths[Int(reused)] = path
            return reused
        }
        paths.append(path)
        return UInt32(paths.count - 1)
    }
}
