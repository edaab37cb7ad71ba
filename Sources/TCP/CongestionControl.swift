package import Basics

/// The congestion window: HyStart, then CUBIC (RFC 9438) or NewReno (RFC 5681).
///
/// It counts bytes. Recovery, which decides what is sent while losses are repaired, is the connection's.
package struct CongestionControl: Sendable {
    /// What an ACK says about the path.
    package struct Progress: BitwiseCopyable {
        /// How much it newly reports as arrived.
        package var byteCount: Int
        /// The fastest round trip it measures.
        package var roundTrip: Interval?
        package var smoothedRoundTrip: Interval
        package var unacknowledged: Int
        /// The end of what has been sent.
        package var next: Int
        /// Whether the congestion window, and not the application or the receiver, held the sender back.
        package var isWindowLimited: Bool

        package init(
            byteCount: Int, roundTrip: Interval?, smoothedRoundTrip: Interval, unacknowledged: Int, next: Int,
            isWindowLimited: Bool
        ) {
            self.byteCount = byteCount
            self.roundTrip = roundTrip
            self.smoothedRoundTrip = smoothedRoundTrip
            self.unacknowledged = unacknowledged
            self.next = next
            self.isWindowLimited = isWindowLimited
        }
    }

    /// Far beyond any path, and far from where arithmetic would overflow.
    private static let largestWindow = 1 << 30

    private let algorithm: CongestionAlgorithm
    package private(set) var window: Int
    package private(set) var slowStartThreshold = Int.max
    package private(set) var segmentSize: Int
    private let initialWindow: Int
    private var slowStart = SlowStart()
    private var cubic = CubicCurve()
    /// Bytes acknowledged towards the next growth by one segment (RFC 5681 §3.1).
    private var acknowledgedCount = 0

    package init(_ algorithm: CongestionAlgorithm, segmentSize: Int, initialWindow: Int) {
        self.algorithm = algorithm
        self.segmentSize = segmentSize
        self.initialWindow = initialWindow
        window = initialWindow
    }

    package var isInSlowStart: Bool { window < slowStartThreshold }

    /// Grows the window after an ACK outside recovery.
    package mutating func acknowledge(_ progress: Progress, at now: Instant) {
        if isInSlowStart, !slowStart.hasEnded {
            slowStart.observe(progress, segmentCount: window / segmentSize, at: now)
            if slowStart.hasEnded { slowStartThreshold = window }
        }
        guard progress.isWindowLimited else {
            cubic.endEpoch()
            return
        }
        if isInSlowStart {
            let growth = min(progress.byteCount, SlowStart.largestGrowth * segmentSize)
            window = min(window + growth, Self.largestWindow)
            return
        }
        switch algorithm {
        case .newReno:
            acknowledgedCount += progress.byteCount
            guard acknowledgedCount >= window else { return }
            acknowledgedCount -= window
            window = min(window + segmentSize, Self.largestWindow)
        case .cubic:
            let segments = cubic.grown(
                from: Double(window) / Double(segmentSize),
                acknowledged: Double(progress.byteCount) / Double(segmentSize),
                roundTrip: progress.smoothedRoundTrip, at: now)
            window = min(max(window, Int(min(segments * Double(segmentSize), 1e9))), Self.largestWindow)
        }
    }

    /// Sets the threshold for a loss; the connection brings the window down to it.
    package mutating func noteLoss(inFlight: Int) {
        acknowledgedCount = 0
        let floor = 2 * segmentSize
        switch algorithm {
        case .newReno:
            slowStartThreshold = max(inFlight / 2, floor)
        case .cubic:
            let reduced = cubic.reduce(Double(window) / Double(segmentSize))
            slowStartThreshold = max(Int(min(reduced * Double(segmentSize), 1e9)), floor)
        }
    }

    /// Forgets the path after a timeout, which may be another one now (RFC 9438 §4.8).
    package mutating func noteTimeout() {
        slowStart = SlowStart()
        cubic = CubicCurve()
        setWindow(segmentSize)
    }

    /// Moves the window within recovery, or to the threshold at its end.
    package mutating func setWindow(_ byteCount: Int) {
        window = min(max(byteCount, segmentSize), Self.largestWindow)
        cubic.endEpoch()
    }

    /// Takes a reduction back.
    package mutating func restore(window: Int, slowStartThreshold: Int) {
        setWindow(max(self.window, window))
        self.slowStartThreshold = slowStartThreshold
    }

    /// Halves the window for every timeout of silence, down to the initial one (RFC 2861, RFC 5681 §4.1).
    package mutating func noteIdle(timeoutCount: Int) {
        cubic.endEpoch()
        slowStartThreshold = slowStartThreshold == .max ? .max : max(slowStartThreshold, window / 4 * 3)
        let floor = min(initialWindow, window)
        window = max(window >> min(timeoutCount, 32), floor)
    }

    package mutating func setSegmentSize(_ byteCount: Int) {
        segmentSize = byteCount
        window = max(window, byteCount)
    }
}
