import Wire

/// The way of a route from a peer into the Loc-RIB (RFC 4271 §9.1).
extension Speaker {
    mutating func originate(_ prefix: IPPrefix) {
        let nextHop: IPAddress = prefix.isIPv4 ? .v4(.any) : .v6(.any)
        let index = attributes.intern(PathAttributes(nextHop: nextHop))
        attributes.retain(index)
        setPath(prefix, source: .local, received: index, accepted: index)
    }

    /// Takes an UPDATE's routes into the peer's Adj-RIB-In.
    mutating func apply(_ message: UpdateMessage, from peer: Int) {
        for fault in message.faults {
            switch fault {
            case .treatAsWithdraw: sessions[peer].counters.treatedAsWithdraw += 1
            case .attributeDiscard: sessions[peer].counters.discardedAttributes += 1
            case .sessionReset: break
            }
        }
        for prefix in message.withdrawn { removePath(prefix, source: PathSource(peer)) }
        for announcement in message.announcements {
            var kept = announcement.attributes
            let isUsable = sessions[peer].admit(&kept) && !isLooping(kept, from: peer)
            let received = attributes.intern(kept)
            for prefix in announcement.prefixes where prefix.isRoutable {
                let accepted = isUsable ? accept(received, of: prefix, from: peer) : .none
                attributes.retain(received)
                setPath(prefix, source: PathSource(peer), received: received, accepted: accepted)
            }
            attributes.release(received)
        }
    }

    mutating func removePath(_ prefix: IPPrefix, source: PathSource) {
        drop(table.remove(prefix, source: source), of: source)
    }

    /// Sets a path and takes over the caller's hold on both sets of attributes.
    private mutating func setPath(
        _ prefix: IPPrefix, source: PathSource, received: AttributeIndex, accepted: AttributeIndex
    ) {
        drop(table.set(prefix, source: source, received: received, accepted: accepted), of: source)
        guard source != .local else { return }
        routeCounts[Int(source)].received += 1
        if accepted != .none { routeCounts[Int(source)].accepted += 1 }
    }

    private mutating func drop(_ path: RoutingTable.Path?, of source: PathSource) {
        guard let path else { return }
        attributes.release(path.received)
        attributes.release(path.accepted)
        guard source != .local else { return }
        routeCounts[Int(source)].received -= 1
        if path.accepted != .none { routeCounts[Int(source)].accepted -= 1 }
    }

    /// The attributes with which a route takes part in the decision, held for the caller; none if it does not.
    private mutating func accept(
        _ received: AttributeIndex, of prefix: IPPrefix, from peer: Int
    ) -> AttributeIndex {
        guard let policy = sessions[peer].configuration.importPolicy else {
            guard sessions[peer].kind != .external || !configuration.requiresExternalPolicy else { return .none }
            attributes.retain(received)
            return received
        }
        guard let changed = policy.apply(to: attributes[received], of: prefix) else { return .none }
        return attributes.intern(changed)
    }

    /// Whether a route has been here before (RFC 4271 §9.1.2, RFC 4456 §8) or leads here (RFC 4271 §6.3).
    private func isLooping(_ attributes: PathAttributes, from peer: Int) -> Bool {
        sessions[peer].isLooping(attributes.path)
            || attributes.originatorID == configuration.routerID
            || attributes.nextHop.withoutMapping == sessions[peer].configuration.localAddress
            || attributes.nextHop == sessions[peer].configuration.otherFamilyNextHop
    }

    /// Runs the decision process for one prefix (RFC 4271 §9.1.2) and says what changed.
    mutating func decide(_ index: PrefixIndex, into outbox: inout SpeakerOutbox) {
        collectCandidates(index)
        let old = table.best(index)
        let new = DecisionProcess.best(of: candidates).map { choices[$0.index] }
        guard new != old else { return }

        let oldHop = forwardingNextHop(old)
        let newHop = forwardingNextHop(new)
        if let new { attributes.retain(new.attributes) }
        if let old { attributes.release(old.attributes) }
        table.setBest(index, new)
        for peer in sessions.indices where sessions[peer].established != nil {
            outs[peer].enqueue(index)
        }
        guard newHop != oldHop else { return }
        if let newHop {
            outbox.append(.install(table.prefixes[index], nextHop: newHop))
        } else {
            outbox.append(.withdraw(table.prefixes[index]))
        }
    }

    private mutating func collectCandidates(_ index: PrefixIndex) {
        var candidates: ContiguousArray<RouteCandidate> = []
        var choices: ContiguousArray<RoutingTable.Best> = []
        swap(&candidates, &self.candidates)
        swap(&choices, &self.choices)
        candidates.removeAll(keepingCapacity: true)
        choices.removeAll(keepingCapacity: true)
        table.forEachPath(index) { path in
            guard path.accepted != .none, let candidate = candidate(path) else { return }
            candidates.append(candidate)
            choices.append(RoutingTable.Best(source: path.source, attributes: path.accepted))
        }
        swap(&candidates, &self.candidates)
        swap(&choices, &self.choices)
    }

    private func candidate(_ path: RoutingTable.Path) -> RouteCandidate? {
        let key = attributes.key(path.accepted)
        guard path.source != .local else {
            return RouteCandidate(
                key, origin: .local, peerIdentifier: configuration.routerID, peerAddress: .v4(.any))
        }
        let peer = Int(path.source)
        guard let cost = nextHops.cost(of: key.nextHop.withoutMapping) else { return nil }
        return RouteCandidate(
            key, origin: sessions[peer].kind == .external ? .external : .internal, interiorCost: cost,
            peerIdentifier: sessions[peer].lastIdentifier ?? .any,
            peerAddress: sessions[peer].configuration.address)
    }

    private func forwardingNextHop(_ best: RoutingTable.Best?) -> IPAddress? {
        guard let best, best.source != .local else { return nil }
        return attributes.key(best.attributes).nextHop.withoutMapping
    }
}

extension IPPrefix {
    /// Whether packets for the prefix may be routed at all (RFC 4271 §6.3, on semantic errors).
    fileprivate var isRoutable: Bool {
        switch self {
        case .v4(let prefix):
            prefix.length == 0 || (prefix.address.bits >> 24 != 127 && prefix.address.bits >> 28 < 14)
        case .v6(let prefix):
            !prefix.address.isMulticast && !prefix.address.isLinkLocal
                && !(prefix.length == 128 && prefix.address.bits <= 1)
        }
    }
}
