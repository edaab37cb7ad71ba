import Basics
import Wire

extension Session {
    /// Takes a message that arrived whole and well formed.
    mutating func receive(_ event: SessionEvent, at now: Instant, into outbox: inout SpeakerOutbox) {
        switch event {
        case .open(let message, let side):
            receive(message, side, at: now, into: &outbox)
        case .notification(let notification, let side):
            receive(notification, side, at: now, into: &outbox)
        case .keepalive(let side):
            receiveKeepalive(side, at: now, into: &outbox)
        case .update(let side):
            guard isEstablished(side, for: .update, at: now, into: &outbox) else { return }
            restartHoldTimer(side, at: now)
        case .routeRefresh(let message, let side):
            guard isEstablished(side, for: .routeRefresh, at: now, into: &outbox) else { return }
            receiveRefresh(message, at: now, into: &outbox)
        default:
            preconditionFailure("only messages come here")
        }
    }

    /// Whether the state expects a message of that type; if not, the connection is ended (RFC 6608 §3).
    private mutating func isEstablished(
        _ side: ConnectionSide, for type: MessageType, at now: Instant, into outbox: inout SpeakerOutbox
    ) -> Bool {
        guard let phase = self[side]?.phase else { return false }
        if case .established = phase { return true }
        fail(side, .error(.unexpectedMessage(type, in: state(of: phase))), at: now, into: &outbox)
        return false
    }

    private mutating func receive(
        _ message: OpenMessage, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let phase = self[side]?.phase else { return }
        switch phase {
        case .delayingOpen:
            // Event 20: the peer has spoken first, and there is nothing left to wait for.
            sendOpen(side, at: now, into: &outbox)
        case .openSent:
            break
        case .openConfirm, .established:
            let notification = Notification.unexpectedMessage(.open, in: state(of: phase))
            return fail(side, .error(notification), at: now, into: &outbox)
        }
        let negotiated: Negotiated
        do throws(Notification) {
            negotiated = try negotiate(with: message)
        } catch {
            return fail(side, .error(error), at: now, into: &outbox)
        }
        if self[side.other] != nil {
            let loser = survivor(against: message) == side ? side.other : side
            end(loser, because: .error(.cease(.connectionCollision)), at: now, into: &outbox)
            if loser == side { return }
        }
        self[side]?.phase = .openConfirm(negotiated)
        if posture == .connecting {
            // An own call that came through later would look to a peer that is up as if this end had restarted.
            outbox.append(.abandonConnect(peer: peer))
            posture = .active
        }
        restartHoldTimer(side, at: now)
        sendKeepalive(side, at: now, into: &outbox)
    }

    private func state(of phase: Connection.Phase) -> BGPSessionState {
        switch phase {
        case .delayingOpen: .connect
        case .openSent: .openSent
        case .openConfirm: .openConfirm
        case .established: .established
        }
    }

    /// The connection that outlives a collision: the one opened by the end with the higher identifier
    /// (RFC 4271 §6.8), or by the higher AS where the identifiers are the same (RFC 6286 §2.3).
    ///
    /// A connection still in OpenSent takes part, as the RFC allows: the first OPEN tells
    /// who the peer is on both. Left out, each end could come to keep another one.
    private func survivor(against message: OpenMessage) -> ConnectionSide {
        let own = (local.identifier, ownAutonomousSystem)
        return own > (message.identifier, message.autonomousSystem) ? .outgoing : .incoming
    }

    private mutating func receiveKeepalive(
        _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        switch self[side]?.phase {
        case .delayingOpen, .openSent:
            let notification = Notification.unexpectedMessage(.keepalive, in: .openSent)
            fail(side, .error(notification), at: now, into: &outbox)
        case .openConfirm(let negotiated):
            establish(side, negotiated, at: now, into: &outbox)
        case .established:
            restartHoldTimer(side, at: now)
        case nil:
            break
        }
    }

    private mutating func establish(
        _ side: ConnectionSide, _ negotiated: Negotiated, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        end(side.other, because: .error(.cease(.connectionCollision)), at: now, into: &outbox)
        if posture == .connecting { outbox.append(.abandonConnect(peer: peer)) }
        posture = .active
        timers.stop(.connectRetry)
        self[side]?.phase = .established(negotiated)
        establishedAt = now
        counters.establishments += 1
        lastIdentifier = negotiated.identifier
        receiveBack(negotiated, at: now)
        orders.append(.greet)
        restartHoldTimer(side, at: now)
    }

    private mutating func receive(
        _ notification: Notification, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        counters.lastNotificationReceived = notification
        fail(side, .told(notification), at: now, into: &outbox)
    }
}
