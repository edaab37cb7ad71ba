public import Basics

/// What a tunnel is told once; both ends are given the same.
public struct TunnelConfiguration: Equatable, Sendable {
    /// The virtual network identifier in every header, below 2^24.
    public var number: UInt32
    public var probeInterval: Interval
    /// So many intervals without an arrival, and the tunnel is silent.
    public var detectMultiplier: Int
    /// Whether both ends read one clock, so that a timestamp's age is the one-way latency.
    public var clocksShared: Bool
    /// Over how long loss is taken, at least.
    public var window: Interval
    /// Of how many packets loss is taken, at least.
    ///
    /// Where the window holds fewer it is stretched, up to tenfold: one lost probe of ten
    /// says nothing of a path's loss and must not move traffic.
    public var lossResolution: UInt32

    public init(
        number: UInt32, probeInterval: Interval = .milliseconds(100), detectMultiplier: Int = 3,
        clocksShared: Bool = false, window: Interval = .seconds(1), lossResolution: UInt32 = 100
    ) {
        precondition(number < 1 << 24 && probeInterval > .zero && detectMultiplier > 0 && window > .zero)
        self.number = number
        self.probeInterval = probeInterval
        self.detectMultiplier = detectMultiplier
        self.clocksShared = clocksShared
        self.window = window
        self.lossResolution = lossResolution
    }

    /// How long after the last arrival the tunnel is silent.
    public var detectionTime: Interval { probeInterval * Int64(detectMultiplier) }
}
