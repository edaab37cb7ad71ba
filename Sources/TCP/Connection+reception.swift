public import Basics
public import Wire

extension Connection {
    /// A timestamp may be believed older for so long; after that the clock may have wrapped (RFC 7323 §5.5).
    private static let timestampLifetime = Interval.seconds(24 * 86_400)

    /// Takes a segment that the host found to be this connection's and intact.
    public mutating func receive(
        _ header: TCPHeader, payload: RawSpan, at now: Instant, into output: inout Output
    ) {
        guard state != .closed else { return }
        counts.segmentsReceived &+= 1
        guard state != .synchronizeSent else {
            receiveInSynchronizeSent(header, at: now, into: &output)
            return
        }
        var sequence = receiveSpace.offset(of: header.sequence, near: nextToReceive)
        if state == .synchronizeReceived, sequence == 0, header.flags.contains(.synchronize) {
            guard isAnswerToSimultaneousOpen(header) else {
                answerRepeatedSynchronization(header, at: now, into: &output)
                return
            }
            sequence = 1
            acknowledgment.isDueNow = true
        } else {
            let length = header.sequenceLength(payloadByteCount: payload.byteCount)
            guard accepts(header, sequence: sequence, length: length, at: now, into: &output) else { return }
        }
        guard header.flags.contains(.acknowledge) else { return }
        let offset = sendSpace.offset(of: header.acknowledgment, near: unacknowledged)
        if state == .synchronizeReceived {
            guard completeHandshake(header, acknowledgment: offset, at: now, into: &output) else { return }
        }
        // An ACK of what was never sent, or of what was acknowledged long ago, is a blind guess (RFC 5961 §5.2).
        guard offset <= nextToSend, offset >= unacknowledged &- max(largestSendWindow, 1) else {
            challenge(at: now, into: &output)
            return
        }
        noteTimestamp(header, sequence: sequence, at: now)
        lastArrival = now
        unansweredKeepalives = 0
        let isBare = payload.byteCount == 0 && !header.flags.contains(.finish)
        let arrival = Arrival(sequence: sequence, acknowledgment: offset, isBare: isBare)
        acknowledge(header, arrival, at: now, into: &output)
        noteFinishAcknowledged(at: now, into: &output)
        guard state != .closed else { return }
        if !isBare { take(payload, header, at: sequence, now: now, into: &output) }
        settle(at: now, into: &output)
    }

    /// Sends what has become possible, and the ACK where no segment carried it.
    mutating func settle(at now: Instant, into output: inout Output) {
        // Only an ACK without data has room for all blocks, so what is out of order is reported by one.
        if acknowledgment.isDueNow, !reassembly.isEmpty || acknowledgment.duplicate != nil {
            emitAcknowledgment(at: now, into: &output)
        }
        transmit(at: now, into: &output)
        if acknowledgment.isDueNow {
            emitAcknowledgment(at: now, into: &output)
        } else if acknowledgment.waitingSegments > 0, timers.acknowledgment == .never {
            timers.acknowledgment = now + configuration.acknowledgmentDelay
        }
    }

    // MARK: - Screening

    /// Judges timestamp, sequence, RST and SYN (RFC 9293 §3.10.7.4, RFC 7323 §5.3, RFC 5961 §3 and §4).
    private mutating func accepts(
        _ header: TCPHeader, sequence: Int, length: Int, at now: Instant, into output: inout Output
    ) -> Bool {
        let isReset = header.flags.contains(.reset)
        if usesTimestamps, !isReset {
            guard let timestamps = header.timestamps else { return false }
            if timestamps.value.isBefore(recentTimestamp), now - recentTimestampAt < Self.timestampLifetime {
                counts.oldTimestamps &+= 1
                refuse(length: length, at: now, into: &output)
                return false
            }
        }
        guard isInWindow(sequence: sequence, length: length) else {
            guard !isReset else { return false }
            if length > 0, sequence &+ length <= nextToReceive { noteDuplicate(sequence, sequence &+ length) }
            if state == .timeWait, header.flags.contains(.finish) {
                timers.closing = now + configuration.timeWaitDuration
            }
            refuse(length: length, at: now, into: &output)
            return false
        }
        if isReset {
            if sequence == nextToReceive { takeReset(into: &output) } else { challenge(at: now, into: &output) }
            return false
        }
        guard !header.flags.contains(.synchronize) else {
            challenge(at: now, into: &output)
            return false
        }
        return true
    }

    /// The four cases of RFC 9293 §3.4, with what starts right at a closed window let through for its ACK.
    @inline(__always)
    private func isInWindow(sequence: Int, length: Int) -> Bool {
        if sequence == nextToReceive { return true }
        if length == 0 { return sequence > nextToReceive && sequence < receiveWindowEdge }
        return sequence < receiveWindowEdge && sequence &+ length > nextToReceive
    }

    /// Answers what is outside the window with an ACK, but does not let two ends do so for ever.
    private mutating func refuse(length: Int, at now: Instant, into output: inout Output) {
        guard length > 0 || acknowledgment.allowsChallenge(at: now) else { return }
        emitAcknowledgment(at: now, into: &output)
    }

    private mutating func challenge(at now: Instant, into output: inout Output) {
        guard acknowledgment.allowsChallenge(at: now) else { return }
        counts.challengeAcknowledgments &+= 1
        emitAcknowledgment(at: now, into: &output)
    }

    private mutating func takeReset(into output: inout Output) {
        guard state != .timeWait else {
            discard()
            return
        }
        close(state == .synchronizeReceived && !isPassive ? .refused : .reset, into: &output)
    }

    private func isAnswerToSimultaneousOpen(_ header: TCPHeader) -> Bool {
        header.flags.contains(.acknowledge) && !header.flags.contains(.reset) && !isPassive
            && header.acknowledgment == sendSpace.number(at: 1)
    }

    /// The SYN came again, so our answer was lost.
    private mutating func answerRepeatedSynchronization(
        _ header: TCPHeader, at now: Instant, into output: inout Output
    ) {
        guard !header.flags.contains(.reset), acknowledgment.allowsChallenge(at: now) else { return }
        emit(
            [.synchronize, .acknowledge], Extent(emptyAt: 0), options: .synchronization, at: now, into: &output)
    }

    /// RFC 7323 §4.3.
    private mutating func noteTimestamp(_ header: TCPHeader, sequence: Int, at now: Instant) {
        guard usesTimestamps, let timestamps = header.timestamps, sequence <= acknowledgment.lastSent else { return }
        guard !timestamps.value.isBefore(recentTimestamp) || now - recentTimestampAt >= Self.timestampLifetime
        else { return }
        recentTimestamp = timestamps.value
        recentTimestampAt = now
    }

    private mutating func noteDuplicate(_ start: Int, _ end: Int) {
        guard usesSelectiveAcknowledgments, start < end else { return }
        acknowledgment.duplicate = Extent(start: start, end: end)
    }

    // MARK: - Data

    /// Takes the payload and the FIN of a segment that lies at least partly in the window.
    private mutating func take(
        _ payload: RawSpan, _ header: TCPHeader, at sequence: Int, now: Instant, into output: inout Output
    ) {
        guard state.isReceiving else {
            acknowledgment.isDueNow = true
            return
        }
        let end = sequence &+ payload.byteCount
        let limit = min(receiveWindowEdge, peerFinish ?? .max)
        let kept = Extent(start: max(sequence, nextToReceive), end: min(end, limit))
        if sequence < nextToReceive {
            noteDuplicate(sequence, min(end, nextToReceive))
            acknowledgment.isDueNow = true
        }
        // What is cut off at the edge of the window has to come again, and a FIN with it.
        if end > kept.end { acknowledgment.isDueNow = true }
        if header.flags.contains(.finish), end >= nextToReceive, end <= receiveWindowEdge, peerFinish ?? end == end,
            reassembly.end ?? end <= end
        {
            peerFinish = end
            acknowledgment.isDueNow = true
        }
        if kept.start < kept.end {
            let bytes = payload.extracting(kept.start &- sequence..<kept.end &- sequence)
            if kept.start == nextToReceive {
                deliver(bytes, into: &output)
            } else {
                keep(bytes, kept)
            }
        }
        if peerFinish == nextToReceive { takeFinish(at: now, into: &output) }
    }

    private mutating func deliver(_ bytes: RawSpan, into output: inout Output) {
        let start = output.arena.count
        output.arena.append(bytes)
        nextToReceive &+= bytes.byteCount
        var count = bytes.byteCount
        if reassembly.isEmpty {
            acknowledgment.noteInOrder()
        } else {
            acknowledgment.isDueNow = true
            if let reached = reassembly.takeReached(nextToReceive, into: &output.arena) {
                count &+= reached.byteCount
                nextToReceive = reached.end
            }
        }
        output.append(.bytes(ByteRange(start: start, count: count)))
        counts.bytesDelivered &+= UInt64(count)
        if consumesExplicitly { unconsumedByteCount &+= count }
    }

    private mutating func keep(_ bytes: RawSpan, _ extent: Extent) {
        counts.outOfOrderSegments &+= 1
        if let overlap = reassembly.overlap(with: extent) { noteDuplicate(overlap.start, overlap.end) }
        reassembly.insert(bytes, at: extent.start, next: nextToReceive)
        acknowledgment.isDueNow = true
    }

    private mutating func takeFinish(at now: Instant, into output: inout Output) {
        nextToReceive &+= 1
        acknowledgment.isDueNow = true
        output.append(.peerFinished)
        switch state {
        case .established: state = .closeWait
        case .finishWait1: state = .closing
        case .finishWait2: enterTimeWait(at: now, into: &output)
        default: break
        }
    }

    /// Moves on once the other end has acknowledged our FIN.
    private mutating func noteFinishAcknowledged(at now: Instant, into output: inout Output) {
        guard finishRequested, unacknowledged > sendBuffer.end else { return }
        switch state {
        case .finishWait1: state = .finishWait2
        case .closing: enterTimeWait(at: now, into: &output)
        case .lastAcknowledgment: close(.finished, into: &output)
        default: break
        }
    }

    private mutating func enterTimeWait(at now: Instant, into output: inout Output) {
        state = .timeWait
        timers = Timers()
        timers.closing = now + configuration.timeWaitDuration
        sendBuffer.discard()
        reassembly = Reassembly()
        output.append(.closed(.finished))
    }
}
