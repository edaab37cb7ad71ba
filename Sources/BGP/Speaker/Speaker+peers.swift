public import Basics
public import Wire

/// What concerns one peer: that it calls, what the operator wants of it, and what others find out about it.
extension Speaker {
    /// The number of the peer that calls from an address, given now if it comes from a range of dynamic peers.
    ///
    /// Nil is for the caller to refuse; a number is for ``connected(peer:connection:isIncoming:at:into:)``.
    public mutating func peer(
        callingFrom address: IPAddress, to localAddress: IPAddress, at now: Instant, into outbox: inout SpeakerOutbox
    ) -> Int? {
        let address = address.withoutMapping
        if let known = sessions.firstIndex(where: { $0.configuration.address == address && !$0.isGone }) {
            // Its routes are kept over a restart, and it is back.
            if sessions[known].isDynamic, sessions[known].posture == .stopped, !sessions[known].isBarred {
                step(.start(isRestarting: false), known, at: now, into: &outbox)
            }
            return known
        }
        guard let peers = configuration.dynamicPeers.first(where: { $0.range.contains(address) }) else { return nil }
        let current = sessions.count { session in
            session.isDynamic && !session.isGone && peers.range.contains(session.configuration.address)
        }
        guard current < peers.maximumCount else { return nil }
        var peer = peers.group.member(address)
        peer.localAddress = localAddress.withoutMapping
        peer.isPassive = true
        let number = addDynamicPeer(peer)
        step(.start(isRestarting: false), number, at: now, into: &outbox)
        return number
    }

    /// What the speaker knows of a peer, dynamic ones included.
    public func configuration(of peer: Int) -> PeerConfiguration { sessions[peer].configuration }

    /// How many peers there are, dynamic ones included.
    public var peerCount: Int { sessions.count }

    /// Starts the session with one peer that was stopped.
    public mutating func start(peer: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard sessions.indices.contains(peer) else { return }
        // Who was not named is not called either, and may call again from now on.
        guard !sessions[peer].isDynamic else {
            sessions[peer].isBarred = false
            return
        }
        step(.start(isRestarting: false), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Ends the session with one peer until it is started again; the text is for the peer's operator (RFC 9003).
    public mutating func shutDown(peer: Int, text: String = "", at now: Instant, into outbox: inout SpeakerOutbox) {
        guard sessions.indices.contains(peer) else { return }
        step(.stop(.cease(.administrativeShutdown, text: text)), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Makes everything that a peer is told the last choice, ahead of a shutdown; or takes that back (RFC 8326 §4).
    public mutating func drain(
        peer: Int, _ isDraining: Bool = true, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard sessions.indices.contains(peer), sessions[peer].isDraining != isDraining else { return }
        finishGroup(of: peer, at: now, into: &outbox)
        sessions[peer].isDraining = isDraining
        regroup(peer)
        for family in AddressFamily.allCases { repeatRoutes(of: family, to: peer) }
        settle(at: now, into: &outbox)
    }

    /// Takes BFD's word on the way to a peer (RFC 5882 §4.3).
    ///
    /// BFD is independent where it would go on if the peer's control plane did not: its
    /// "down" then means that packets are lost, and no route outlives it.
    public mutating func forwardingChanged(
        peer: Int, isUp: Bool, isIndependent: Bool = false, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard sessions.indices.contains(peer) else { return }
        step(.forwardingChanges(isUp: isUp, isIndependent: isIndependent), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Takes word that octets wait and the peer's window is closed, or that some have gone since (RFC 9687 §4).
    ///
    /// Where some octets have gone and others still wait, both is said, in this order.
    public mutating func sendingBlocked(
        _ connection: ConnectionID, _ isBlocked: Bool, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let (peer, side) = locate(connection) else { return }
        step(.sendingBlocked(side, isBlocked), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Compares what a peer has told with what is bearable (RFC 4486 §4).
    mutating func checkPrefixLimit(
        of peer: Int, before: Int, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let limit = sessions[peer].settings.prefixLimit, sessions[peer].established != nil else { return }
        let count = receivedCount(of: peer)
        if limit.isNear(count), !limit.isNear(before) { sessions[peer].counters.prefixLimitWarnings += 1 }
        guard count > limit.maximum, before <= limit.maximum || limit.response != .warn else { return }
        step(.prefixLimitExceeded, peer, at: now, into: &outbox)
    }

    /// Carries out what a session wants done with its routes.
    mutating func carryOutOrders(_ peer: Int) {
        var orders: ContiguousArray<RouteOrder> = []
        swap(&orders, &sessions[peer].orders)
        for order in orders {
            switch order {
            case .forgetTold: forgetTold(peer)
            case .forgetHeard(let family): forgetHeard(peer, family)
            case .markStale(let family): markStale(peer, family)
            case .sweepStale(let family): sweepStale(peer, family)
            case .demoteStale(let family): demoteStale(peer, family)
            case .greet: greetPeer(peer)
            case .repeatTold(let family): repeatRoutes(of: family, to: peer)
            }
        }
    }

    /// Whether routes are not decided yet, as peers have not said everything since the restart (RFC 4724 §4.1).
    mutating func isDeferring(at now: Instant) -> Bool {
        guard let end = selectionDeferredUntil else { return false }
        if now < end, sessions.contains(where: \.isAwaitedAfterRestart) { return true }
        selectionDeferredUntil = nil
        return false
    }
}

extension Session {
    /// Whether its place may be another's.
    var isGone: Bool { isDynamic && posture == .stopped && staleFamilies.isEmpty && !isBarred }
}
