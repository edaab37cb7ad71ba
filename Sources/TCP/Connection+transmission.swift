import Basics
import Wire

extension Connection {
    /// Segments that may be on their way before small ones have to wait for company, which bounds the bookkeeping.
    private static let smallSegmentLimit = 4_096

    /// Sends what the windows allow, lost segments first, and sets the timers for it.
    mutating func transmit(at now: Instant, into output: inout Output) {
        guard state.isSending else { return }
        var hasSentNew = false
        while true {
            let room = congestion.window &- pipe
            if let segment = scoreboard.firstLost {
                guard segment.byteCount <= room || pipe == 0 else { break }
                guard segment.start < sendWindowEdge || segment.start == unacknowledged else { break }
                scoreboard.retransmitFirstLost(at: now)
                recovery.sentCount &+= segment.byteCount
                emitAgain(segment, at: now, into: &output)
                continue
            }
            guard let extent = nextExtent(), extent.byteCount <= room || pipe == 0 else { break }
            recovery.sentCount &+= extent.byteCount
            sendNew(extent, at: now, into: &output)
            hasSentNew = true
        }
        armTimers(hasSentNew: hasSentNew, at: now)
    }

    /// What would be sent next for the first time, as far as the receiver's window and good manners go.
    @inline(__always)
    func nextExtent() -> Extent? {
        let dataEnd = sendBuffer.end
        var end = min(nextToSend &+ segmentSize, min(dataEnd, sendWindowEdge))
        let isLast = end == dataEnd
        if finishRequested, isLast, end < sendWindowEdge { end &+= 1 }
        guard end > nextToSend else { return nil }
        let count = end &- nextToSend
        guard count < segmentSize else { return Extent(start: nextToSend, end: end) }
        // RFC 9293 §3.8.6.2.1: less than a segment only if it is all there is, or a good part of the window.
        guard isLast || count >= largestSendWindow / 2 || scoreboard.isEmpty && isOverdue else { return nil }
        if isLast, !configuration.noDelay, !finishRequested, !scoreboard.isEmpty { return nil }
        guard scoreboard.count < Self.smallSegmentLimit else { return nil }
        return Extent(start: nextToSend, end: end)
    }

    mutating func sendNew(_ extent: Extent, at now: Instant, into output: inout Output) {
        if scoreboard.isEmpty {
            waitingSince = now
            timers.retransmission = .never
        }
        isOverdue = false
        scoreboard.append(extent, sentAt: now)
        nextToSend = extent.end
        counts.bytesSent &+= UInt64(min(extent.end, sendBuffer.end) &- extent.start)
        emitData(extent, at: now, into: &output)
    }

    mutating func emitAgain(_ segment: SentSegment, at now: Instant, into output: inout Output) {
        counts.retransmittedSegments &+= 1
        counts.retransmittedBytes &+= UInt64(min(segment.end, sendBuffer.end) &- segment.start)
        emitData(Extent(start: segment.start, end: segment.end), at: now, into: &output)
    }

    private mutating func emitData(_ extent: Extent, at now: Instant, into output: inout Output) {
        var flags = TCPFlags.acknowledge
        if extent.end >= sendBuffer.end { flags.insert(.push) }
        if extent.end > sendBuffer.end { flags.insert(.finish) }
        let payload = Extent(start: extent.start, end: min(extent.end, sendBuffer.end))
        emit(flags, payload, at: now, into: &output)
        lastSending = now
    }

    private mutating func armTimers(hasSentNew: Bool, at now: Instant) {
        guard !scoreboard.isEmpty else {
            timers.probe = .never
            timers.reordering = .never
            if nextToSend < sendBuffer.end + (finishRequested ? 1 : 0) {
                if timers.retransmission == .never {
                    waitingSince = now
                    timers.retransmission = now + estimator.backedOffTimeout
                }
            } else {
                timers.retransmission = .never
            }
            return
        }
        if timers.retransmission == .never { timers.retransmission = retransmissionDeadline(at: now) }
        if hasSentNew || timers.probe == .never { scheduleProbe(at: now) }
    }

    /// When the oldest segment in flight is given up, or the connection with it.
    @inline(__always)
    func retransmissionDeadline(at now: Instant) -> Instant {
        min(now + estimator.backedOffTimeout, max(now, waitingSince + configuration.userTimeout))
    }

    /// Asks for the window that has been closed for a timeout (RFC 9293 §3.8.6.1).
    ///
    /// The probe carries no data and lies before the window, as Linux's does, so that an ACK must answer it.
    mutating func windowProbeTimedOut(at now: Instant, into output: inout Output) {
        estimator.backOff()
        isOverdue = true
        if nextExtent() != nil {
            timers.retransmission = .never
            transmit(at: now, into: &output)
            return
        }
        emit(.acknowledge, Extent(emptyAt: unacknowledged - 1), at: now, into: &output)
        timers.retransmission = retransmissionDeadline(at: now)
    }
}
