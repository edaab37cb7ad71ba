import Basics

/// HyStart++: ends the first slow start when round trips grow, before the queue overflows (RFC 9406 §4.2).
struct SlowStart: Sendable {
    /// The most segments that one ACK lets the window grow by, for a sender that does not pace (L).
    static let largestGrowth = 8

    private static let sampleCount = 8
    private static let leastThreshold = Interval.milliseconds(4)
    private static let largestThreshold = Interval.milliseconds(16)
    private static let conservativeDivisor = 4
    private static let conservativeRoundCount = 5
    private static let unknown = Interval(nanoseconds: .max)

    private(set) var isWatching = true
    private(set) var hasEnded = false
    private var roundEnd = 0
    private var lastMinimum = unknown
    private var currentMinimum = unknown
    private var samples = 0
    /// The round trip that began conservative slow start; nil outside it.
    private var baseline: Interval?
    private var conservativeRounds = 0

    /// What growth is divided by.
    var growthDivisor: Int { baseline == nil ? 1 : Self.conservativeDivisor }

    /// Ends the watch: this is for the first slow start of a connection only.
    mutating func stop() {
        isWatching = false
        baseline = nil
    }

    mutating func observe(_ progress: CongestionControl.Progress) {
        if let sample = progress.roundTrip {
            currentMinimum = min(currentMinimum, sample)
            samples += 1
            judge()
        }
        guard progress.unacknowledged >= roundEnd else { return }
        roundEnd = progress.next
        lastMinimum = currentMinimum
        currentMinimum = Self.unknown
        samples = 0
        guard baseline != nil else { return }
        conservativeRounds += 1
        if conservativeRounds >= Self.conservativeRoundCount {
            stop()
            hasEnded = true
        }
    }

    private mutating func judge() {
        guard samples >= Self.sampleCount, currentMinimum < Self.unknown else { return }
        if let baseline {
            if currentMinimum < baseline {
                self.baseline = nil
                conservativeRounds = 0
            }
        } else if lastMinimum < Self.unknown {
            let threshold = max(Self.leastThreshold, min(lastMinimum / 8, Self.largestThreshold))
            if currentMinimum >= lastMinimum + threshold {
                baseline = currentMinimum
                conservativeRounds = 0
            }
        }
    }
}
