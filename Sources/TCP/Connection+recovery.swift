import Basics
import Wire

extension Connection {
    /// Looks for losses after an ACK; returns whether new ones were found.
    mutating func findLosses(hasAdvanced: Bool, at now: Instant) -> Bool {
        guard usesSelectiveAcknowledgments else { return findLossesByDuplicates(hasAdvanced: hasAdvanced) }
        let (found, next) = scoreboard.detectLosses(at: now, reorderingWindow: reorderingWindow)
        timers.reordering = next ?? .never
        return found
    }

    /// RFC 6582 §3.2: three duplicates begin a recovery, an ACK of a part of it gives up the next segment.
    private mutating func findLossesByDuplicates(hasAdvanced: Bool) -> Bool {
        switch recovery.phase {
        case .open:
            guard recovery.duplicateCount >= 3, unacknowledged > recovery.end || recovery.end == 0 else { return false }
            return scoreboard.loseFirst(sentBefore: nil)
        case .recovery:
            guard hasAdvanced, unacknowledged < recovery.end else { return false }
            return scoreboard.loseFirst(sentBefore: recovery.startedAt)
        case .timeout:
            return false
        }
    }

    /// How long a segment may be overtaken before it counts as lost (RFC 8985 §6.2 step 4).
    @inline(__always)
    private var reorderingWindow: Interval {
        if !scoreboard.hasSeenReordering, recovery.phase != .open || scoreboard.sackedSegmentCount >= 3 {
            return .zero
        }
        let quarter = (estimator.minimum ?? .zero) / 4
        return min(quarter * recovery.reorderingMultiplier, estimator.smoothed ?? .zero)
    }

    /// A segment came twice, so it was given up too early: the window widens, once a round trip.
    mutating func widenReorderingWindow() {
        guard unacknowledged >= recovery.duplicateRoundEnd else { return }
        recovery.duplicateRoundEnd = nextToSend
        recovery.reorderingMultiplier = min(recovery.reorderingMultiplier + 1, 64)
        recovery.recoveriesToForget = 16
    }

    mutating func enterRecovery(pipeBefore: Int, at now: Instant) {
        rememberForUndo(at: now)
        congestion.noteLoss(inFlight: pipeBefore)
        counts.fastRecoveries &+= 1
        recovery.phase = .recovery
        recovery.startedAt = now
        recovery.end = nextToSend
        recovery.deliveredCount = 0
        recovery.sentCount = 0
        recovery.flightAtStart = max(pipeBefore, segmentSize)
        recovery.probeEnd = nil
        timers.probe = .never
    }

    mutating func leaveRecovery() {
        if recovery.phase == .recovery {
            congestion.setWindow(congestion.slowStartThreshold)
            recovery.recoveriesToForget -= 1
            if recovery.recoveriesToForget <= 0 { recovery.reorderingMultiplier = 1 }
        }
        recovery.phase = .open
        recovery.duplicateCount = 0
    }

    /// RFC 6937 §3.1: sends in proportion to what arrives until the window is down at the threshold.
    mutating func reduceProportionally(_ delivered: Int, hasAdvanced: Bool, foundLosses: Bool) {
        recovery.deliveredCount = min(recovery.deliveredCount + delivered, 1 << 32)
        let threshold = congestion.slowStartThreshold
        var allowance: Int
        if pipe > threshold {
            let share = (recovery.deliveredCount * threshold + recovery.flightAtStart - 1) / recovery.flightAtStart
            allowance = share - recovery.sentCount
        } else {
            allowance = recovery.deliveredCount - recovery.sentCount
            if hasAdvanced, !foundLosses { allowance = max(allowance, delivered) + segmentSize }
            allowance = min(threshold - pipe, allowance)
        }
        if recovery.sentCount == 0 { allowance = max(allowance, segmentSize) }
        congestion.setWindow(pipe + max(0, allowance))
    }

    // MARK: - Needless reductions

    private mutating func rememberForUndo(at now: Instant) {
        recovery.undo = Recovery.Undo(
            window: congestion.window, slowStartThreshold: congestion.slowStartThreshold,
            start: scoreboard.firstLost?.start ?? unacknowledged, timestamp: timestamp(at: now))
    }

    /// Takes a reduction back where the echoed timestamp says that the original had arrived (RFC 3522, RFC 4015).
    mutating func judgeReduction(_ header: TCPHeader, acknowledgment: Int) {
        guard let undo = recovery.undo, acknowledgment > undo.start else { return }
        recovery.undo = nil
        guard usesTimestamps, let echo = header.timestamps?.echo, echo != 0, echo.isBefore(undo.timestamp),
            recovery.phase != .open
        else { return }
        counts.spuriousRecoveries &+= 1
        scoreboard.recallLosses()
        recovery.phase = .open
        recovery.duplicateCount = 0
        congestion.restore(window: undo.window, slowStartThreshold: undo.slowStartThreshold)
    }

    // MARK: - Timeouts

    /// Starts over from the first missing segment (RFC 6298 §5, RFC 5681 §3.1).
    mutating func retransmissionTimedOut(at now: Instant, into output: inout Output) {
        counts.timeouts &+= 1
        let inFlight = pipe
        // What is acknowledged only selectively at the very front was dropped again (RFC 2018 §8).
        if scoreboard.firstIsSacked { scoreboard.forgetSacked() }
        scoreboard.loseAll()
        if recovery.phase != .timeout { rememberForUndo(at: now) }
        if recovery.phase != .timeout || unacknowledged > recovery.timedOutAt {
            congestion.noteLoss(inFlight: inFlight)
        }
        congestion.noteTimeout()
        recovery.phase = .timeout
        recovery.timedOutAt = unacknowledged
        recovery.end = nextToSend
        recovery.duplicateCount = 0
        recovery.probeEnd = nil
        timers.probe = .never
        timers.reordering = .never
        timers.retransmission = .never
        estimator.backOff()
        transmit(at: now, into: &output)
    }

    /// Gives up segments whose time to be overtaken is over (RFC 8985 §6.3).
    mutating func reorderingTimedOut(at now: Instant, into output: inout Output) {
        timers.reordering = .never
        let pipeBefore = pipe
        guard findLosses(hasAdvanced: false, at: now) else { return }
        if recovery.phase == .open { enterRecovery(pipeBefore: pipeBefore, at: now) }
        if recovery.phase == .recovery { reduceProportionally(0, hasAdvanced: false, foundLosses: true) }
        transmit(at: now, into: &output)
    }

    // MARK: - Tail loss probes: RFC 8985 §7

    /// Sets the probe for what was just sent, unless a timeout would come first.
    mutating func scheduleProbe(at now: Instant) {
        guard usesSelectiveAcknowledgments, recovery.phase == .open, recovery.probeEnd == nil,
            scoreboard.sackedSegmentCount == 0, let smoothed = estimator.smoothed
        else {
            timers.probe = .never
            return
        }
        var delay = max(smoothed * 2, .milliseconds(2))
        // A single segment may have to wait for the delayed ACK of a foreign stack.
        if scoreboard.count == 1 { delay += .milliseconds(200) }
        let deadline = now + delay
        timers.probe = deadline < timers.retransmission ? deadline : .never
    }

    /// Sends one segment more, new or the last again, so that an ACK tells of what was lost before it.
    mutating func probeTimedOut(at now: Instant, into output: inout Output) {
        timers.probe = .never
        guard !scoreboard.isEmpty, recovery.phase == .open else { return }
        counts.tailLossProbes &+= 1
        if let extent = nextExtent() {
            sendNew(extent, at: now, into: &output)
            recovery.probeWasRetransmission = false
        } else if let segment = scoreboard.retransmitLast(at: now) {
            emitAgain(segment, at: now, into: &output)
            recovery.probeWasRetransmission = true
        }
        recovery.probeEnd = nextToSend
        timers.retransmission = retransmissionDeadline(at: now)
    }

    /// Ends the episode of a probe, and answers to the loss that it repaired unseen (RFC 8985 §7.4).
    mutating func answerProbe(
        acknowledgment: Int, reportsDuplicate: Bool, _ delivery: Delivery, pipeBefore: Int
    ) {
        guard let end = recovery.probeEnd, acknowledgment >= end else { return }
        if !recovery.probeWasRetransmission || reportsDuplicate {
            recovery.probeEnd = nil
        } else if acknowledgment > end {
            recovery.probeEnd = nil
            congestion.noteLoss(inFlight: pipeBefore)
            congestion.setWindow(congestion.slowStartThreshold)
        } else if delivery.byteCount == 0 {
            recovery.probeEnd = nil
        }
    }
}
