// Bidirectional Forwarding Detection, asynchronous mode (RFC 5880), for one path.
//
// A session is fed the peer's control packets and woken at its deadline; it hands back
// packets to send and its changes of state. It owns no socket: whoever carries its
// packets (RFC 5881 for one hop, RFC 5883 inside a tunnel) has checked the TTL and knows
// which session a packet without a remote discriminator belongs to. Echo and
// authentication are not spoken; demand mode is never asked for, but the peer may.
//
// The essence of the timing: each end announces how fast it would send and how fast it
// can be sent to, and the slower of the two holds (§6.8.2, §6.8.4). A change that could
// make the other end despair too early - sending more slowly, or waiting less long -
// waits for the Final that answers a Poll (§6.8.3).

public import Basics

/// One end of a BFD session (RFC 5880).
public struct Session: Sendable {
    public private(set) var state = State.down
    /// Why the state last changed.
    public private(set) var diagnostic = Diagnostic.none
    /// Packets that were for another session.
    public private(set) var discardedCount: UInt64 = 0
    /// Whether a Poll waits for its Final (§6.5).
    public private(set) var isPolling = false

    private var configuration: Configuration
    private var random: SeededRandom
    private var remote = Remote()
    /// What packets say.
    private var announced: Timing
    /// What the timers go by; behind `announced` while a Poll is under way.
    private var effective: Timing
    private var lastReception: Instant?
    private var lastTransmission: Instant?
    private var nextTransmission: Instant
    /// The interval that `nextTransmission` was drawn for.
    private var scheduledInterval: Interval?
    private let pinned = Pinned()

    /// A session that is down; an active one has its first packet due at once.
    public init(_ configuration: Configuration, random: SeededRandom, at now: Instant) {
        precondition(configuration.localDiscriminator != 0 && configuration.detectMultiplier != 0)
        self.configuration = configuration
        self.random = random
        announced = configuration.timing(whileUp: false)
        effective = announced
        nextTransmission = configuration.isPassive ? .never : now
        scheduledInterval = transmitInterval
    }

    /// Takes a packet that has passed ``ControlPacket/init(parsing:)`` (§6.8.6).
    public mutating func receive(_ packet: ControlPacket, at now: Instant) -> Outputs {
        var outputs = Outputs()
        guard packet.remoteDiscriminator == localDiscriminator || packet.remoteDiscriminator == 0 else {
            discardedCount &+= 1
            return outputs
        }
        learn(from: packet, at: now)
        if isPolling, packet.isFinal { finishPoll() }
        if state != .adminDown {
            if let next = Self.state(after: state, receiving: packet.state) {
                let reason: Diagnostic = next == .down ? .neighborSignaled : next == .up ? .none : diagnostic
                enter(next, because: reason, answeringPoll: packet.isPoll, at: now, into: &outputs)
            } else if packet.isPoll {
                outputs.append(.send(makePacket(isFinal: true)))
            }
        }
        reschedule(at: now)
        return outputs
    }

    /// Does what is due: gives the peer up, or sends the periodic packet.
    public mutating func wake(at now: Instant) -> Outputs {
        var outputs = Outputs()
        if detectionDeadline <= now {
            forgetPeer()
            if state == .up || state == .initializing {
                enter(.down, because: .detectionExpired, at: now, into: &outputs)
            }
            reschedule(at: now)
        }
        if nextTransmission <= now {
            transmit(at: now, into: &outputs)
        }
        return outputs
    }

    /// When the session must be woken at the latest.
    public var nextDeadline: Instant? {
        let earliest = min(detectionDeadline, nextTransmission)
        return earliest == .never ? nil : earliest
    }

    /// Takes the session out of service, or back into it (§6.8.16).
    public mutating func administratively(down: Bool, at now: Instant) -> Outputs {
        var outputs = Outputs()
        guard down != (state == .adminDown) else { return outputs }
        enter(down ? .adminDown : .down, because: down ? .administrativelyDown : .none, at: now, into: &outputs)
        return outputs
    }

    /// Gives the path up for a reason that BFD did not find itself, such as a lost carrier.
    public mutating func takeDown(because reason: Diagnostic, at now: Instant) -> Outputs {
        var outputs = Outputs()
        guard state == .up || state == .initializing else { return outputs }
        enter(.down, because: reason, at: now, into: &outputs)
        return outputs
    }

    /// Changes the timing of a living session, by a Poll where that is needed (§6.8.3, §6.8.12).
    public mutating func reconfigure(
        desiredMinTx: Interval, requiredMinRx: Interval, detectMultiplier: UInt8, at now: Instant
    ) {
        precondition(detectMultiplier != 0)
        configuration.desiredMinTx = desiredMinTx
        configuration.requiredMinRx = requiredMinRx
        configuration.detectMultiplier = detectMultiplier
        // A second change must not ride on the Final of the first, and a peer that goes up on what it heard before
        // must be polled: until then the change waits in the configuration.
        if !isPolling, state != .initializing { announce() }
        reschedule(at: now)
    }
}

// MARK: What can be asked

extension Session {
    public var localDiscriminator: UInt32 { configuration.localDiscriminator }

    /// 0 while the peer is not known.
    public var remoteDiscriminator: UInt32 { remote.discriminator }

    /// The peer's state as it last said.
    public var remoteState: State { remote.state }

    /// How long the peer may be silent, where it has been heard (§6.8.4).
    public var detectionTime: Interval? {
        guard remote.detectMultiplier > 0 else { return nil }
        return max(effective.requiredMinRx, remote.desiredMinTx) * Int64(remote.detectMultiplier)
    }

    /// The span between periodic packets before jitter, where any may be sent (§6.8.2, §6.8.7).
    public var transmitInterval: Interval? {
        guard maySpeak, remote.requiredMinRx > .zero else { return nil }
        let isPeerContent = remote.isDemand && state == .up && remote.state == .up && !isPolling
        return isPeerContent ? nil : max(effective.desiredMinTx, remote.requiredMinRx)
    }
}

// MARK: The machine

extension Session {
    /// Where a packet leads; nil is nowhere (§6.2, §6.8.6).
    private static func state(after state: State, receiving received: State) -> State? {
        switch (state, received) {
        case (.down, .down): .initializing
        case (.down, .initializing): .up
        case (.initializing, .initializing), (.initializing, .up): .up
        case (.initializing, .adminDown), (.up, .adminDown), (.up, .down): .down
        case (.adminDown, _), (.down, _), (.initializing, .down), (.up, _): nil
        }
    }

    private mutating func learn(from packet: ControlPacket, at now: Instant) {
        remote = Remote(
            discriminator: packet.localDiscriminator, state: packet.state, isDemand: packet.isDemand,
            desiredMinTx: packet.desiredMinTx, requiredMinRx: packet.requiredMinRx,
            detectMultiplier: packet.detectMultiplier)
        lastReception = now
    }

    /// Until a detection time has passed in silence the peer's timing is kept, whatever the state (§6.8.1).
    private mutating func forgetPeer() {
        remote = Remote()
        lastReception = nil
    }

    private mutating func enter(
        _ next: State, because reason: Diagnostic, answeringPoll: Bool = false, at now: Instant,
        into outputs: inout Outputs
    ) {
        state = next
        diagnostic = reason
        isPolling = false
        announce()
        outputs.append(.stateChanged(next, reason))
        // The peer learns of a new state at once, not with the next periodic packet (§6.8.7).
        if maySpeak {
            transmit(isFinal: answeringPoll, at: now, into: &outputs)
        } else {
            reschedule(at: now)
        }
    }

    /// Says in the following packets what is configured, and goes by it as far as is safe now (§6.8.3).
    private mutating func announce() {
        let previous = announced
        announced = configuration.timing(whileUp: state == .up)
        guard state == .up else {
            effective = announced
            return
        }
        effective.desiredMinTx = min(effective.desiredMinTx, announced.desiredMinTx)
        effective.requiredMinRx = max(effective.requiredMinRx, announced.requiredMinRx)
        isPolling = isPolling || announced != previous || announced != effective
    }

    private mutating func finishPoll() {
        isPolling = false
        effective = announced
        announce()
    }
}

// MARK: Sending

extension Session {
    /// A passive session does not speak to a peer that it does not know (§6.8.7).
    private var maySpeak: Bool { !configuration.isPassive || remote.discriminator != 0 }

    private var detectionDeadline: Instant {
        guard let lastReception, let detectionTime else { return .never }
        return lastReception + detectionTime
    }

    private func makePacket(isFinal: Bool) -> ControlPacket {
        var packet = ControlPacket(
            state: state, diagnostic: diagnostic, detectMultiplier: configuration.detectMultiplier,
            discriminators: (localDiscriminator, remote.discriminator), desiredMinTx: announced.desiredMinTx,
            requiredMinRx: announced.requiredMinRx)
        packet.isFinal = isFinal
        packet.isPoll = isPolling && !isFinal
        return packet
    }

    private mutating func transmit(isFinal: Bool = false, at now: Instant, into outputs: inout Outputs) {
        outputs.append(.send(makePacket(isFinal: isFinal)))
        lastTransmission = now
        scheduledInterval = transmitInterval
        nextTransmission = scheduledInterval.map { now + jittered($0) } ?? .never
    }

    /// Moves the next periodic packet where its interval has changed, counted from the last one sent.
    private mutating func reschedule(at now: Instant) {
        let interval = transmitInterval
        guard interval != scheduledInterval else { return }
        scheduledInterval = interval
        guard let interval else {
            nextTransmission = .never
            return
        }
        nextTransmission = max(now, lastTransmission.map { $0 + jittered(interval) } ?? now)
    }

    /// 75 to 100 % of the interval, 75 to 90 % where a single loss is fatal (§6.8.7).
    private mutating func jittered(_ interval: Interval) -> Interval {
        let longest = configuration.detectMultiplier == 1 ? interval - interval / 10 : interval
        return random.interval(in: (interval - interval / 4)...longest)
    }
}
