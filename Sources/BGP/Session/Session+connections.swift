import Basics
import Wire

extension Session {
    /// Takes a connection that has come to stand, whichever end opened it (RFC 4271 §8.2.2, events 16 and 17).
    mutating func confirm(
        _ id: ConnectionID, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        if let established {
            // RFC 4724 §5: a peer that may restart calls again because it has.
            guard side == .incoming, let restart = established.negotiated.restart, !restart.families.isEmpty else {
                return refuse(id, .connectionCollision, into: &outbox)
            }
            end(established.side, because: .closed, at: now, into: &outbox)
            outbox.append(.abort(established.id))
        }
        guard posture == .connecting || (posture == .active && side == .incoming) else {
            return refuse(id, .connectionRejected, into: &outbox)
        }
        // A peer that calls a second time has given its first call up.
        end(side, because: .error(.cease(.connectionCollision)), at: now, into: &outbox)
        if side == .outgoing { posture = .active }
        if posture == .active { timers.stop(.connectRetry) }
        let delay = settings.delayOpen ?? .zero
        self[side] = Connection(id, side, isDelayed: delay > .zero)
        if delay > .zero {
            timers.set(side.delayOpenTimer, at: now + jittered(delay))
        } else {
            sendOpen(side, at: now, into: &outbox)
        }
    }

    private mutating func refuse(_ id: ConnectionID, _ reason: CeaseReason, into outbox: inout SpeakerOutbox) {
        send(.notification, on: id, into: &outbox) { Notification.cease(reason).append(to: &$0) }
        outbox.append(.close(id))
    }

    /// Sends the own OPEN and waits for the peer's.
    mutating func sendOpen(_ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard let id = self[side]?.id else { return }
        self[side]?.phase = .openSent
        timers.stop(side.delayOpenTimer)
        timers.set(side.holdTimer, at: now + Self.openHoldTime)
        let message = openMessage
        send(.open, on: id, into: &outbox) { message.append(to: &$0) }
    }

    mutating func send(
        _ type: MessageType, on id: ConnectionID, into outbox: inout SpeakerOutbox, message: (inout ByteArena) -> Void
    ) {
        counters.sent.count(type)
        let start = outbox.arena.count
        message(&outbox.arena)
        outbox.write(id, from: start)
    }

    /// Sends a KEEPALIVE and sets the timer for the next.
    mutating func sendKeepalive(_ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard let connection = self[side] else { return }
        send(.keepalive, on: connection.id, into: &outbox) { $0.appendKeepalive() }
        restartKeepaliveTimer(side, at: now)
    }

    /// RFC 4271 §8.2.2: what is sent as KEEPALIVE or UPDATE puts the next KEEPALIVE off.
    mutating func restartKeepaliveTimer(_ side: ConnectionSide, at now: Instant) {
        guard let negotiated = self[side]?.phase.negotiated, negotiated.holdTime > .zero else { return }
        timers.set(side.keepaliveTimer, at: now + jittered(negotiated.keepaliveInterval))
    }

    mutating func restartHoldTimer(_ side: ConnectionSide, at now: Instant) {
        guard let negotiated = self[side]?.phase.negotiated, negotiated.holdTime > .zero else {
            return timers.stop(side.holdTimer)
        }
        timers.set(side.holdTimer, at: now + negotiated.holdTime)
    }
}
