import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct CongestionTests {
    private static let segmentSize = 1_000

    private func progress(_ byteCount: Int = 1_000, next: Int = 0) -> CongestionControl.Progress {
        CongestionControl.Progress(
            byteCount: byteCount, roundTrip: .milliseconds(50), smoothedRoundTrip: .milliseconds(50),
            unacknowledged: next, next: next, isWindowLimited: true)
    }

    /// A window of `segments` segments in congestion avoidance, right after a loss.
    private func afterLoss(_ algorithm: CongestionAlgorithm, at segments: Int) -> CongestionControl {
        var control = CongestionControl(
            algorithm, segmentSize: Self.segmentSize, initialWindow: segments * Self.segmentSize)
        control.noteLoss(inFlight: control.window)
        control.setWindow(control.slowStartThreshold)
        return control
    }

    /// Acknowledges a whole window each round trip and hands each round's window to `body`.
    private func run(
        _ control: inout CongestionControl, for duration: Interval, roundTrip: Interval = .milliseconds(50),
        _ body: (Interval, Double) -> Void
    ) {
        let start = Instant(nanoseconds: 7_000_000_000)
        var now = start
        while now - start < duration {
            var rest = control.window
            while rest > 0 {
                control.acknowledge(progress(min(rest, 2 * Self.segmentSize)), at: now)
                rest -= 2 * Self.segmentSize
            }
            body(now - start, Double(control.window) / Double(Self.segmentSize))
            now += roundTrip
        }
    }

    @Test func `CUBIC follows the curve of RFC 9438`() {
        // W(t) = C (t - K)^3 + Wmax with K = cbrt(Wmax (1 - 0.7) / C): 1000 segments come back in 9.09 s.
        var control = afterLoss(.cubic, at: 1_000)
        #expect(control.window == 700_000)
        let plateauDelay = 9.085_602_964_160_698
        var worst = 0.0
        run(&control, for: .seconds(20)) { elapsed, window in
            // An ACK aims a round trip ahead, and a round trip's ACKs get there.
            let beyond = elapsed.inSeconds + 0.05 - plateauDelay
            let curve = 0.4 * beyond * beyond * beyond + 1_000
            worst = max(worst, (window - curve).magnitude / curve)
        }
        #expect(worst < 0.01)
    }

    @Test func `CUBIC is never slower than Reno would be`() {
        // Ten segments: the curve alone would need 1.96 s, Reno with the same average is there in 28 round trips.
        var control = afterLoss(.cubic, at: 10)
        var reached: Interval?
        run(&control, for: .seconds(3), roundTrip: .milliseconds(10)) { elapsed, window in
            if window >= 10, reached == nil { reached = elapsed }
        }
        // 3 segments at 3 (1 - 0.7) / (1 + 0.7) a round trip are 5.7 round trips.
        #expect((reached ?? .seconds(9)) < .milliseconds(100))
    }

    @Test func `a second loss below the plateau lowers it`() {
        var control = afterLoss(.cubic, at: 1_000)
        control.noteLoss(inFlight: control.window)
        control.setWindow(control.slowStartThreshold)
        #expect((489_999...490_000).contains(control.window))
        var atPlateau = 0.0
        // Fast convergence: Wmax is 700 * 0.85 = 595, K = cbrt(105 / 0.4) = 6.40 s.
        run(&control, for: .milliseconds(6_400)) { _, window in atPlateau = window }
        #expect((atPlateau - 595).magnitude < 3)
    }

    @Test func `NewReno halves, and grows by a segment a round trip`() {
        var control = afterLoss(.newReno, at: 100)
        #expect(control.window == 50_000)
        run(&control, for: .milliseconds(500)) { _, _ in }
        #expect((59_000...61_000).contains(control.window))
    }

    @Test func `slow start doubles and ends when round trips grow`() {
        var control = CongestionControl(.cubic, segmentSize: 1_000, initialWindow: 10_000)
        var next = 10_000
        var acknowledged = 0
        var windows: [Int] = []
        for round in 0..<14 {
            windows.append(control.window)
            // From the fifth round on a queue builds up: 8 ms more each round.
            let roundTrip = Interval.milliseconds(30 + Int64(max(0, round - 4)) * 8)
            let end = next
            while acknowledged < end {
                acknowledged += 1_000
                control.acknowledge(
                    CongestionControl.Progress(
                        byteCount: 1_000, roundTrip: roundTrip, smoothedRoundTrip: roundTrip,
                        unacknowledged: acknowledged, next: next, isWindowLimited: true),
                    at: Instant(nanoseconds: UInt64(round) * 30_000_000))
                next = acknowledged + control.window
            }
        }
        #expect(windows.prefix(5) == [10_000, 20_000, 40_000, 80_000, 160_000])
        #expect(!control.isInSlowStart)
        #expect(control.window < 2_000_000)
    }

    @Test func `a window that is not used does not grow, and idleness brings it back to the first`() {
        var control = CongestionControl(.cubic, segmentSize: 1_000, initialWindow: 10_000)
        var idle = progress()
        idle.isWindowLimited = false
        for _ in 0..<100 { control.acknowledge(idle, at: .zero) }
        #expect(control.window == 10_000)
        for _ in 0..<70 { control.acknowledge(progress(), at: .zero) }
        #expect(control.window == 80_000)
        control.noteIdle(timeoutCount: 1)
        #expect(control.window == 40_000)
        control.noteIdle(timeoutCount: 9)
        #expect(control.window == 10_000)
    }

    @Test func `the first flight is ten segments`() {
        let specimen = Specimen.established()
        specimen.write(count: 1_000_000)
        #expect(specimen.takeSent().count == 10)
        #expect(specimen.connection.statistics.congestionWindow == 14_600)
    }
}
