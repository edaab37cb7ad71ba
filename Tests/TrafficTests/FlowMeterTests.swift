import Basics
import TestKit
import Testing
import Traffic

@Suite struct FlowMeterTests {
    private struct Arrival {
        var at: Instant
        var sequence: UInt32
        var sentAt: Instant
    }

    private func draw(_ random: inout SeededRandom, count: Int, gap: Interval) -> [Arrival] {
        let loss = Ratio(random.unit() * 0.3)
        let spread = Interval.microseconds(Int64(random.below(80_000)) + 1)
        var arrivals: [Arrival] = []
        var outage = 0
        for number in 0..<count {
            if outage == 0, random.chance(Ratio(0.01)) { outage = Int(random.below(40)) }
            outage = max(0, outage - 1)
            guard outage == 0, !random.chance(loss) else { continue }
            let sentAt = Instant.zero + gap * Int64(number)
            for _ in 0..<(random.chance(Ratio(0.05)) ? 2 : 1) {
                let latency = .milliseconds(10) + random.interval(in: .zero...spread)
                arrivals.append(Arrival(at: sentAt + latency, sequence: UInt32(number), sentAt: sentAt))
            }
        }
        return arrivals.enumerated().sorted { ($0.1.at, $0.0) < ($1.1.at, $1.0) }.map(\.1)
    }

    @Test func `a meter says what a list of all arrivals says`() {
        forEachSeed { random in
            let gap = Interval.milliseconds(Int64(random.below(20)) + 1)
            let arrivals = draw(&random, count: 1_000, gap: gap)
            let stop = Instant.zero + gap * 1_000
            var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: stop, evenGap: gap))
            var distinct: [Arrival] = []
            var seen: Set<UInt32> = []
            for arrival in arrivals {
                meter.receive(arrival.sequence, sentAt: arrival.sentAt, byteCount: 100, at: arrival.at)
                if seen.insert(arrival.sequence).inserted { distinct.append(arrival) }
            }
            let end = max(stop, arrivals.last?.at ?? stop)
            let report = meter.report(at: end, overStreams: false)
            let expected = (seen.max().map(Int.init) ?? -1) + 1
            try #require(report.packets == UInt64(seen.count))
            try #require(report.bytes == UInt64(seen.count) * 100)
            try #require(report.lost == UInt64(expected - seen.count))
            try #require(report.duplicates == UInt64(arrivals.count - distinct.count))
            try requireLatency(report, of: distinct)
            try requireGaps(report, of: distinct, seen: seen, gap: gap, end: stop)
            try requireWindows(report, of: distinct)
        }
    }

    private func requireLatency(_ report: ReceivedReport, of arrivals: [Arrival]) throws {
        let transits = arrivals.map { ($0.at - $0.sentAt).nanoseconds }
        var jitter = 0.0
        for (earlier, later) in zip(transits, transits.dropFirst()) {
            jitter += (Double(abs(later - earlier)) - jitter) / 16
        }
        try #require(abs(Double(report.jitter.nanoseconds) - jitter) < 2)
        let sorted = transits.sorted()
        for quantile in [0.05, 0.5, 0.95, 0.99] {
            let wanted = sorted[max(1, Int((quantile * Double(sorted.count)).rounded(.up))) - 1]
            let got = try #require(report.latency.percentile(Ratio(quantile))).nanoseconds
            try #require(abs(got - wanted) * 512 <= wanted)
        }
    }

    private func requireGaps(
        _ report: ReceivedReport, of arrivals: [Arrival], seen: Set<UInt32>, gap: Interval, end: Instant
    ) throws {
        let threshold = max(gap * 3, .milliseconds(20))
        var wanted: [DeliveryGap] = []
        var last = Instant.zero
        var next: UInt32 = 0
        for (index, arrival) in arrivals.enumerated() {
            let skipped = arrival.sequence > next ? Array(next..<arrival.sequence) : []
            if arrival.at - last > threshold, index > 0 || !skipped.isEmpty {
                let lost = skipped.count { !seen.contains($0) }
                wanted.append(DeliveryGap(start: last, end: arrival.at, packetsLost: UInt64(lost)))
            }
            last = arrival.at
            next = max(next, arrival.sequence + 1)
        }
        if end > last, end - last > threshold { wanted.append(DeliveryGap(start: last, end: end, isOpen: true)) }
        try #require(report.gaps.count == wanted.count)
        for (got, want) in zip(report.gaps, wanted) {
            try #require(got.start == want.start && got.end == want.end && got.isOpen == want.isOpen)
            try #require(got.packetsLost == want.packetsLost)
        }
    }

    private func requireWindows(_ report: ReceivedReport, of arrivals: [Arrival]) throws {
        for (earlier, later) in zip(report.windows, report.windows.dropFirst()) {
            try #require(later.start - earlier.start == .milliseconds(100))
        }
        for window in report.windows {
            let inside = arrivals.filter { $0.at >= window.start && $0.at < window.start + .milliseconds(100) }
            let transits = inside.map { ($0.at - $0.sentAt).nanoseconds }
            try #require(window.received == UInt32(inside.count))
            try #require(window.bytes == UInt64(inside.count) * 100)
            try #require(window.latencyMaximum.nanoseconds == transits.max() ?? 0)
            let mean = inside.isEmpty ? nil : transits.reduce(0, +) / Int64(inside.count)
            try #require(window.latencyMean?.nanoseconds == mean)
        }
        try #require(report.windows.reduce(0) { $0 + UInt64($1.lost) } == report.lost)
    }

    @Test func `late packets take back what was lost, in the total, the window and the gap`() throws {
        let gap = Interval.milliseconds(10)
        var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: .milliseconds(10_000), evenGap: gap))
        for number in 0..<10 as Range<UInt32> { arrive(number, at: 50 + Int64(number) * 10, &meter) }
        for number in 40..<50 as Range<UInt32> { arrive(number, at: 50 + Int64(number) * 10, &meter) }
        let before = meter.report(at: .milliseconds(545), overStreams: false)
        #expect(before.lost == 30)
        #expect(before.gaps == [ClosedGap(start: 140, end: 450, lost: 30)])
        arrive(25, at: 545, &meter)
        arrive(26, at: 546, &meter)
        let after = meter.report(at: .milliseconds(550), overStreams: false)
        #expect(after.lost == 28)
        #expect(after.gaps.map(\.packetsLost) == [28])
        #expect(after.windows.map(\.lost) == [0, 0, 0, 0, 28, 0])
        #expect(after.reordered == 2)
    }

    private func arrive(_ number: UInt32, at milliseconds: Int64, _ meter: inout FlowMeter) {
        let sentAt = Instant.milliseconds(Int64(number) * 10)
        meter.receive(number, sentAt: sentAt, byteCount: 100, at: .milliseconds(milliseconds))
    }

    @Test func `packets that change places after a silence of the sender end no gap`() {
        var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: .milliseconds(60_000)))
        func arrive(_ number: UInt32, sent: Int64, at: Int64) {
            meter.receive(number, sentAt: .milliseconds(sent), byteCount: 10, at: .milliseconds(at))
        }
        arrive(0, sent: 0, at: 40)
        arrive(1, sent: 10, at: 50)
        arrive(4, sent: 2_002, at: 2_042)
        arrive(3, sent: 2_001, at: 2_043)
        let before = meter.report(at: .milliseconds(2_050), overStreams: false).gaps
        #expect(before == [ClosedGap(start: 50, end: 2_042, lost: 1)])
        arrive(2, sent: 2_000, at: 2_060)
        #expect(meter.report(at: .milliseconds(2_061), overStreams: false).gaps.isEmpty)
    }

    @Test func `a gap still open at the end counts while packets were being sent`() {
        let settings = FlowMeter.Settings(start: .zero, stop: .milliseconds(1_000), evenGap: .milliseconds(10))
        var meter = FlowMeter(settings)
        for number in 0..<50 as Range<UInt32> { arrive(number, at: 5 + Int64(number) * 10, &meter) }
        #expect(meter.report(at: .milliseconds(520), overStreams: false).gaps.isEmpty)
        let during = meter.report(at: .milliseconds(800), overStreams: false).gaps
        #expect(during == [DeliveryGap(start: .milliseconds(495), end: .milliseconds(800), isOpen: true)])
        let after = meter.report(at: .milliseconds(5_000), overStreams: false).gaps
        #expect(after == [DeliveryGap(start: .milliseconds(495), end: .milliseconds(1_000), isOpen: true)])
        for number in 50..<100 as Range<UInt32> { arrive(number, at: 5 + Int64(number) * 10, &meter) }
        #expect(meter.report(at: .milliseconds(5_000), overStreams: false).gaps.isEmpty)
    }

    @Test func `a flow of which nothing ever came is one gap from its start`() {
        let settings = FlowMeter.Settings(
            start: .milliseconds(100), stop: .milliseconds(1_000), evenGap: .milliseconds(10))
        let meter = FlowMeter(settings)
        #expect(meter.report(at: .milliseconds(50), overStreams: false).gaps.isEmpty)
        let gaps = meter.report(at: .milliseconds(2_000), overStreams: false).gaps
        #expect(gaps == [DeliveryGap(start: .milliseconds(100), end: .milliseconds(1_000), isOpen: true)])
    }

    @Test func `a sender's own silence is no gap in a flow without rhythm, a loss or a stall is`() {
        var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: .milliseconds(60_000)))
        func arrive(_ number: UInt32, sent: Int64, at: Int64) {
            meter.receive(number, sentAt: .milliseconds(sent), byteCount: 10, at: .milliseconds(at))
        }
        arrive(0, sent: 0, at: 40)
        arrive(1, sent: 10, at: 50)
        arrive(2, sent: 2_000, at: 2_040)
        #expect(meter.report(at: .milliseconds(2_050), overStreams: false).gaps.isEmpty)
        for number in 3..<100 as Range<UInt32> {
            arrive(number, sent: 2_000 + Int64(number), at: 2_040 + Int64(number))
        }
        arrive(101, sent: 2_300, at: 2_340)
        arrive(102, sent: 2_301, at: 2_900)
        let gaps = meter.report(at: .milliseconds(2_901), overStreams: false).gaps
        #expect(gaps == [ClosedGap(start: 2_139, end: 2_340, lost: 1), ClosedGap(start: 2_340, end: 2_900, lost: 0)])
    }

    @Test func `a blackout spoils the voice windows in which it lay and no others`() {
        let settings = FlowMeter.Settings(
            start: .zero, stop: .milliseconds(20_000), evenGap: .milliseconds(20), isVoice: true)
        var meter = FlowMeter(settings)
        for number in 0..<1_000 as Range<UInt32> where !(300..<700).contains(number) {
            let sentAt = Instant.milliseconds(Int64(number) * 20)
            meter.receive(number, sentAt: sentAt, byteCount: 172, at: sentAt + .milliseconds(30))
        }
        let report = meter.report(at: .milliseconds(20_030), overStreams: false)
        let clean = EModel.g711.meanOpinionScore(delay: .milliseconds(70), loss: .zero)
        #expect(report.meanOpinionScores.count == 4)
        #expect(report.meanOpinionScores[0] == clean)
        #expect(report.meanOpinionScores[1] < 1.5)
        #expect(report.meanOpinionScores[2] < 1.5)
        #expect(report.meanOpinionScores[3] == clean)
        #expect(report.gaps == [ClosedGap(start: 299 * 20 + 30, end: 14_030, lost: 400)])
    }

    @Test func `a meter takes any stamp without a trap`() {
        forEachSeed { random in
            var meter = FlowMeter(
                FlowMeter.Settings(
                    start: .milliseconds(5), stop: random.chance(Ratio(0.5)) ? .never : .milliseconds(900),
                    evenGap: random.chance(Ratio(0.5)) ? .milliseconds(20) : nil, isVoice: true))
            var now = Instant.zero
            for _ in 0..<300 {
                now += .microseconds(Int64(random.below(30_000)))
                let sequence = UInt32(truncatingIfNeeded: random.next() >> random.below(64))
                let sentAt = Instant(nanoseconds: random.next() >> random.below(64))
                meter.receive(sequence, sentAt: sentAt, byteCount: Int(random.below(2_000)), at: now)
            }
            let report = meter.report(at: now, overStreams: false)
            try #require(report.packets + report.duplicates + report.tooLate == 300)
            let sent = SentReport(
                packets: random.next(), bytes: 0, firstAt: .zero, lastAt: now, windowsStart: .zero,
                windowLength: .milliseconds(100), windows: [1, 2, 3])
            let halves = [
                FlowReport(flow: 1, direction: .forward, application: "cbr", sent: sent),
                FlowReport(flow: 1, direction: .forward, application: "cbr", received: report),
            ]
            try #require(FlowReport.merged(halves).count == 1)
        }
    }

    @Test func `a datagram costs no allocation once warm`() {
        let settings = FlowMeter.Settings(
            start: .zero, stop: .milliseconds(100_000), evenGap: .milliseconds(1))
        var meter = FlowMeter(settings)
        func run(_ numbers: Range<UInt32>) {
            for number in numbers where number % 7 != 3 {
                let sentAt = Instant.milliseconds(Int64(number))
                meter.receive(
                    number, sentAt: sentAt, byteCount: 100, at: sentAt + .microseconds(20_000 + Int64(number % 100)))
            }
        }
        run(0..<1_000)
        #expect(allocations { run(1_000..<20_000) } == 0)
    }
}

/// What is seen of a gap from outside.
private struct ClosedGap: Equatable {
    var start: Int64
    var end: Int64
    var lost: UInt64
}

private func == (gaps: [DeliveryGap], wanted: [ClosedGap]) -> Bool {
    gaps.map { gap in
        ClosedGap(
            start: (gap.start - .zero).nanoseconds / 1_000_000, end: (gap.end - .zero).nanoseconds / 1_000_000,
            lost: gap.packetsLost)
    } == wanted && gaps.allSatisfy { !$0.isOpen }
}
