import Basics
import Wire

/// The session with one peer: the machine of RFC 4271 §8, with no socket and no clock.
///
/// What the session does about connections (``Posture``) is apart from the connections
/// that it has: the peer's may stand while the own attempt is still under way. The state
/// that the RFC names follows from both.
struct Session: Sendable {
    /// The states of RFC 4271 §8.2.2 in which there is no connection.
    enum Posture: Equatable, Sendable {
        /// Idle, until somebody starts it.
        case stopped
        /// Idle, until the idle hold timer expires.
        case holding
        /// Connect: an attempt is under way.
        case connecting
        /// Active: it waits for the peer, and for the connect retry timer where that runs.
        case active
    }

    /// What all sessions of a speaker have in common.
    struct Local: Sendable {
        let autonomousSystem: UInt32
        let identifier: IPv4Address
        let holdTime: Interval
        let connectRetry: Interval
        let idleHold: Interval
        let maximumIdleHold: Interval
    }

    /// Why a connection ends.
    enum Failure: Equatable {
        /// It is gone already.
        case closed
        /// The hold timer has expired (RFC 4271 §6.5).
        case silence
        /// The peer has erred, and is told so.
        case error(Notification)
        /// The peer has said that it ends; that is never answered (RFC 4271 §6.4).
        case told(Notification)

        var answer: Notification? {
            switch self {
            case .closed, .told: nil
            case .silence: .holdTimerExpired
            case .error(let notification): notification
            }
        }

        /// Whether it makes the next wait longer; a Cease says what the peer wants, not that anybody erred.
        var isError: Bool {
            switch self {
            case .closed, .silence: false
            case .error: true
            case .told(let notification): notification.code != 6
            }
        }
    }

    /// RFC 4271 §8.2.2, OpenSent: the hold timer before there is a negotiated one.
    static let openHoldTime = Interval.seconds(240)

    let peer: Int
    let configuration: PeerConfiguration
    let local: Local
    var posture = Posture.stopped
    var outgoing: Connection?
    var incoming: Connection?
    var timers = TimerTable<SessionTimer>()
    var random: SeededRandom
    var counters = SessionCounters()
    var establishedAt: Instant?
    /// How many errors in a row have made the idle hold time longer.
    private var consecutiveErrors = 0

    init(peer: Int, _ configuration: PeerConfiguration, local: Local, random: SeededRandom) {
        self.peer = peer
        self.configuration = configuration
        self.local = local
        self.random = random
    }

    var isInternal: Bool { configuration.autonomousSystem == local.autonomousSystem }

    subscript(side: ConnectionSide) -> Connection? {
        get { side == .outgoing ? outgoing : incoming }
        set { if side == .outgoing { outgoing = newValue } else { incoming = newValue } }
    }

    var state: BGPSessionState {
        let idle: BGPSessionState =
            switch posture {
            case .stopped, .holding: .idle
            case .connecting: .connect
            case .active: .active
            }
        return max(outgoing?.phase.state ?? idle, incoming?.phase.state ?? idle)
    }

    /// The connection over which routes are exchanged.
    var established: (side: ConnectionSide, id: ConnectionID, negotiated: Negotiated)? {
        if let outgoing, case .established(let negotiated) = outgoing.phase {
            return (.outgoing, outgoing.id, negotiated)
        }
        if let incoming, case .established(let negotiated) = incoming.phase {
            return (.incoming, incoming.id, negotiated)
        }
        return nil
    }

    mutating func handle(_ event: SessionEvent, at now: Instant, into outbox: inout SpeakerOutbox) {
        switch event {
        case .start:
            guard posture == .stopped else { return }
            begin(at: now, into: &outbox)
        case .stop(let reason):
            endAll(because: reason, into: &outbox)
            posture = .stopped
        case .restart(let reason):
            guard posture != .stopped else { return }
            endAll(because: reason, into: &outbox)
            hold(afterError: false, at: now)
        case .connectRetryTimerExpires:
            retry(at: now, into: &outbox)
        case .idleHoldTimerExpires:
            guard posture == .holding else { return }
            begin(at: now, into: &outbox)
        case .holdTimerExpires(let side):
            fail(side, .silence, at: now, into: &outbox)
        case .keepaliveTimerExpires(let side):
            sendKeepalive(side, at: now, into: &outbox)
        case .connectionConfirmed(let id, let side):
            confirm(id, side, at: now, into: &outbox)
        case .attemptFails:
            guard posture == .connecting else { return }
            waitForPeer(at: now)
        case .connectionFails(let side):
            fail(side, .closed, at: now, into: &outbox)
        case .messageError(let notification, let side):
            fail(side, .error(notification), at: now, into: &outbox)
        case .open, .notification, .keepalive, .update, .routeRefresh:
            receive(event, at: now, into: &outbox)
        }
    }

    /// A span shortened by a random part of up to a quarter (RFC 4271 §10).
    mutating func jittered(_ interval: Interval) -> Interval {
        random.interval(in: (interval * 3) / 4...interval)
    }

    /// Goes from Idle to Connect, or to Active for a peer that is to call.
    private mutating func begin(at now: Instant, into outbox: inout SpeakerOutbox) {
        timers.stop(.idleHold)
        if configuration.isPassive {
            posture = .active
        } else {
            attempt(at: now, into: &outbox)
        }
    }

    private mutating func attempt(at now: Instant, into outbox: inout SpeakerOutbox) {
        posture = .connecting
        outbox.append(.connect(peer: peer))
        timers.set(.connectRetry, at: now + jittered(local.connectRetry))
    }

    private mutating func retry(at now: Instant, into outbox: inout SpeakerOutbox) {
        if posture == .connecting { outbox.append(.abandonConnect(peer: peer)) }
        guard outgoing == nil, incoming == nil else {
            posture = .active
            return
        }
        attempt(at: now, into: &outbox)
    }

    /// Active, with the retry timer running where this end may call.
    ///
    /// RFC 4271 §8.2.2 would have a failed attempt go to Idle, where it could not answer
    /// the peer's; every implementation goes to Active, and so does this one.
    private mutating func waitForPeer(at now: Instant) {
        posture = .active
        guard !configuration.isPassive, outgoing == nil, incoming == nil else { return timers.stop(.connectRetry) }
        timers.set(.connectRetry, at: now + jittered(local.connectRetry))
    }

    /// Idle for a while: the longer, the more errors there have been in a row (RFC 4271 §8.1.1, DampPeerOscillations).
    ///
    /// A lost connection or a peer gone silent is no error, and costs the shortest time.
    private mutating func hold(afterError isError: Bool, at now: Instant) {
        posture = .holding
        timers.stop(.connectRetry)
        var time = local.idleHold
        if isError {
            time = min(local.idleHold * (1 << Int64(min(consecutiveErrors, 16))), local.maximumIdleHold)
            consecutiveErrors += 1
        }
        timers.set(.idleHold, at: now + jittered(time))
    }

    /// Ends one connection and decides how the session goes on.
    mutating func fail(
        _ side: ConnectionSide, _ failure: Failure, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let phase = self[side]?.phase else { return }
        end(side, telling: failure.answer, isClosed: failure == .closed, into: &outbox)
        if case .established = phase, let establishedAt {
            // Good behaviour for as long as the longest wait is forgiveness enough.
            if now - establishedAt >= local.maximumIdleHold { consecutiveErrors = 0 }
            self.establishedAt = nil
        }
        guard outgoing == nil, incoming == nil, posture == .active else { return }
        if case .openSent = phase, !failure.isError {
            waitForPeer(at: now)
        } else {
            hold(afterError: failure.isError, at: now)
        }
    }

    private mutating func endAll(because reason: CeaseReason, into outbox: inout SpeakerOutbox) {
        if posture == .connecting { outbox.append(.abandonConnect(peer: peer)) }
        end(.outgoing, telling: .cease(reason), into: &outbox)
        end(.incoming, telling: .cease(reason), into: &outbox)
        establishedAt = nil
        timers = TimerTable()
    }
}
