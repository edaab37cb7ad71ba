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
        case .routeRefresh(let side):
            _ = isEstablished(side, for: .routeRefresh, at: now, into: &outbox)
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
        fail(side, .error(.unexpectedMessage(type, in: phase.state)), at: now, into: &outbox)
        return false
    }

    private mutating func receive(
        _ message: OpenMessage, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let phase = self[side]?.phase else { return }
        guard case .openSent = phase else {
            let notification = Notification.unexpectedMessage(.open, in: phase.state)
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
            end(loser, telling: .cease(.connectionCollision), into: &outbox)
            if loser == side { return }
        }
        self[side]?.phase = .openConfirm(negotiated)
        restartHoldTimer(side, at: now)
        sendKeepalive(side, at: now, into: &outbox)
    }

    /// What the two OPENs come to; an error is the answer to the peer (RFC 4271 §6.2).
    private func negotiate(with message: OpenMessage) throws(Notification) -> Negotiated {
        guard message.autonomousSystem == configuration.autonomousSystem else { throw .badPeerAS }
        // RFC 6286 §2.2: only inside an AS must identifiers differ.
        guard !isInternal || message.identifier != local.identifier else { throw .badIdentifier }
        let families = configuration.families.intersection(message.families)
        guard !families.isEmpty else {
            let wanted = AddressFamily.allCases.filter { configuration.families.contains($0) }
            throw .unsupportedCapability(wanted.flatMap { Capability.multiprotocol($0).octets })
        }
        let firstAS = isInternal || !configuration.requiresFirstAS ? nil : configuration.autonomousSystem
        return Negotiated(
            holdTime: min(.seconds(local.holdTime.nanoseconds / 1_000_000_000), .seconds(Int64(message.holdTime))),
            identifier: message.identifier,
            context: UpdateContext(
                isInternal: isInternal, isFourOctet: message.fourOctetAS != nil, families: families,
                requiredFirstAS: firstAS),
            hasRouteRefresh: message.capabilities.contains(.routeRefresh))
    }

    /// The connection that outlives a collision: the one opened by the end with the higher identifier
    /// (RFC 4271 §6.8), or by the higher AS where the identifiers are the same (RFC 6286 §2.3).
    ///
    /// A connection still in OpenSent takes part, as the RFC allows: the first OPEN tells
    /// who the peer is on both. Left out, each end could come to keep another one.
    private func survivor(against message: OpenMessage) -> ConnectionSide {
        let own = (local.identifier, local.autonomousSystem)
        return own > (message.identifier, message.autonomousSystem) ? .outgoing : .incoming
    }

    private mutating func receiveKeepalive(
        _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        switch self[side]?.phase {
        case .openSent:
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
        end(side.other, telling: .cease(.connectionCollision), into: &outbox)
        if posture == .connecting { outbox.append(.abandonConnect(peer: peer)) }
        posture = .active
        timers.stop(.connectRetry)
        self[side]?.phase = .established(negotiated)
        establishedAt = now
        counters.establishments += 1
        restartHoldTimer(side, at: now)
    }

    private mutating func receive(
        _ notification: Notification, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        counters.lastNotificationReceived = notification
        fail(side, .told(notification), at: now, into: &outbox)
    }
}
