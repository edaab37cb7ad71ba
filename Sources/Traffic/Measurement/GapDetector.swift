import Basics

/// Finds the times in which a flow of datagrams delivered nothing.
///
/// A flow with an even rhythm has a gap where nothing came for more than three of its
/// intervals and 20 ms. One without has a gap where nothing came for more than three of
/// its mean intervals and 50 ms, and either packets were lost inside or the arrivals lie
/// further apart than the packets were sent: silence of the sender is none.
struct GapDetector: Sendable {
    private(set) var gaps: [DeliveryGap] = []
    private let start: Instant
    private let evenGap: Interval?
    private var meanGap: Interval = .zero
    private var lastArrival: Instant
    private var lastSent: Instant
    private var hasArrival = false

    init(start: Instant, evenGap: Interval?) {
        self.start = start
        self.evenGap = evenGap
        lastArrival = start
        lastSent = start
    }

    /// The flow's own time between packets: its rhythm, else a running mean.
    var usualGap: Interval { evenGap ?? meanGap }

    var threshold: Interval {
        max(usualGap * 3, evenGap == nil ? .milliseconds(50) : .milliseconds(20))
    }

    /// Takes an arrival that is not a repetition; `skipped` are the numbers that it found missing.
    @inline(__always)
    mutating func arrive(at now: Instant, sentAt: Instant, skipped: Range<UInt64>) {
        let elapsed = now - lastArrival
        if elapsed > .milliseconds(20), elapsed > threshold { judge(at: now, sentAt: sentAt, skipped: skipped) }
        if evenGap == nil, hasArrival {
            meanGap += (min(elapsed, .seconds(10)) - meanGap) / 16
        }
        hasArrival = true
        lastArrival = max(lastArrival, now)
        lastSent = sentAt
    }

    @inline(never)
    private mutating func judge(at now: Instant, sentAt: Instant, skipped: Range<UInt64>) {
        // A quiet sender is not a broken path.
        let isQuiet = evenGap == nil && (now - lastArrival) - (sentAt - lastSent) <= threshold
        // The first packet's wait is its latency.
        guard !skipped.isEmpty || hasArrival && !isQuiet else { return }
        var gap = DeliveryGap(start: lastArrival, end: now, packetsLost: UInt64(skipped.count))
        gap.skipped = skipped
        gap.isQuiet = isQuiet
        gaps.append(gap)
    }

    /// A skipped packet came late after all.
    mutating func found(_ number: UInt64) {
        for index in gaps.indices.reversed() {
            if gaps[index].skipped.contains(number) {
                gaps[index].packetsLost -= min(1, gaps[index].packetsLost)
                if gaps[index].packetsLost == 0, gaps[index].isQuiet { gaps.remove(at: index) }
                return
            }
            if !gaps[index].skipped.isEmpty, gaps[index].skipped.upperBound <= number { return }
        }
    }

    /// Counts the time since the last arrival, if packets were still being sent until `end`.
    mutating func finish(at end: Instant) {
        guard end > lastArrival, end - lastArrival > threshold else { return }
        gaps.append(DeliveryGap(start: lastArrival, end: end, isOpen: true))
    }
}

/// Finds the times in which a flow of byte streams delivered nothing while a transfer was under way.
///
/// The usual gap begins as the wait for a transfer's first octets, which is about a round
/// trip, and then follows the arrivals, those closer than 1 ms counting as 1 ms; a gap is
/// longer than three of them and 50 ms. The first wait itself is a gap from 1 s on, the
/// initial retransmission time-out (RFC 6298 §2).
struct StreamGapDetector: Sendable {
    private(set) var gaps: [DeliveryGap] = []
    private(set) var usualGap: Interval = .zero
    /// Time in which at least one transfer was under way, without the present one.
    private var closedBusyTime: Interval = .zero
    private var busySince: Instant = .zero
    private var transferCount = 0
    private var lastArrival: Instant = .zero
    private var hasArrival = false

    var isBusy: Bool { transferCount > 0 }

    private var threshold: Interval {
        hasArrival ? max(usualGap * 3, .milliseconds(50)) : .seconds(1)
    }

    mutating func begin(at now: Instant) {
        if transferCount == 0 {
            busySince = now
            lastArrival = now
            hasArrival = false
        }
        transferCount &+= 1
    }

    mutating func arrive(at now: Instant) {
        guard isBusy else { return }
        let elapsed = now - lastArrival
        if elapsed > threshold { gaps.append(DeliveryGap(start: lastArrival, end: now)) }
        if !hasArrival {
            usualGap = max(usualGap, min(elapsed, .seconds(1)))
        } else {
            // Bursts pull the estimate down slowly, a round trip between two of them pulls it up at once.
            let weight: Int64 = elapsed < .milliseconds(1) ? 256 : 16
            usualGap += (min(max(elapsed, .milliseconds(1)), .seconds(1)) - usualGap) / weight
        }
        hasArrival = true
        lastArrival = now
    }

    mutating func end(at now: Instant) {
        guard transferCount > 0 else { return }
        // A transfer given up in the middle of a gap leaves it open for ever.
        if transferCount == 1 { finish(at: now) }
        transferCount &-= 1
        if transferCount == 0 { closedBusyTime += max(now - busySince, .zero) }
    }

    mutating func finish(at now: Instant) {
        guard isBusy, now - lastArrival > threshold else { return }
        gaps.append(DeliveryGap(start: lastArrival, end: now, isOpen: true))
    }

    func busyTime(at now: Instant) -> Interval {
        isBusy ? closedBusyTime + max(now - busySince, .zero) : closedBusyTime
    }
}
