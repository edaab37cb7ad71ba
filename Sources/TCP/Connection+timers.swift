public import Basics
import Wire

extension Connection {
    /// Carries out what is due; a call that comes early does nothing.
    public mutating func wake(at now: Instant, into output: inout Output) {
        guard timers.earliest <= now else { return }
        if timers.closing <= now {
            discard()
            return
        }
        if timers.acknowledgment <= now { emitAcknowledgment(at: now, into: &output) }
        if timers.reordering <= now { reorderingTimedOut(at: now, into: &output) }
        if timers.probe <= now { probeTimedOut(at: now, into: &output) }
        if timers.retransmission <= now { answerTimedOut(at: now, into: &output) }
        if timers.keepalive <= now { keepaliveTimedOut(at: now, into: &output) }
    }

    private mutating func answerTimedOut(at now: Instant, into output: inout Output) {
        if state == .synchronizeSent || state == .synchronizeReceived {
            handshakeTimedOut(at: now, into: &output)
        } else if now >= waitingSince + configuration.userTimeout {
            close(.timedOut, into: &output)
        } else if scoreboard.isEmpty {
            windowProbeTimedOut(at: now, into: &output)
        } else {
            retransmissionTimedOut(at: now, into: &output)
        }
    }

    /// RFC 9293 §3.8.4.
    private mutating func keepaliveTimedOut(at now: Instant, into output: inout Output) {
        guard let keepalive = configuration.keepalive, state != .timeWait else {
            timers.keepalive = .never
            return
        }
        guard now >= lastArrival + keepalive.idleTime || unansweredKeepalives > 0 else {
            timers.keepalive = lastArrival + keepalive.idleTime
            return
        }
        guard unansweredKeepalives < keepalive.probeCount else {
            emit([.reset, .acknowledge], Extent(emptyAt: nextToSend), at: now, into: &output)
            close(.timedOut, into: &output)
            return
        }
        unansweredKeepalives += 1
        if scoreboard.isEmpty {
            emit(.acknowledge, Extent(emptyAt: unacknowledged - 1), at: now, into: &output)
        }
        timers.keepalive = now + keepalive.probeInterval
    }
}
