public import Basics

/// What a flow did in one window of the record interval.
public struct FlowWindow: Equatable, Codable, Sendable, BitwiseCopyable {
    public let start: Instant
    /// Packets that the sending end sent in this window; 0 until the two ends' reports are merged.
    public internal(set) var sent: UInt32 = 0
    /// Different packets that arrived.
    public internal(set) var received: UInt32 = 0
    /// Packets that were found missing in this window, less those of them that came later.
    public internal(set) var lost: UInt32 = 0
    /// Payload octets that arrived.
    public internal(set) var bytes: UInt64 = 0
    public internal(set) var latencyMaximum: Interval = .zero
    /// The flow's jitter (RFC 3550) after the window's last arrival.
    public internal(set) var jitter: Interval = .zero
    var latencySum: UInt64 = 0

    init(start: Instant) {
        self.start = start
    }

    /// The mean one-way latency; nil where no packet arrived.
    public var latencyMean: Interval? {
        received == 0 ? nil : Interval(nanoseconds: Int64(clamping: latencySum / UInt64(received)))
    }
}

/// Fills windows that lie on whole multiples of the record interval, one after the other without a hole.
struct WindowRecorder: Sendable {
    private(set) var windows: ContiguousArray<FlowWindow> = []
    private let interval: Interval
    private let expectedCount: Int
    private var end: Instant = .zero

    /// A recorder; room for `expectedCount` windows is taken when the first opens.
    init(interval: Interval, expectedCount: Int) {
        self.interval = max(interval, .microseconds(1))
        self.expectedCount = min(max(expectedCount, 0), 16_384)
    }

    mutating func packet(byteCount: Int, latency: Interval, jitter: Interval, at now: Instant) {
        let index = open(at: now)
        windows[index].received &+= 1
        windows[index].bytes &+= UInt64(byteCount)
        windows[index].latencySum &+= UInt64(max(0, latency.nanoseconds))
        windows[index].latencyMaximum = max(windows[index].latencyMaximum, latency)
        windows[index].jitter = jitter
    }

    mutating func bytes(_ byteCount: Int, at now: Instant) {
        let index = open(at: now)
        windows[index].bytes &+= UInt64(byteCount)
    }

    mutating func lost(_ count: UInt64, at now: Instant) {
        let index = open(at: now)
        windows[index].lost &+= UInt32(clamping: count)
    }

    /// Takes one loss back, from the latest window that has any.
    mutating func found() {
        guard let index = windows.lastIndex(where: { $0.lost > 0 }) else { return }
        windows[index].lost -= 1
    }

    /// The window of `now`, with empty ones in between where nothing happened.
    @inline(__always)
    private mutating func open(at now: Instant) -> Int {
        if now >= end { extend(to: now) }
        return windows.count &- 1
    }

    @inline(never)
    private mutating func extend(to now: Instant) {
        if windows.isEmpty {
            windows.reserveCapacity(expectedCount)
            let width = UInt64(interval.nanoseconds)
            end = Instant(nanoseconds: now.nanoseconds - now.nanoseconds % width)
        }
        while end <= now {
            windows.append(FlowWindow(start: end))
            end += interval
        }
    }
}
