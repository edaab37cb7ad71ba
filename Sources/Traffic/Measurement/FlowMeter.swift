public import Basics

/// What the receiving end of one direction of a flow measures.
///
/// In go arrivals of stamped datagrams, or octets and transfers of streams; out comes a
/// ``ReceivedReport``. Its size depends on the length of the run, not on the packets: one
/// ``FlowWindow`` each record interval, the gaps, and the histogram's buckets.
public struct FlowMeter: Sendable {
    /// What a meter knows beforehand of the flow that it measures.
    public struct Settings: Equatable, Sendable {
        public var start: Instant
        /// Nothing is sent at or after this instant.
        public var stop: Instant
        /// The time between two packets, where that is constant.
        public var evenGap: Interval?
        /// Whether each five seconds get a mean opinion score; needs an even gap.
        public var isVoice: Bool
        public var recordInterval: Interval

        public init(
            start: Instant, stop: Instant, evenGap: Interval? = nil, isVoice: Bool = false,
            recordInterval: Interval = .milliseconds(100)
        ) {
            self.start = start
            self.stop = stop
            self.evenGap = evenGap
            self.isVoice = isVoice
            self.recordInterval = recordInterval
        }
    }

    private let settings: Settings
    private var sequences = SequenceTracker()
    private var bytes: UInt64 = 0
    private var lastArrival: Instant?
    private var latency = LatencyHistogram()
    private var jitter = JitterEstimator()
    private var gaps: GapDetector
    private var streamGaps = StreamGapDetector()
    private var windows: WindowRecorder
    private var voice: VoiceQuality?
    private var completionTimes: [Interval] = []

    public init(_ settings: Settings) {
        var settings = settings
        settings.stop = min(settings.stop, settings.start + .seconds(1_000_000_000))
        self.settings = settings
        gaps = GapDetector(start: settings.start, evenGap: settings.evenGap)
        let length = max(settings.stop - settings.start, .zero)
        windows = WindowRecorder(
            interval: settings.recordInterval,
            expectedCount: Int(length.nanoseconds / max(1, settings.recordInterval.nanoseconds)) + 8)
        if settings.isVoice, let gap = settings.evenGap { voice = VoiceQuality(packetization: gap) }
    }

    /// The number that the next packet has if none is lost.
    public var nextSequence: UInt32 { UInt32(truncatingIfNeeded: sequences.expected) }

    /// Takes one datagram; repetitions are counted and otherwise ignored.
    public mutating func receive(_ sequence: UInt32, sentAt: Instant, byteCount: Int, at now: Instant) {
        let number: UInt64
        var skipped: Range<UInt64> = 0..<0
        switch sequences.note(sequence) {
        case .newest(let newest, let count):
            number = newest
            if count > 0 {
                skipped = newest &- count..<newest
                windows.lost(count, at: now)
                voice?.skip(from: newest &- count, count: count)
            }
        case .late(let late):
            number = late
            windows.found()
            gaps.found(late)
        case .duplicate, .tooLate:
            return
        }
        // A send time ahead of the clock is a clock's fault; the packet came all the same.
        let transit = sentAt < now ? now - sentAt : .zero
        bytes &+= UInt64(byteCount)
        lastArrival = now
        latency.record(transit)
        jitter.note(transit: transit)
        gaps.arrive(at: now, sentAt: sentAt, skipped: skipped)
        windows.packet(byteCount: byteCount, latency: transit, jitter: jitter.jitter, at: now)
        voice?.receive(number, latency: transit, jitter: jitter.jitter)
    }

    /// Takes octets of a stream, in order.
    public mutating func receive(streamByteCount byteCount: Int, at now: Instant) {
        bytes &+= UInt64(byteCount)
        lastArrival = now
        streamGaps.arrive(at: now)
        windows.bytes(byteCount, at: now)
    }

    /// Whether a transfer over streams is under way.
    public var isInTransfer: Bool { streamGaps.isBusy }

    /// A transfer over streams is under way from now on: octets are due.
    public mutating func beginTransfer(at now: Instant) {
        streamGaps.begin(at: now)
    }

    /// A transfer has ended; one that reached its end says how long it took.
    public mutating func endTransfer(completionTime: Interval? = nil, at now: Instant) {
        streamGaps.end(at: now)
        if let completionTime { completionTimes.append(completionTime) }
    }

    /// What was measured until `now`; a gap that is still open counts until then, or until the flow's stop.
    public func report(at now: Instant, overStreams: Bool) -> ReceivedReport {
        let end = min(now, settings.stop)
        var report = ReceivedReport(packets: sequences.received, bytes: bytes, lost: sequences.lost)
        report.expected = sequences.expected
        report.duplicates = sequences.duplicates
        report.reordered = sequences.reordered
        report.tooLate = sequences.tooLate
        report.lastArrival = lastArrival
        report.measuredAt = now
        report.latency = latency
        report.jitter = jitter.jitter
        report.windows = Array(windows.windows)
        report.completionTimes = completionTimes
        if overStreams {
            var detector = streamGaps
            detector.finish(at: end)
            report.gaps = detector.gaps
            report.usualGap = detector.usualGap
            report.activeTime = detector.busyTime(at: end)
        } else {
            var detector = gaps
            detector.finish(at: end)
            report.gaps = detector.gaps
            report.usualGap = detector.usualGap
            report.activeTime = max(end - settings.start, .zero)
        }
        report.meanOpinionScores = voice?.scores(expected: spokenCount(at: now)) ?? []
        return report
    }

    /// How many packets must have been sent early enough to have come by now.
    private func spokenCount(at now: Instant) -> UInt64 {
        guard let gap = settings.evenGap, gap > .zero else { return sequences.expected }
        let delay = min(latency.maximum ?? .zero, now - .zero)
        let until = min(now - delay, settings.stop)
        guard until > settings.start else { return sequences.expected }
        return max(sequences.expected, UInt64((until - settings.start).nanoseconds / gap.nanoseconds))
    }
}
