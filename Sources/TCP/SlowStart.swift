import Basics

/// HyStart: ends slow start before the queue overflows, as Linux has it (Ha and Rhee, "Taming the elephants", 2011).
///
/// Two signs end it: ACKs that have followed each other closely for half a round trip, for then as much is on its way
/// as the path holds; and round trips that grow. A window of few segments has neither.
struct SlowStart: Sendable {
    /// The most segments that one ACK lets the window grow by, for a sender that does not pace (RFC 9406 §4.3).
    static let largestGrowth = 8

    private static let leastSegmentCount = 16
    private static let sampleCount = 8
    private static let leastGrowth = Interval.milliseconds(4)
    private static let largestGrowthOfDelay = Interval.milliseconds(16)
    /// How soon an ACK comes after another that belongs to the same train.
    private static let trainSpacing = Interval.milliseconds(2)
    /// What sending in bursts adds to a train.
    private static let burstAllowance = Interval.milliseconds(1)
    private static let unknown = Interval(nanoseconds: .max)

    private(set) var hasEnded = false
    private var least = unknown
    private var roundStart = Instant.zero
    private var roundEnd = 0
    private var leastOfRound = unknown
    private var samples = 0
    private var trainEnd = Instant.zero

    /// Takes in what an ACK says, at a window of so many segments.
    mutating func observe(_ progress: CongestionControl.Progress, segmentCount: Int, at now: Instant) {
        guard let sample = progress.roundTrip else { return }
        least = min(least, sample)
        if progress.unacknowledged > roundEnd { beginRound(endingAt: progress.next, at: now) }
        guard segmentCount >= Self.leastSegmentCount else { return }
        hasEnded = isTrainLong(at: now) || hasDelayGrown(sample)
    }

    private mutating func beginRound(endingAt end: Int, at now: Instant) {
        roundStart = now
        trainEnd = now
        roundEnd = end
        leastOfRound = Self.unknown
        samples = 0
    }

    private mutating func isTrainLong(at now: Instant) -> Bool {
        guard now - trainEnd <= Self.trainSpacing else { return false }
        trainEnd = now
        return now - roundStart > (least + Self.burstAllowance) / 2
    }

    private mutating func hasDelayGrown(_ sample: Interval) -> Bool {
        leastOfRound = min(leastOfRound, sample)
        guard samples >= Self.sampleCount else {
            samples += 1
            return false
        }
        return leastOfRound > least + max(Self.leastGrowth, min(least / 8, Self.largestGrowthOfDelay))
    }
}
