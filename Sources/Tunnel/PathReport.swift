public import Basics

/// What one end received over its last window, as it tells the other.
public struct PathReport: Equatable, Sendable, BitwiseCopyable {
    /// The highest path sequence that arrived.
    public var highestSequence: UInt32
    /// How many packets and probes the sequence numbers say were sent.
    public var expected: UInt32
    public var received: UInt32
    /// RFC 3550 §6.4.1; at most 4.29 s on the wire.
    public var jitter: Interval
    /// One-way latency towards the reporting end; nil where it is not known.
    public var latency: Interval?

    public init(
        highestSequence: UInt32 = 0, expected: UInt32 = 0, received: UInt32 = 0, jitter: Interval = .zero,
        latency: Interval? = nil
    ) {
        self.highestSequence = highestSequence
        self.expected = expected
        self.received = received
        self.jitter = jitter
        self.latency = latency
    }

    /// The share that did not arrive; 0 where nothing was expected.
    public var loss: Ratio {
        Ratio(UInt64(expected > received ? expected - received : 0), of: UInt64(expected))
    }
}
