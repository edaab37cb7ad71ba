import Basics
import Wire

extension Session {
    /// Takes a connection that has come to stand, whichever end opened it (RFC 4271 §8.2.2, events 16 and 17).
    mutating func confirm(
        _ id: ConnectionID, _ side: ConnectionSide, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard established == nil else { return refuse(id, .connectionCollision, into: &outbox) }
        guard posture == .connecting || (posture == .active && side == .incoming) else {
            return refuse(id, .connectionRejected, into: &outbox)
        }
        // A peer that calls a second time has given its first call up.
        end(side, telling: .cease(.connectionCollision), into: &outbox)
        if side == .outgoing { posture = .active }
        if posture == .active { timers.stop(.connectRetry) }
        self[side] = Connection(id)
        timers.set(side.holdTimer, at: now + Self.openHoldTime)
        let message = openMessage
        send(.open, on: id, into: &outbox) { message.append(to: &$0) }
    }

    private mutating func refuse(_ id: ConnectionID, _ reason: CeaseReason, into outbox: inout SpeakerOutbox) {
        send(.notification, on: id, into: &outbox) { Notification.cease(reason).append(to: &$0) }
        outbox.append(.close(id))
    }

    private var openMessage: OpenMessage {
        var capabilities = AddressFamily.allCases
            .filter { configuration.families.contains($0) }.map { Capability.multiprotocol($0) }
        capabilities += [.routeRefresh, .fourOctetAS(local.autonomousSystem)]
        return OpenMessage(
            autonomousSystem: local.autonomousSystem,
            holdTime: UInt16(clamping: local.holdTime.nanoseconds / 1_000_000_000),
            identifier: local.identifier, capabilities: capabilities)
    }

    /// Ends one connection, where there is one, without a thought of what comes next.
    mutating func end(
        _ side: ConnectionSide, telling notification: Notification?, isClosed: Bool = false,
        into outbox: inout SpeakerOutbox
    ) {
        guard let id = self[side]?.id else { return }
        if let notification {
            counters.lastNotificationSent = notification
            send(.notification, on: id, into: &outbox) { notification.append(to: &$0) }
        }
        if !isClosed { outbox.append(.close(id)) }
        self[side] = nil
        timers.stop(side.holdTimer)
        timers.stop(side.keepaliveTimer)
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
        guard let negotiated = negotiated(side), negotiated.holdTime > .zero else { return }
        timers.set(side.keepaliveTimer, at: now + jittered(negotiated.keepaliveInterval))
    }

    mutating func restartHoldTimer(_ side: ConnectionSide, at now: Instant) {
        guard let negotiated = negotiated(side), negotiated.holdTime > .zero else {
            return timers.stop(side.holdTimer)
        }
        timers.set(side.holdTimer, at: now + negotiated.holdTime)
    }

    private func negotiated(_ side: ConnectionSide) -> Negotiated? {
        switch self[side]?.phase {
        case .openConfirm(let negotiated), .established(let negotiated): negotiated
        case .openSent, nil: nil
        }
    }
}
