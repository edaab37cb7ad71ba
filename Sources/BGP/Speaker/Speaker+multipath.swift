public import Wire

/// Several next hops to a prefix, where more than one path is as good as the best (RFC 7938 §6, RFC 2991).
extension Speaker {
    /// The next hops over which packets to a prefix may be spread, in order of address, at most `maximumPaths`.
    ///
    /// They change with each `install` of the prefix, which is given again when they do
    /// although the best route's own next hop has stayed. Their order does not depend on
    /// which of them is the best one's, so that flows stay where they are when that
    /// changes (RFC 2991 §5).
    public func nextHops(to prefix: IPPrefix) -> [IPAddress] {
        guard let index = table.find(prefix) else { return [] }
        if let hops = nextHopSets.hops(index) { return Array(hops) }
        return forwardingNextHop(table.best(index)).map { [$0] } ?? []
    }

    /// The routes over which packets to a prefix may be spread, the best one first, at most `maximumPaths`.
    public func multipathRoutes(to prefix: IPPrefix) -> [Route] {
        guard let explanation = explain(prefix) else { return [] }
        return explanation.paths.filter { $0.verdict == .best }.map(\.route)
            + explanation.paths.filter { $0.isMultipath && $0.verdict != .best }.map(\.route)
    }

    /// Works out the next hops to a prefix anew; returns whether they are others than before.
    mutating func spread(_ index: PrefixIndex) -> Bool {
        let candidates = candidates(participants(index))
        guard candidates.count > 1 else { return nextHopSets.set(index, nil) }
        let equals = DecisionProcess.multipath(of: candidates, relaxed: configuration.spreadsOverNeighbors)
        guard equals.count > 1 else { return nextHopSets.set(index, nil) }
        let hops = equals.prefix(configuration.maximumPaths).map { candidates[$0].key.nextHop.withoutMapping }
        return nextHopSets.set(index, ContiguousArray(hops.sorted()))
    }
}
