public import Basics

/// When something happened, counted from 1970, as records say it (RFC 6396 §3, RFC 7854 §4.2).
public struct WallTime: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var seconds: UInt32
    public var microseconds: UInt32

    public init(seconds: UInt32, microseconds: UInt32 = 0) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    /// The time of an instant, where instants began that many seconds after 1970.
    public init(_ instant: Instant, since epoch: UInt32 = 0) {
        seconds = epoch &+ UInt32(truncatingIfNeeded: instant.nanoseconds / 1_000_000_000)
        microseconds = UInt32(truncatingIfNeeded: instant.nanoseconds % 1_000_000_000 / 1_000)
    }

    public static func < (left: WallTime, right: WallTime) -> Bool {
        (left.seconds, left.microseconds) < (right.seconds, right.microseconds)
    }
}
