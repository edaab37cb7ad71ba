import Basics
import Wire

extension Session {
    /// Why a connection ends.
    enum Failure: Equatable {
        /// It is gone already.
        case closed
        /// The hold timer has expired (RFC 4271 §6.5).
        case silence
        /// The peer has taken nothing for too long (RFC 9687).
        case stalled
        /// The peer has erred, and is told so.
        case error(Notification)
        /// The peer has said that it ends; that is never answered (RFC 4271 §6.4).
        case told(Notification)
        /// BFD has found the way broken; whether it would have survived the peer's control plane (RFC 5882 §4.3).
        case unreachable(isIndependent: Bool)
        /// Somebody here wants it to begin anew.
        case reset(Notification)
        /// Somebody here wants it to end.
        case stopped(Notification)

        var answer: Notification? {
            switch self {
            case .closed, .told, .stalled: nil
            case .silence: .holdTimerExpired
            case .unreachable: .cease(.bfdDown)
            case .error(let notification), .reset(let notification), .stopped(let notification): notification
            }
        }

        /// Whether it makes the next wait longer; a Cease says what the peer wants, not that anybody erred.
        var isError: Bool {
            switch self {
            case .closed, .silence, .stalled, .unreachable, .reset, .stopped: false
            case .error: true
            case .told(let notification): notification.code != 6
            }
        }

        /// Whether the peer did not want this connection, which says nothing of its own calls (RFC 4486 §4).
        var isRejection: Bool {
            guard case .told(let notification) = self else { return false }
            return notification.code == 6 && notification.subcode == CeaseReason.connectionRejected.rawValue
        }

        /// Whether the peer's routes outlive the session, as it may come back (RFC 4724 §4.2, RFC 8538 §4).
        func isRestart(coversNotifications: Bool) -> Bool {
            switch self {
            case .closed: true
            case .silence, .stalled, .error, .reset: coversNotifications
            case .told(let notification): coversNotifications && !notification.isHardReset
            case .unreachable(let isIndependent): !isIndependent
            case .stopped: false
            }
        }
    }

    /// Ends one connection and decides how the session goes on.
    mutating func fail(
        _ side: ConnectionSide, _ failure: Failure, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let phase = self[side]?.phase else { return }
        end(side, because: failure, at: now, into: &outbox)
        guard outgoing == nil, incoming == nil, posture == .active else { return }
        if case .told(let notification) = failure { noteRefusal(notification) }
        // Nobody waits for one who was not expected, or its place would never be another's.
        guard !isDynamic else { return stop() }
        switch phase {
        case .delayingOpen where failure == .closed, .openSent where failure == .closed: waitForPeer(at: now)
        // Two ends that are both refused while idle, and are idle because they were, would never meet.
        case .delayingOpen where failure.isRejection, .openSent where failure.isRejection:
            waitForPeer(at: now, callingAfter: idleHold)
        default: hold(afterError: failure.isError, at: now)
        }
    }

    /// Ends one connection, where there is one, without a thought of what comes next.
    mutating func end(
        _ side: ConnectionSide, because failure: Failure, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let connection = self[side] else { return }
        if var notification = failure.answer, mayNotify(connection) {
            if case .stopped = failure, connection.phase.negotiated?.restart?.coversNotifications == true {
                notification = notification.asHardReset
            }
            counters.lastNotificationSent = notification
            send(.notification, on: connection.id, into: &outbox) { notification.append(to: &$0) }
        }
        if failure == .stalled {
            counters.stalls += 1
            outbox.append(.abort(connection.id))
        } else if failure != .closed {
            outbox.append(.close(connection.id))
        }
        self[side] = nil
        for timer in [side.holdTimer, side.keepaliveTimer, side.delayOpenTimer, side.sendHoldTimer] {
            timers.stop(timer)
        }
        if case .established(let negotiated) = connection.phase {
            forgive(at: now)
            establishedAt = nil
            releaseRoutes(negotiated, because: failure, at: now)
        }
    }

    /// Nothing is said before the own OPEN, unless that was asked for (RFC 4271 §8.1.1).
    private func mayNotify(_ connection: Connection) -> Bool {
        guard case .delayingOpen = connection.phase else { return true }
        return settings.notifiesWithoutOpen
    }

    /// What the peer does not understand is not said again (RFC 5492 §3, §5).
    private mutating func noteRefusal(_ notification: Notification) {
        guard notification.code == 2 else { return }
        if notification.subcode == 4 { refusedCapabilities = Array(0...UInt8.max) }
        guard notification.subcode == 7 else { return }
        var rest = notification.data[...]
        while rest.count >= 2, let code = rest.first {
            // The families are what the session is for.
            if code != 1, !refusedCapabilities.contains(code) { refusedCapabilities.append(code) }
            rest = rest.dropFirst(2 + Int(rest[rest.startIndex + 1]))
        }
    }

    mutating func endAll(_ failure: Failure, at now: Instant, into outbox: inout SpeakerOutbox) {
        if posture == .connecting { outbox.append(.abandonConnect(peer: peer)) }
        end(.outgoing, because: failure, at: now, into: &outbox)
        end(.incoming, because: failure, at: now, into: &outbox)
        if case .stopped = failure { forgetStale() }
        timers.stop(.connectRetry)
        timers.stop(.idleHold)
    }

    /// RFC 5882 §4.3: BFD's word is as good as a closed connection.
    mutating func forwardingChanges(
        isUp: Bool, isIndependent: Bool, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard isUp != isForwardingUp else { return }
        isForwardingUp = isUp
        guard settings.followsBFD || settings.awaitsBFD, posture != .stopped else { return }
        if isUp {
            guard posture == .holding, settings.awaitsBFD else { return }
            begin(at: now, into: &outbox)
        } else {
            endAll(.unreachable(isIndependent: isIndependent), at: now, into: &outbox)
            if isIndependent { forgetStale() }
            hold(afterError: false, at: now)
        }
    }

    /// The answer to more routes than are bearable (RFC 4486 §4).
    mutating func exceedPrefixLimit(at now: Instant, into outbox: inout SpeakerOutbox) {
        guard let limit = settings.prefixLimit, let negotiated = established?.negotiated else { return }
        counters.prefixLimitViolations += 1
        guard limit.response != .warn else { return }
        let families = negotiated.context.families.members
        let bound = UInt32(clamping: limit.maximum)
        let notification =
            families.count == 1
            ? Notification.maximumPrefixes(families[0], bound: bound) : .cease(.maximumPrefixes)
        endAll(.stopped(notification), at: now, into: &outbox)
        stop()
        isBarred = isDynamic
        guard case .restart(let time) = limit.response else { return }
        if !isDynamic { posture = .holding }
        timers.set(.idleHold, at: now + time)
    }

    /// Starts or stops the watch over a peer whose window stays closed (RFC 9687 §4.1).
    mutating func sendingBlocked(_ side: ConnectionSide, _ isBlocked: Bool, at now: Instant) {
        guard let negotiated = self[side]?.phase.negotiated, isBlocked else { return timers.stop(side.sendHoldTimer) }
        let time = settings.sendHoldTime ?? max(.seconds(480), negotiated.holdTime * 2)
        guard time > .zero, negotiated.holdTime > .zero, !timers.isRunning(side.sendHoldTimer) else { return }
        timers.set(side.sendHoldTimer, at: now + time)
    }
}
