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

        let oldHop = forwardingNextHop(old)
        let newHop = forwardingNextHop(new)
        if new != old {
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
        candidates.removeAll(keepingCapacity: true)
        choices.removeAll(keepingCapacity: true)
        let isIPv4 = table.isIPv4(index)
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard takesPart(path, isIPv4: isIPv4) else { continue }
            candidates.append(candidate(path))
            choices.append(RoutingTable.Best(source: path.source, attributes: path.accepted))
        }
        return DecisionProcess.best(of: candidates).map { choices[$0.index] }
    }

    /// Whether the import policy has let a path in, its session stands for it, and its next hop can be reached.
    func takesPart(_ path: RoutingTable.Path, isIPv4: Bool) -> Bool {
        guard path.isUsable else { return false }
        guard path.source != .local else { return true }
        return epochs[Int(path.source)].counts(path, isIPv4: isIPv4) && cost(of: path) != nil
    }

    private func cost(of path: RoutingTable.Path) -> UInt32? {
        nextHops.isEmpty ? 0 : nextHops.cost(of: attributes.key(path.accepted).nextHop.withoutMapping)
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
        var found: [(candidate: RouteCandidate, path: RoutingTable.Path)] = []
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard path.source != .local, takesPart(path, isIPv4: prefix.isIPv4) else { continue }
            found.append((candidate(path), path))
        }
        let best = DecisionProcess.best(of: ContiguousArray(found.map(\.candidate)))
        return best.map { attributes.key(found[$0.index].path.accepted).nextHop.withoutMapping }
    }

    func forwardingNextHop(_ best: RoutingTable.Best?) -> IPAddress? {
        guard let best, best.source != .local else { return nil }
        return attributes.key(best.attributes).nextHop.withoutMapping
    }
}
