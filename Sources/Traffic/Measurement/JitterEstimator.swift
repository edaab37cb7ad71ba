public import Basics

/// The interarrival jitter of RFC 3550 §6.4.1, in the integer form of its appendix A.8.
public struct JitterEstimator: Equatable, Sendable, BitwiseCopyable {
    /// Sixteen times the jitter, in nanoseconds.
    private var scaled: Int64 = 0
    private var lastTransit: Int64 = 0
    private var hasTransit = false

    public init() {}

    /// Takes the one-way time of the packet that arrived now.
    public mutating func note(transit: Interval) {
        defer {
            lastTransit = transit.nanoseconds
            hasTransit = true
        }
        guard hasTransit else { return }
        // Bounded, so that a forged send time can neither overflow nor stick for ever.
        let difference = min(Int64(clamping: (transit.nanoseconds &- lastTransit).magnitude), 3_600_000_000_000)
        scaled &+= difference &- ((scaled &+ 8) >> 4)
    }

    public var jitter: Interval { Interval(nanoseconds: scaled >> 4) }
}
