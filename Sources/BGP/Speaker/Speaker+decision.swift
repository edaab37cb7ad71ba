public import Wire

/// The choice among the paths to one prefix (RFC 4271 §9.1.2).
extension Speaker {
    /// Runs the decision process for one prefix and says what changed.
    mutating func decide(_ index: PrefixIndex, into outbox: inout SpeakerOutbox) {
        // Whoever is told several paths may be told of one that is not the best.
        for peer in numberedPeers { outs[peer].enqueue(index) }
        let old = table.best(index)
        let new = choose(index)
        let isSpreadAnew = configuration.maximumPaths > 1 && spread(index)
        guard new != old || isSpreadAnew else { return }

        let oldHop = forwardingNextHop(old, to: index)
        let newHop = forwardingNextHop(new, to: index)
        if new != old {
            aggregate(index, old, new)
            if let new { attributes.retain(new.attributes) }
            if let old { attributes.release(old.attributes) }
            table.setBest(index, new)
            if reportsBestRoutes { outbox.bestRouteChanged(to: table[index]) }
            for peer in privatePeers { outs[peer].enqueue(index) }
            for group in groups.indices { groups[group].out.enqueue(index) }
        }
        guard newHop != oldHop || isSpreadAnew else { return }
        if let newHop {
            outbox.append(.install(table[index], nextHop: newHop))
        } else {
            outbox.append(.withdraw(table[index]))
        }
    }

    /// The best path to a prefix; one or two, as there mostly are, are compared without more ado.
    private mutating func choose(_ index: PrefixIndex) -> RoutingTable.Best? {
        let isIPv4 = table.isIPv4(index)
        var first: RoutingTable.Path?
        var second: RoutingTable.Path?
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard takesPart(path, isIPv4: isIPv4) else { continue }
            if first == nil {
                first = path
            } else if second == nil {
                second = path
            } else {
                return chooseAmongMany(index)
            }
        }
        guard let first else { return nil }
        guard let second else { return RoutingTable.Best(source: first.source, attributes: first.accepted) }
        let isFirst = DecisionProcess.compare(candidate(first), candidate(second)).isFirst
        let best = isFirst ? first : second
        return RoutingTable.Best(source: best.source, attributes: best.accepted)
    }

    private mutating func chooseAmongMany(_ index: PrefixIndex) -> RoutingTable.Best? {
        let paths = participants(index)
        return DecisionProcess.best(of: candidates(paths)).map {
            RoutingTable.Best(source: paths[$0.index].source, attributes: paths[$0.index].accepted)
        }
    }

    /// All paths to a prefix that take part, in order of their peers and numbers.
    func participants(_ index: PrefixIndex) -> ContiguousArray<RoutingTable.Path> {
        let isIPv4 = table.isIPv4(index)
        var paths: ContiguousArray<RoutingTable.Path> = []
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            if takesPart(path, isIPv4: isIPv4) { paths.append(path) }
        }
        return paths
    }

    /// What the decision needs to know of each path.
    func candidates(_ paths: ContiguousArray<RoutingTable.Path>) -> ContiguousArray<RouteCandidate> {
        ContiguousArray(paths.lazy.map { candidate($0) })
    }

    /// Whether the import policy has let a path in, its session stands for it, and its next hop can be reached.
    func takesPart(_ path: RoutingTable.Path, isIPv4: Bool) -> Bool {
        guard path.isUsable else { return false }
        guard path.source != .local else { return true }
        return epochs[Int(path.source)].counts(path, isIPv4: isIPv4) && cost(of: path) != nil
    }

    private func cost(of path: RoutingTable.Path) -> UInt32? {
        nextHops.isEverythingNear ? 0 : nextHops.cost(of: attributes.key(path.accepted).nextHop.withoutMapping)
    }

    func candidate(_ path: RoutingTable.Path) -> RouteCandidate {
        let key = attributes.key(path.accepted)
        guard path.source != .local else {
            return RouteCandidate(
                key, origin: .local, peerIdentifier: configuration.routerID, peerAddress: .v4(.any))
        }
        let peer = Int(path.source)
        return RouteCandidate(
            key, origin: sessions[peer].kind == .external ? .external : .internal,
            interiorCost: cost(of: path) ?? .max, peerIdentifier: sessions[peer].lastIdentifier ?? .any,
            peerAddress: sessions[peer].configuration.address,
            accumulatedMetric: attributes.accumulatedMetric(path.accepted))
    }

    /// Where the best path that peers have told leads, whether or not the prefix is originated here as well.
    public func learnedNextHop(to prefix: IPPrefix) -> IPAddress? {
        guard let index = table.find(prefix) else { return nil }
        var paths = participants(index)
        paths.removeAll { $0.source == .local }
        let best = DecisionProcess.best(of: candidates(paths))
        return best.map { attributes.key(paths[$0.index].accepted).nextHop.withoutMapping }
    }

    func forwardingNextHop(_ best: RoutingTable.Best?) -> IPAddress? {
        guard let best, best.source != .local else { return nil }
        return attributes.key(best.attributes).nextHop.withoutMapping
    }
}
