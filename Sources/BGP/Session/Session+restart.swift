import Basics
import Wire

// What outlives a session: the helper's side of graceful restart (RFC 4724 §4.2), with
// errors counted as restarts (RFC 8538) and long-lived stale routes (RFC 9494), and the
// marks of enhanced route refresh (RFC 7313), which need the same of the RIB.

extension Session {
    /// Decides what becomes of the routes of a session that is lost.
    mutating func releaseRoutes(_ negotiated: Negotiated, because failure: Failure, at now: Instant) {
        orders.append(.forgetTold)
        endsOwed = []
        refreshEndsOwed = []
        endsHeard = []
        refreshedFamilies = []
        timers.stop(.staleIPv4)
        timers.stop(.staleIPv6)
        let restart = negotiated.restart
        let isRestart = restart.map { failure.isRestart(coversNotifications: $0.coversNotifications) } ?? false
        let kept = isRestart ? restart?.families ?? [] : []
        for family in AddressFamily.allCases {
            guard kept.contains(family) else {
                orders.append(.forgetHeard(family))
                continue
            }
            orders.append(.markStale(family))
        }
        staleFamilies = kept
        longLivedFamilies = []
        lastRestart = restart
        guard !kept.isEmpty, let restart else { return }
        if restart.restartTime > .zero {
            timers.set(.restart, at: now + restart.restartTime)
        } else {
            outliveRestartTime(at: now)
        }
    }

    /// The peer is not back in time: its routes go, or are kept as the last choice (RFC 9494 §4.2).
    mutating func outliveRestartTime(at now: Instant) {
        for family in staleFamilies.members {
            let time = lastRestart?.longLivedTime(family) ?? .zero
            if time > .zero {
                longLivedFamilies.insert(AddressFamilies(family))
                orders.append(.demoteStale(family))
                timers.set(.stale(family), at: now + time)
            } else {
                dropStale(family)
            }
        }
    }

    /// The peer is back: what it did not keep is gone, the rest waits for its word (RFC 4724 §4.2).
    mutating func receiveBack(_ negotiated: Negotiated, at now: Instant) {
        timers.stop(.restart)
        endsHeard = []
        for family in staleFamilies.members {
            guard let restart = negotiated.restart, restart.keptFamilies.contains(family) else {
                dropStale(family)
                continue
            }
            timers.set(.stale(family), at: now + (settings.gracefulRestart?.stalePathTime ?? .zero))
        }
        if negotiated.restart != nil { endsOwed = negotiated.context.families }
    }

    mutating func receiveEndOfRIB(_ family: AddressFamily) {
        endsHeard.insert(AddressFamilies(family))
        if staleFamilies.contains(family) { dropStale(family) }
    }

    /// Neither the peer nor its word has come in time.
    mutating func stopWaiting(for family: AddressFamily) {
        if staleFamilies.contains(family) { dropStale(family) }
        endRefresh(of: family)
    }

    mutating func dropStale(_ family: AddressFamily) {
        timers.stop(.stale(family))
        staleFamilies.remove(AddressFamilies(family))
        longLivedFamilies.remove(AddressFamilies(family))
        orders.append(.sweepStale(family))
    }

    /// Nothing is kept any longer.
    mutating func forgetStale() {
        timers.stop(.restart)
        for family in staleFamilies.members { dropStale(family) }
    }
}

extension Session {
    /// How long a peer may take to say everything again (RFC 7313 §4 leaves it open).
    static let refreshTime = Interval.seconds(360)

    /// Takes a request, or a mark before or behind the answer to one's own (RFC 2918 §4, RFC 7313 §4).
    mutating func receiveRefresh(
        _ message: RouteRefreshMessage, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let (_, id, negotiated) = established, let family = message.family, let kind = message.kind,
            negotiated.context.families.contains(family)
        else { return }
        guard negotiated.hasEnhancedRefresh else {
            // RFC 2918 §3: the octet is reserved, and ignored.
            return orders.append(.repeatTold(family))
        }
        // RFC 7313 §4: while the peer says everything after a restart, its marks mean nothing.
        let isFirstRound = staleFamilies.contains(family)
        switch kind {
        case .request:
            guard !endsOwed.contains(family) else { return }
            send(.routeRefresh, on: id, into: &outbox) { RouteRefreshMessage(family, .beginning).append(to: &$0) }
            refreshEndsOwed.insert(AddressFamilies(family))
            orders.append(.repeatTold(family))
        case .beginning where !isFirstRound:
            refreshedFamilies.insert(AddressFamilies(family))
            orders.append(.markStale(family))
            timers.set(.stale(family), at: now + Self.refreshTime)
        case .end where !isFirstRound:
            endRefresh(of: family)
        default:
            break
        }
    }

    mutating func endRefresh(of family: AddressFamily) {
        guard refreshedFamilies.contains(family) else { return }
        refreshedFamilies.remove(AddressFamilies(family))
        timers.stop(.stale(family))
        orders.append(.sweepStale(family))
    }

    /// Whether the peer has yet to be told that it has been told everything.
    var owesMarks: Bool { !endsOwed.isEmpty || !refreshEndsOwed.isEmpty }

    /// Says that a peer has been told everything, where that is owed (RFC 4724 §2, RFC 7313 §4).
    mutating func finishTelling(at now: Instant, into outbox: inout SpeakerOutbox) {
        guard owesMarks, let (side, id, negotiated) = established else { return }
        for family in endsOwed.members {
            let encoder = UpdateEncoder(negotiated.format)
            send(.update, on: id, into: &outbox) { encoder.endOfRIB(family, to: &$0) }
        }
        for family in refreshEndsOwed.members {
            send(.routeRefresh, on: id, into: &outbox) { RouteRefreshMessage(family, .end).append(to: &$0) }
        }
        if !endsOwed.isEmpty { isRestarting = false }
        endsOwed = []
        refreshEndsOwed = []
        restartKeepaliveTimer(side, at: now)
    }

    /// Whether a speaker that has restarted still has to hear from this peer before it decides (RFC 4724 §4.1).
    var isAwaitedAfterRestart: Bool {
        guard settings.gracefulRestart != nil, posture != .stopped else { return false }
        guard let (_, _, negotiated) = established else { return true }
        guard let restart = negotiated.restart, !restart.isRestarting else { return false }
        return !endsHeard.isSuperset(of: negotiated.context.families)
    }
}
