public import Basics

/// What the sending end says of one direction of a flow.
public struct SentReport: Equatable, Codable, Sendable {
    /// Datagrams; 0 for streams.
    public var packets: UInt64
    /// Payload octets.
    public var bytes: UInt64
    public var firstAt: Instant?
    public var lastAt: Instant?
    /// The start of the first of `windows`.
    public var windowsStart: Instant
    public var windowLength: Interval
    /// Datagrams sent in each window of the record interval.
    public var windows: [UInt32]

    public init(
        packets: UInt64 = 0, bytes: UInt64 = 0, firstAt: Instant? = nil, lastAt: Instant? = nil,
        windowsStart: Instant = .zero, windowLength: Interval = .milliseconds(100), windows: [UInt32] = []
    ) {
        self.packets = packets
        self.bytes = bytes
        self.firstAt = firstAt
        self.lastAt = lastAt
        self.windowsStart = windowsStart
        self.windowLength = windowLength
        self.windows = windows
    }

    /// How many datagrams were sent after `instant`, to within one window's evenness.
    func packets(after instant: Instant) -> UInt64 {
        guard let lastAt, instant < lastAt else { return 0 }
        var count = 0.0
        for index in windows.indices.reversed() {
            let start = windowsStart + windowLength * Int64(index)
            let end = min(start + windowLength, lastAt)
            let behind = end - max(start, instant)
            let share = Double(max(behind, .zero).nanoseconds) / Double(max(1, (end - start).nanoseconds))
            count += Double(windows[index]) * share
            guard instant < start else { break }
        }
        return UInt64(count.rounded(.up))
    }
}

/// What the receiving end says of one direction of a flow.
public struct ReceivedReport: Equatable, Codable, Sendable {
    /// Different datagrams that came; 0 for streams.
    public var packets: UInt64
    /// Payload octets that came, without repetitions.
    public var bytes: UInt64
    /// Datagrams that were sent and never came.
    ///
    /// The receiving end alone knows only of those before the last that came; merging adds the rest.
    public var lost: UInt64
    /// Datagrams up to the highest number that came.
    public var expected: UInt64 = 0
    public var duplicates: UInt64 = 0
    /// Datagrams that came behind a later one (RFC 4737 §3).
    public var reordered: UInt64 = 0
    /// Datagrams so late that they could not be told from repetitions.
    public var tooLate: UInt64 = 0
    public var lastArrival: Instant?
    public var measuredAt: Instant = .zero
    /// One-way latency of the datagrams.
    public var latency = LatencyHistogram()
    /// RFC 3550 §6.4.1, at the end.
    public var jitter: Interval = .zero
    /// The flow's own time between arrivals, to be taken off a gap.
    public var usualGap: Interval = .zero
    public var gaps: [DeliveryGap] = []
    public var windows: [FlowWindow] = []
    /// How long each transfer or page took that reached its end.
    public var completionTimes: [Interval] = []
    /// One for each five seconds of a call.
    public var meanOpinionScores: [Double] = []
    /// The time in which there was something to deliver.
    public var activeTime: Interval = .zero

    public init(packets: UInt64 = 0, bytes: UInt64 = 0, lost: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
        self.lost = lost
    }

    /// Payload delivered, in bits per second of the time in which there was something to deliver.
    public var goodput: Double {
        activeTime > .zero ? Double(bytes) * 8 / activeTime.inSeconds : 0
    }

    /// The longest gap in delivery.
    public var longestGap: DeliveryGap? { gaps.max { $0.length < $1.length } }
}

/// One direction of one flow, as one or both of its ends saw it.
public struct FlowReport: Equatable, Codable, Sendable {
    /// The flow's number in the run.
    public var flow: UInt32
    public var direction: FlowDirection
    /// The application's name in scenario files.
    public var application: String
    /// Present where the sending end has spoken.
    public var sent: SentReport?
    /// Present where the receiving end has spoken.
    public var received: ReceivedReport?

    public init(
        flow: UInt32, direction: FlowDirection, application: String, sent: SentReport? = nil,
        received: ReceivedReport? = nil
    ) {
        self.flow = flow
        self.direction = direction
        self.application = application
        self.sent = sent
        self.received = received
    }

    public var latency: LatencyHistogram { received?.latency ?? LatencyHistogram() }
    public var jitter: Interval { received?.jitter ?? .zero }
    public var goodput: Double { received?.goodput ?? 0 }
    public var mos: [Double] { received?.meanOpinionScores ?? [] }
    public var completionTimes: [Interval] { received?.completionTimes ?? [] }
    public var gaps: [DeliveryGap] { received?.gaps ?? [] }
    public var windows: [FlowWindow] { received?.windows ?? [] }

    /// The share of the datagrams that were sent, and not still on their way, that never came.
    public var lossRatio: Ratio {
        guard let received else { return .zero }
        return Ratio(received.lost, of: received.packets + received.lost)
    }
}
