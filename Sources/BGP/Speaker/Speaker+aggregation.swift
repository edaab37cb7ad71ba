import Wire

/// Routes that stand for others (RFC 4271 §9.2.2.2, RFC 4632 §5).
extension Speaker {
    /// Has aggregates come, go or change with the best route to one of their parts.
    ///
    /// Paths of parts are not carried over, not as sets either (RFC 9774): that numbers are missing is said by
    /// ATOMIC_AGGREGATE (RFC 4271 §5.1.6).
    mutating func aggregate(
        _ index: PrefixIndex, _ old: RoutingTable.Best?, _ new: RoutingTable.Best?
    ) {
        guard !aggregates.isEmpty else { return }
        let origins = (
            old.map { attributes.key($0.attributes).origin }, new.map { attributes.key($0.attributes).origin }
        )
        for change in aggregates.note(table[index], origins.0, origins.1) {
            guard let origin = change.origin else {
                if aggregates.isAnnounced(change.prefix) {
                    originate(change.prefix)
                } else {
                    removePath(change.prefix, PathID(.local))
                }
                continue
            }
            var made = PathAttributes(nextHop: change.prefix.isIPv4 ? .v4(.any) : .v6(.any))
            made.origin = origin
            made.isAtomicAggregate = true
            made.aggregator = Aggregator(
                autonomousSystem: configuration.autonomousSystem, identifier: configuration.routerID)
            originate(change.prefix, made)
        }
    }

    /// The next hop of a route that is chosen, unspecified where packets go nowhere; nil where the host has a route.
    ///
    /// Who tells an aggregate drops what is for a part without a route, or it would go round (RFC 4632 §5.1).
    func forwardingNextHop(_ best: RoutingTable.Best?, to index: PrefixIndex) -> IPAddress? {
        if !aggregates.isEmpty, let best, best.source == .local, aggregates.contains(table[index]),
            attributes[best.attributes].isAtomicAggregate
        {
            return table.isIPv4(index) ? .v4(.any) : .v6(.any)
        }
        return forwardingNextHop(best)
    }
}
