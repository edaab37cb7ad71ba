import Basics
import Wire

/// The session with one peer: the machine of RFC 4271 §8, with no socket and no clock.
///
/// What the session does about connections (``Posture``) is apart from the connections
/// that it has: the peer's may stand while the own attempt is still under way. The state
/// that the RFC names follows from both. What becomes of routes is left as orders, which
/// the speaker carries out after each event.
struct Session: Sendable {
    /// The states of RFC 4271 §8.2.2 in which there is no connection.
    enum Posture: Equatable, Sendable {
        /// Idle, until somebody starts it.
        case stopped
        /// Idle, until the idle hold timer expires, or BFD finds a way.
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
        let confederation: Confederation?
    }

    /// RFC 4271 §8.2.2, OpenSent: the hold timer before there is a negotiated one.
    static let openHoldTime = Interval.seconds(240)

    let peer: Int
    var configuration: PeerConfiguration
    let local: Local
    /// Whether the session was made for a peer that called, and goes with it.
    let isDynamic: Bool
    var posture = Posture.stopped
    var outgoing: Connection?
    var incoming: Connection?
    var timers = SessionTimers()
    var random: SeededRandom
    var counters = SessionCounters()
    var establishedAt: Instant?
    var orders: ContiguousArray<RouteOrder> = []
    /// What the peer was called when it was last up; its stale routes still go by it.
    var lastIdentifier: IPv4Address?
    /// Families of which stale routes are held.
    var staleFamilies: AddressFamilies = []
    /// Families whose stale routes have outlived the restart time (RFC 9494 §4.2).
    var longLivedFamilies: AddressFamilies = []
    /// What the peer said of its restarts before it was lost.
    var lastRestart: PeerRestart?
    /// Families that the peer is sending again (RFC 7313 §4).
    var refreshedFamilies: AddressFamilies = []
    /// Families of which the peer has yet to be told that it has been told all.
    var endsOwed: AddressFamilies = []
    /// Families of which the peer has yet to be told that all has been told again.
    var refreshEndsOwed: AddressFamilies = []
    /// Families of which the peer has said everything.
    var endsHeard: AddressFamilies = []
    /// Whether this speaker has just restarted (RFC 4724 §4.1).
    var isRestarting = false
    /// Whether all that is told bears the mark of a session that is about to end (RFC 8326 §4).
    var isDraining = false
    /// What BFD last found; nil before it has found anything.
    var isForwardingUp: Bool?
    /// Whether a peer that nobody has named is not to be taken when it calls, for it was stopped on purpose.
    var isBarred = false
    /// Capabilities that the peer has refused (RFC 5492 §3).
    var refusedCapabilities: [UInt8] = []
    /// How many errors in a row have made the idle hold time longer.
    private var consecutiveErrors = 0

    init(
        peer: Int, _ configuration: PeerConfiguration, local: Local, isDynamic: Bool = false, random: SeededRandom
    ) {
        self.peer = peer
        self.configuration = configuration
        self.local = local
        self.isDynamic = isDynamic
        self.random = random
    }

    var settings: SessionConfiguration { configuration.session }

    subscript(side: ConnectionSide) -> Connection? {
        _read { if side == .outgoing { yield outgoing } else { yield incoming } }
        _modify { if side == .outgoing { yield &outgoing } else { yield &incoming } }
    }

    var state: BGPSessionState {
        let idle: BGPSessionState =
            switch posture {
            case .stopped, .holding: .idle
            case .connecting: .connect
            case .active: .active
            }
        guard let outgoing else { return incoming?.state ?? idle }
        return max(outgoing.state, incoming?.state ?? outgoing.state)
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
        case .start(let isRestarting):
            guard posture == .stopped else { return }
            consecutiveErrors = 0
            counters.connectRetries = 0
            isBarred = false
            self.isRestarting = isRestarting
            begin(at: now, into: &outbox)
        case .stop(let notification):
            endAll(.stopped(notification), at: now, into: &outbox)
            counters.connectRetries = 0
            stop()
            isBarred = isDynamic
        case .restart(let notification):
            guard posture != .stopped else { return }
            endAll(.reset(notification), at: now, into: &outbox)
            hold(afterError: false, at: now)
        case .prefixLimitExceeded:
            exceedPrefixLimit(at: now, into: &outbox)
        case .forwardingChanges(let isUp, let isIndependent):
            forwardingChanges(isUp: isUp, isIndependent: isIndependent, at: now, into: &outbox)
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
        case .endOfRIB(let family):
            receiveEndOfRIB(family)
        case .sendingBlocked(let side, let isBlocked):
            sendingBlocked(side, isBlocked, at: now)
        default:
            expire(event, at: now, into: &outbox)
        }
    }

    private mutating func expire(_ event: SessionEvent, at now: Instant, into outbox: inout SpeakerOutbox) {
        switch event {
        case .connectRetryTimerExpires:
            retry(at: now, into: &outbox)
        case .idleHoldTimerExpires:
            isBarred = false
            guard posture == .holding else { return }
            begin(at: now, into: &outbox)
        case .holdTimerExpires(let side):
            fail(side, .silence, at: now, into: &outbox)
        case .keepaliveTimerExpires(let side):
            sendKeepalive(side, at: now, into: &outbox)
        case .delayOpenTimerExpires(let side):
            sendOpen(side, at: now, into: &outbox)
        case .sendHoldTimerExpires(let side):
            fail(side, .stalled, at: now, into: &outbox)
        case .restartTimerExpires:
            outliveRestartTime(at: now)
        case .staleTimerExpires(let family):
            stopWaiting(for: family)
        default:
            preconditionFailure("only timers come here")
        }
    }

    /// A span shortened by a random part of up to a quarter (RFC 4271 §10).
    mutating func jittered(_ interval: Interval) -> Interval {
        random.interval(in: (interval * 3) / 4...interval)
    }

    /// Goes from Idle to Connect, or to Active for a peer that is to call.
    mutating func begin(at now: Instant, into outbox: inout SpeakerOutbox) {
        timers.stop(.idleHold)
        if settings.awaitsBFD, isForwardingUp != true {
            posture = .holding
        } else if configuration.isPassive {
            posture = .active
        } else {
            attempt(at: now, into: &outbox)
        }
    }

    private mutating func attempt(at now: Instant, into outbox: inout SpeakerOutbox) {
        posture = .connecting
        outbox.append(.connect(peer: peer))
        timers.set(.connectRetry, at: now + jittered(connectRetry))
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
    mutating func waitForPeer(at now: Instant, callingAfter pause: Interval? = nil) {
        posture = .active
        guard !configuration.isPassive, outgoing == nil, incoming == nil else { return timers.stop(.connectRetry) }
        timers.set(.connectRetry, at: now + jittered(pause ?? connectRetry))
    }

    mutating func stop() {
        posture = .stopped
        timers.stop(.connectRetry)
        timers.stop(.idleHold)
    }

    /// Idle for a while: the longer, the more errors there have been in a row (RFC 4271 §8.1.1, DampPeerOscillations).
    ///
    /// A lost connection or a peer gone silent is no error, and costs the shortest time.
    mutating func hold(afterError isError: Bool, at now: Instant) {
        guard !isDynamic else { return stop() }
        counters.connectRetries += 1
        posture = .holding
        timers.stop(.connectRetry)
        var time = idleHold
        if isError, settings.isDamped {
            time = min(idleHold * (1 << Int64(min(consecutiveErrors, 16))), maximumIdleHold)
            consecutiveErrors += 1
        }
        timers.set(.idleHold, at: now + jittered(time))
    }

    /// Good behaviour for as long as the longest wait is forgiveness enough.
    mutating func forgive(at now: Instant) {
        if let establishedAt, now - establishedAt >= maximumIdleHold { consecutiveErrors = 0 }
    }
}

extension Session {
    var holdTime: Interval { settings.holdTime ?? local.holdTime }
    var connectRetry: Interval { settings.connectRetry ?? local.connectRetry }
    var idleHold: Interval { settings.idleHold ?? local.idleHold }
    var maximumIdleHold: Interval { max(settings.maximumIdleHold ?? local.maximumIdleHold, idleHold) }
}
