/// A point on a host's monotonic clock, in nanoseconds since the host started it.
///
/// Nothing below the hosts reads a clock: every entry point is handed the instant
/// at which its input happened.
public struct Instant: Comparable, Hashable, Codable, Sendable, BitwiseCopyable {
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The instant at which the host's clock started.
    @inlinable
    public static var zero: Instant { Instant(nanoseconds: 0) }

    /// Later than anything that happens.
    @inlinable
    public static var never: Instant { Instant(nanoseconds: .max) }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    @inlinable
    public static func + (instant: Instant, interval: Interval) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &+ UInt64(bitPattern: interval.nanoseconds))
    }

    @inlinable
    public static func - (instant: Instant, interval: Interval) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &- UInt64(bitPattern: interval.nanoseconds))
    }

    @inlinable
    public static func - (later: Instant, earlier: Instant) -> Interval {
        Interval(nanoseconds: Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
    }

    @inlinable
    public static func += (instant: inout Instant, interval: Interval) {
        instant = instant + interval
    }
}
