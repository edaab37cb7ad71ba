import Basics
import Wire

extension Connection {
    /// Payloads smaller than this would be mostly header; a peer that asks for less gets this.
    private static let smallestSegmentSize = 36

    mutating func beginHandshake(at now: Instant, into output: inout Output) {
        waitingSince = now
        receiveWindowEdge = nextToReceive + configuration.receiveBufferByteCount
        repeatHandshake(at: now, into: &output)
    }

    /// Sends the SYN, or the SYN with its ACK, and waits for the answer.
    private mutating func repeatHandshake(at now: Instant, into output: inout Output) {
        let flags: TCPFlags = state == .synchronizeSent ? .synchronize : [.synchronize, .acknowledge]
        emit(flags, Extent(emptyAt: 0), options: .synchronization, at: now, into: &output)
        timers.retransmission = min(
            now + estimator.backedOffTimeout, max(now, waitingSince + configuration.connectTimeout))
    }

    mutating func handshakeTimedOut(at now: Instant, into output: inout Output) {
        guard now < waitingSince + configuration.connectTimeout else {
            close(.timedOut, into: &output)
            return
        }
        counts.timeouts &+= 1
        counts.retransmittedSegments &+= 1
        handshakeRetransmissions += 1
        estimator.backOff()
        repeatHandshake(at: now, into: &output)
    }

    /// Takes the other end's SYN with its options.
    mutating func takeSynchronization(_ header: TCPHeader, at now: Instant) {
        receiveSpace = SequenceSpace(initial: header.sequence)
        nextToReceive = 1
        receiveWindowEdge = 1 + configuration.receiveBufferByteCount
        acknowledgment.lastSent = 1
        let isIPv4 = local.address.isIPv4
        peerSegmentSize = header.maximumSegmentSize.map { Int($0) } ?? (isIPv4 ? 536 : 1_220)
        usesSelectiveAcknowledgments = configuration.offersSelectiveAcknowledgments && header.sackPermitted
        if configuration.offersTimestamps, let timestamps = header.timestamps {
            usesTimestamps = true
            recentTimestamp = timestamps.value
            recentTimestampAt = now
        }
        if configuration.offersWindowScale, let scale = header.windowScale {
            usesWindowScale = true
            sendWindowScale = min(scale, 14)
        }
        // The window of a SYN is never scaled (RFC 7323 §2.2).
        sendWindowEdge = unacknowledged + Int(header.window)
        largestSendWindow = Int(header.window)
        windowUpdateSequence = 0
        windowUpdateAcknowledgment = unacknowledged
        setSegmentSize()
    }

    func segmentSize(forPathMTU mtu: Int) -> Int {
        let overhead = (local.address.isIPv4 ? 40 : 60)
        return max(Self.smallestSegmentSize, min(peerSegmentSize, mtu - overhead) - (usesTimestamps ? 12 : 0))
    }

    private mutating func setSegmentSize() {
        segmentSize = segmentSize(forPathMTU: pathMTU)
        // RFC 6928 §2; more than one lost SYN means that the path is in trouble.
        let segments = handshakeRetransmissions > 1 ? 1 : max(1, configuration.initialWindowSegmentCount)
        congestion = CongestionControl(
            configuration.congestionAlgorithm, segmentSize: segmentSize, initialWindow: segments * segmentSize)
    }

    /// Takes a segment in SYN-SENT (RFC 9293 §3.10.7.3).
    mutating func receiveInSynchronizeSent(_ header: TCPHeader, at now: Instant, into output: inout Output) {
        let flags = header.flags
        let answersUs = flags.contains(.acknowledge) && header.acknowledgment == sendSpace.number(at: 1)
        guard answersUs || !flags.contains(.acknowledge) else {
            Self.appendReset(
                answering: header, payloadByteCount: 0, local: local, remote: remote, into: &output)
            return
        }
        guard !flags.contains(.reset) else {
            if answersUs { close(.refused, into: &output) }
            return
        }
        guard flags.contains(.synchronize) else { return }
        if answersUs { unacknowledged = 1 }
        takeSynchronization(header, at: now)
        guard answersUs else {
            // Both ends have opened at once (RFC 9293 §3.5, figure 7).
            state = .synchronizeReceived
            repeatHandshake(at: now, into: &output)
            return
        }
        establish(header, at: now, into: &output)
        acknowledgment.isDueNow = true
        settle(at: now, into: &output)
    }

    /// Takes the ACK of our SYN; returns whether the segment may be gone on with (RFC 9293 §3.10.7.4, fifth).
    mutating func completeHandshake(
        _ header: TCPHeader, acknowledgment offset: Int, at now: Instant, into output: inout Output
    ) -> Bool {
        guard offset == 1 else {
            Self.appendReset(
                answering: header, payloadByteCount: 0, local: local, remote: remote, into: &output)
            return false
        }
        unacknowledged = 1
        setSegmentSize()
        establish(header, at: now, into: &output)
        return true
    }

    private mutating func establish(_ header: TCPHeader, at now: Instant, into output: inout Output) {
        state = finishRequested ? .finishWait1 : .established
        timers.retransmission = .never
        if handshakeRetransmissions == 0 {
            estimator.noteMinimum(now - waitingSince, at: now)
            estimator.take(now - waitingSince, expectedCount: 1, at: now)
        }
        estimator.endBackoff()
        waitingSince = now
        lastArrival = now
        lastSending = now
        if let keepalive = configuration.keepalive { timers.keepalive = now + keepalive.idleTime }
        if !header.flags.contains(.synchronize) {
            sendWindowEdge = unacknowledged + Int(header.window) << Int(sendWindowScale)
            largestSendWindow = sendWindowEdge - unacknowledged
            windowUpdateSequence = nextToReceive
            windowUpdateAcknowledgment = unacknowledged
        }
        output.append(.connected)
    }
}
