import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct CongestionTests {
    private static let segmentSize = 1_000
    private static let start = Instant(nanoseconds: 7_000_000_000)

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
        var now = Self.start
        while now - Self.start < duration {
            var rest = control.window
            while rest > 0 {
                control.acknowledge(progress(min(rest, 2 * Self.segmentSize)), at: now)
                rest -= 2 * Self.segmentSize
            }
            body(now - Self.start, Double(control.window) / Double(Self.segmentSize))
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
        // The round in which all is 8 ms later begins at 320 segments, and nine of its ACKs say so.
        #expect(control.slowStartThreshold == 328_000)
    }

    /// A slow start from so many segments with an ACK each millisecond, but for a gap, until it ends or they do.
    private func train(from segments: Int, gapAt gap: Int? = nil) -> (control: CongestionControl, count: Int) {
        var control = CongestionControl(.cubic, segmentSize: 1_000, initialWindow: segments * 1_000)
        var now = Self.start - .milliseconds(Int64(segments))
        var count = 0
        while control.isInSlowStart, count < segments {
            count += 1
            now += .milliseconds(count == gap ? 3 : 1)
            var one = progress(next: segments * 1_000)
            one.unacknowledged = count * 1_000
            control.acknowledge(one, at: now)
        }
        return (control, count)
    }

    @Test func `slow start ends when the ACKs of a round take half a round trip`() {
        // Of a round trip of 50 ms half, and half a millisecond for bursts: that is over at the 27th.
        let (ended, count) = train(from: 40)
        #expect(count == 27 && ended.slowStartThreshold == 66_000)
        #expect(train(from: 26).control.isInSlowStart)
        // What does not follow closely belongs to no train.
        #expect(train(from: 40, gapAt: 20).control.isInSlowStart)
    }

    @Test func `a window of few segments says nothing of the path`() {
        var control = CongestionControl(.cubic, segmentSize: 1_000, initialWindow: 4_000)
        for round in 1...100 {
            // A receiver's window, and not ours, is what holds the sender back.
            var one = progress(next: round * 4_000)
            one.isWindowLimited = false
            one.roundTrip = .milliseconds(10 * Int64(round))
            control.acknowledge(one, at: Instant(nanoseconds: UInt64(round) * 500_000))
        }
        #expect(control.isInSlowStart)
    }

    @Test func `until a loss has shown the plateau, the window grows by a twentieth each round trip`() {
        var control = train(from: 100).control
        var windows: [Double] = []
        run(&control, for: .milliseconds(500)) { _, window in windows.append(window) }
        for (earlier, later) in zip(windows, windows.dropFirst()) {
            #expect((1.045..<1.06).contains(later / earlier), "\(windows)")
        }
        // After a timeout, too, nothing is known of the path (RFC 9438 §4.8).
        var late = afterLoss(.cubic, at: 1_000)
        late.noteTimeout()
        #expect(late.window == 1_000 && late.isInSlowStart)
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
