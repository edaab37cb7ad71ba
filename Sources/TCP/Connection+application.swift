public import Basics
import Wire

extension Connection {
    /// Queues bytes for the other end and sends what the windows allow; returns how many there was room for.
    ///
    /// After a write that came up short, ``Output/Item/writable(byteCount:)`` tells of room.
    public mutating func write(_ bytes: RawSpan, at now: Instant, into output: inout Output) -> Int {
        guard canWrite else { return 0 }
        let count = sendBuffer.write(bytes)
        if count < bytes.byteCount { awaitsRoom = true }
        if scoreboard.isEmpty { noteIdle(at: now) }
        transmit(at: now, into: &output)
        return count
    }

    /// Says that nothing more will be written: a FIN goes out behind what is queued.
    ///
    /// The other end may go on writing.
    public mutating func finish(at now: Instant, into output: inout Output) {
        guard canWrite else { return }
        finishRequested = true
        switch state {
        case .established: state = .finishWait1
        case .closeWait: state = .lastAcknowledgment
        default: break
        }
        transmit(at: now, into: &output)
    }

    /// Gives the connection up at once, with a RST where the other end knows of it (RFC 9293 §3.10.5).
    ///
    /// Nothing is told of it, because the caller knows.
    public mutating func abort(at now: Instant, into output: inout Output) {
        switch state {
        case .synchronizeReceived, .established, .finishWait1, .finishWait2, .closeWait:
            emit([.reset, .acknowledge], Extent(emptyAt: nextToSend), at: now, into: &output)
        case .closed, .synchronizeSent, .closing, .lastAcknowledgment, .timeWait: break
        }
        discard()
    }

    // MARK: - Back-pressure

    /// From now on delivered bytes close the window, until ``consumed(_:at:into:)`` opens it.
    public mutating func pauseReading() {
        consumesExplicitly = true
    }

    /// Takes all that was delivered as consumed, and what will be as soon as it is.
    public mutating func resumeReading(at now: Instant, into output: inout Output) {
        consumed(unconsumedByteCount, at: now, into: &output)
        consumesExplicitly = false
    }

    /// Gives back room for delivered bytes that the application is done with.
    public mutating func consumed(_ byteCount: Int, at now: Instant, into output: inout Output) {
        unconsumedByteCount = max(0, unconsumedByteCount - max(0, byteCount))
        guard state.isReceiving else { return }
        // An update is sent when it at least doubles what the other end believes to have.
        let offered = receiveWindowEdge - nextToReceive
        let window = configuration.receiveBufferByteCount - unconsumedByteCount
        let step = min(configuration.receiveBufferByteCount / 2, segmentSize)
        guard window >= 2 * offered, window - offered >= max(1, step) else { return }
        emitAcknowledgment(at: now, into: &output)
    }

    private mutating func noteIdle(at now: Instant) {
        let timeout = max(1, estimator.timeout.nanoseconds)
        let count = (now - lastSending).nanoseconds / timeout
        if count > 0, recovery.phase == .open { congestion.noteIdle(timeoutCount: Int(min(count, 32))) }
    }

    // MARK: - Path MTU

    /// Takes a new size of packets for the path, as an ICMP "packet too big" has it (RFC 1191, RFC 8201).
    ///
    /// What was sent in larger segments is sent again at once; the congestion window is not to blame for it.
    public mutating func pathMTUChanged(to mtu: Int, at now: Instant, into output: inout Output) {
        // Less than any real link carries is a forgery that would make the connection crawl (RFC 5927 §7.2).
        pathMTU = max(mtu, local.address.isIPv4 ? 552 : 1_280)
        guard state != .closed, state != .synchronizeSent, state != .timeWait else { return }
        let size = segmentSize(forPathMTU: pathMTU)
        guard size != segmentSize else { return }
        let isSmaller = size < segmentSize
        segmentSize = size
        congestion.setSegmentSize(size)
        guard isSmaller, !scoreboard.isEmpty else { return }
        scoreboard.resegment(to: size, dataEnd: sendBuffer.end)
        transmit(at: now, into: &output)
    }
}
