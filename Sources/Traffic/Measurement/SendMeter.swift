public import Basics

/// What the sending end of one direction of a flow counts.
public struct SendMeter: Sendable {
    public private(set) var packets: UInt64 = 0
    /// Payload octets.
    public private(set) var bytes: UInt64 = 0
    private var firstAt: Instant?
    private var lastAt: Instant = .zero
    private var counts: ContiguousArray<UInt32> = []
    private var windowsStart: Instant = .zero
    private var windowEnd: Instant = .zero
    private let recordInterval: Interval
    private let expectedCount: Int

    /// A meter for a flow that lasts about `duration`.
    public init(recordInterval: Interval = .milliseconds(100), duration: Interval = .zero) {
        self.recordInterval = max(recordInterval, .microseconds(1))
        let count = max(0, duration.nanoseconds) / self.recordInterval.nanoseconds
        expectedCount = Int(min(count, 16_384)) + 8
    }

    /// Counts a datagram.
    public mutating func send(byteCount: Int, at now: Instant) {
        packets &+= 1
        send(streamByteCount: byteCount, at: now)
        if now >= windowEnd { extend(to: now) }
        counts[counts.count &- 1] &+= 1
    }

    /// Counts octets written to a stream.
    public mutating func send(streamByteCount byteCount: Int, at now: Instant) {
        bytes &+= UInt64(byteCount)
        if firstAt == nil { firstAt = now }
        lastAt = now
    }

    /// What was counted.
    public func report() -> SentReport {
        SentReport(
            packets: packets, bytes: bytes, firstAt: firstAt, lastAt: firstAt.map { _ in lastAt },
            windowsStart: windowsStart, windowLength: recordInterval, windows: Array(counts))
    }

    @inline(never)
    private mutating func extend(to now: Instant) {
        if counts.isEmpty {
            counts.reserveCapacity(expectedCount)
            let width = UInt64(recordInterval.nanoseconds)
            windowsStart = Instant(nanoseconds: now.nanoseconds - now.nanoseconds % width)
            windowEnd = windowsStart
        }
        while windowEnd <= now {
            counts.append(0)
            windowEnd += recordInterval
        }
    }
}
