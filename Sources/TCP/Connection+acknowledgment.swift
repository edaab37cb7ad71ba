import Basics
import Wire

/// Where a segment that arrived stands.
struct Arrival: BitwiseCopyable {
    var sequence: Int
    var acknowledgment: Int
    /// It carries neither data nor a FIN.
    var isBare: Bool
}

extension Connection {
    /// What counts as in flight: with duplicate ACKs but no SACK, each stands for a segment that arrived.
    @inline(__always)
    var pipe: Int {
        scoreboard.flightByteCount
            &- min(recovery.duplicateCount &* segmentSize, scoreboard.flightByteCount)
    }

    /// Takes the acknowledgment of an acceptable segment (RFC 9293 §3.10.7.4, fifth).
    mutating func acknowledge(
        _ header: TCPHeader, _ arrival: Arrival, at now: Instant, into output: inout Output
    ) {
        let offset = arrival.acknowledgment
        let pipeBefore = pipe
        let previous = unacknowledged
        let windowMoved = updateSendWindow(header, arrival)
        var delivery = Delivery(
            now: now, minimumRoundTrip: estimator.minimum ?? .zero, answeredBefore: answeredBefore(header, at: now))
        if offset > previous { advance(to: offset, &delivery, at: now, into: &output) }
        var reportsDuplicate = false
        if header.sackBlockCount > 0, usesSelectiveAcknowledgments {
            reportsDuplicate = takeBlocks(header, acknowledgment: offset, &delivery)
        }
        measure(delivery, header, hasAdvanced: offset > previous, at: now)
        guard !scoreboard.isEmpty || delivery.byteCount > 0 else {
            // Whoever answers probes of a closed window is alive, however long it stays closed.
            waitingSince = now
            return
        }
        if !usesSelectiveAcknowledgments {
            countDuplicates(delivery, isDuplicate: offset == previous && arrival.isBare && !windowMoved)
        }
        if reportsDuplicate { widenReorderingWindow() }
        if offset > previous { judgeReduction(header, acknowledgment: offset) }
        answerProbe(acknowledgment: offset, reportsDuplicate: reportsDuplicate, delivery, pipeBefore: pipeBefore)
        let found = findLosses(hasAdvanced: offset > previous, at: now)
        if found, recovery.phase == .open { enterRecovery(pipeBefore: pipeBefore, at: now) }
        moveWindow(delivery, hasAdvanced: offset > previous, foundLosses: found, pipeBefore: pipeBefore, at: now)
    }

    /// Takes the window of a segment that is not older than the one it was last taken from.
    private mutating func updateSendWindow(_ header: TCPHeader, _ arrival: Arrival) -> Bool {
        let (sequence, acknowledgment) = (arrival.sequence, arrival.acknowledgment)
        guard
            windowUpdateSequence < sequence
                || (windowUpdateSequence == sequence && windowUpdateAcknowledgment <= acknowledgment)
        else { return false }
        let window = Int(header.window) << Int(sendWindowScale)
        let moved = acknowledgment &+ window != sendWindowEdge
        if sendWindowEdge <= nextToSend, acknowledgment &+ window > nextToSend, scoreboard.isEmpty {
            estimator.endBackoff()
            timers.retransmission = .never
        }
        sendWindowEdge = acknowledgment &+ window
        largestSendWindow = max(largestSendWindow, window)
        windowUpdateSequence = sequence
        windowUpdateAcknowledgment = acknowledgment
        return moved
    }

    private mutating func advance(
        to offset: Int, _ delivery: inout Delivery, at now: Instant, into output: inout Output
    ) {
        let held = sendBuffer.held.byteCount
        unacknowledged = offset
        sendBuffer.release(upTo: offset)
        counts.bytesAcknowledged &+= UInt64(held &- sendBuffer.held.byteCount)
        scoreboard.acknowledge(upTo: offset, &delivery)
        waitingSince = now
        if awaitsRoom, sendBuffer.room >= max(1, sendBuffer.capacity / 4), canWrite {
            awaitsRoom = false
            output.append(.writable(byteCount: sendBuffer.room))
        }
    }

    /// Takes the blocks of a SACK option; returns whether the first reports a duplicate (RFC 2883 §4).
    private mutating func takeBlocks(
        _ header: TCPHeader, acknowledgment: Int, _ delivery: inout Delivery
    ) -> Bool {
        var reportsDuplicate = false
        for index in 0..<header.sackBlockCount {
            let block = header.sackBlocks[index]
            let start = sendSpace.offset(of: block.start, near: unacknowledged)
            let end = sendSpace.offset(of: block.end, near: unacknowledged)
            guard start < end, end <= nextToSend else { continue }
            if index == 0, end <= acknowledgment || isSecondBlock(of: header, covering: start, end) {
                reportsDuplicate = true
                continue
            }
            guard end > unacknowledged else { continue }
            scoreboard.acknowledge(
                selectively: Extent(start: max(start, unacknowledged), end: end), &delivery)
        }
        return reportsDuplicate
    }

    private func isSecondBlock(of header: TCPHeader, covering start: Int, _ end: Int) -> Bool {
        guard header.sackBlockCount > 1 else { return false }
        let second = header.sackBlocks[1]
        return sendSpace.offset(of: second.start, near: unacknowledged) <= start
            && end <= sendSpace.offset(of: second.end, near: unacknowledged)
    }

    /// Measures the round trip by segments sent once, or else by the echoed timestamp (RFC 7323 §4).
    private mutating func measure(_ delivery: Delivery, _ header: TCPHeader, hasAdvanced: Bool, at now: Instant) {
        if let newest = delivery.newestCleanSending {
            estimator.noteMinimum(now - newest, at: now)
            guard usesSelectiveAcknowledgments || !delivery.coversRetransmission else { return }
            let expected = pipe / max(1, 2 * segmentSize)
            estimator.take(now - delivery.oldestCleanSending, expectedCount: expected, at: now)
        } else if hasAdvanced, usesTimestamps, let echo = header.timestamps?.echo, echo != 0 {
            let milliseconds = timestamp(at: now) &- echo
            guard milliseconds < 1 << 31 else { return }
            estimator.take(
                .milliseconds(Int64(milliseconds)), expectedCount: pipe / max(1, 2 * segmentSize), at: now)
        }
    }

    /// The end of the millisecond that the echoed timestamp names.
    @inline(__always)
    private func answeredBefore(_ header: TCPHeader, at now: Instant) -> Instant {
        guard usesTimestamps, let echo = header.timestamps?.echo else { return .never }
        let age = UInt64(timestamp(at: now) &- echo)
        let milliseconds = now.nanoseconds / 1_000_000
        guard age <= milliseconds else { return .never }
        return Instant(nanoseconds: (milliseconds &- age &+ 1) &* 1_000_000)
    }

    private mutating func countDuplicates(_ delivery: Delivery, isDuplicate: Bool) {
        if isDuplicate {
            recovery.duplicateCount += 1
        } else if delivery.byteCount > 0 {
            // A partial ACK takes the segment that was sent again, and those behind it that had arrived.
            let arrived = recovery.phase == .recovery ? max(0, delivery.segmentCount - 1) : .max
            recovery.duplicateCount = max(0, recovery.duplicateCount - min(arrived, recovery.duplicateCount))
        }
    }

    /// Moves the congestion window by what arrived, and ends a recovery that is complete.
    private mutating func moveWindow(
        _ delivery: Delivery, hasAdvanced: Bool, foundLosses: Bool, pipeBefore: Int, at now: Instant
    ) {
        if recovery.phase != .open, unacknowledged >= recovery.end { leaveRecovery() }
        if hasAdvanced {
            timers.retransmission = scoreboard.isEmpty ? .never : retransmissionDeadline(at: now)
            timers.probe = .never
        }
        guard delivery.byteCount > 0 || recovery.phase == .recovery else { return }
        if recovery.phase == .recovery {
            reduceProportionally(delivery.byteCount, hasAdvanced: hasAdvanced, foundLosses: foundLosses)
            return
        }
        // What arrives ahead of its turn does not open the window, unless that is the way of this path (RFC 3042).
        guard hasAdvanced || recovery.phase == .timeout || scoreboard.hasSeenReordering else { return }
        congestion.acknowledge(
            CongestionControl.Progress(
                byteCount: delivery.byteCount, roundTrip: delivery.newestCleanSending.map { now - $0 },
                smoothedRoundTrip: estimator.smoothed ?? .zero, unacknowledged: unacknowledged, next: nextToSend,
                isWindowLimited: recovery.phase == .timeout || pipeBefore &+ segmentSize > congestion.window),
            at: now)
    }
}
