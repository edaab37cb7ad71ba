/// A signed span of time, in nanoseconds.
///
/// Sixty-four bits, not the standard library's 128-bit `Duration`: adding and
/// comparing is a sixteenth of the cost, and 292 years are enough for a run.
public struct Interval: Comparable, Hashable, Codable, Sendable, BitwiseCopyable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable
    public static var zero: Interval { Interval(nanoseconds: 0) }

    /// A span of so many nanoseconds.
    @inlinable
    public static func nanoseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count) }

    /// A span of so many microseconds.
    @inlinable
    public static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000) }

    /// A span of so many milliseconds.
    @inlinable
    public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000) }

    /// A span of so many seconds.
    @inlinable
    public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }

    /// The span in milliseconds, for showing and for records.
    @inlinable
    public var inMilliseconds: Double { Double(nanoseconds) / 1_000_000 }

    /// The span in seconds, for showing and for records.
    @inlinable
    public var inSeconds: Double { Double(nanoseconds) / 1_000_000_000 }

    @inlinable
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds &+ right.nanoseconds)
    }

    @inlinable
    public static func - (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
    }

    @inlinable
    public static func += (left: inout Interval, right: Interval) { left = left + right }

    @inlinable
    public static func * (interval: Interval, factor: Int64) -> Interval {
        Interval(nanoseconds: interval.nanoseconds * factor)
    }

    @inlinable
    public static func / (interval: Interval, divisor: Int64) -> Interval {
        Interval(nanoseconds: interval.nanoseconds / divisor)
    }

    @inlinable
    public static prefix func - (interval: Interval) -> Interval { Interval(nanoseconds: -interval.nanoseconds) }

    /// The span without its sign.
    @inlinable
    public var magnitude: Interval { Interval(nanoseconds: abs(nanoseconds)) }
}

extension Interval: CustomStringConvertible {
    /// The span in the largest unit that needs no fraction, as scenario files write it.
    public var description: String {
        if nanoseconds == 0 { return "0" }
        let units: [(size: Int64, name: String)] = [
            (3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"),
        ]
        for unit in units where nanoseconds % unit.size == 0 {
            return "\(nanoseconds / unit.size)\(unit.name)"
        }
        return "\(nanoseconds)ns"
    }
}
