public import Basics
import Glibc

/// The kernel's monotonic clock, counted from an epoch that processes of one machine can share.
public struct MonotonicClock: Equatable, Sendable, BitwiseCopyable {
    /// The kernel's own reading that is instant zero, in nanoseconds.
    public let epoch: UInt64

    public init(epoch: UInt64) {
        self.epoch = epoch
    }

    /// A clock whose instant zero is now.
    public static func startingNow() -> MonotonicClock {
        MonotonicClock(epoch: kernelReading())
    }

    /// Now; zero until the epoch has come.
    public var now: Instant {
        let reading = Self.kernelReading()
        return Instant(nanoseconds: reading > epoch ? reading - epoch : 0)
    }

    /// What the kernel's clock reads, in nanoseconds since an instant of its own.
    public static func kernelReading() -> UInt64 {
        var reading = timespec()
        clock_gettime(CLOCK_MONOTONIC, &reading)
        return UInt64(reading.tv_sec) * 1_000_000_000 + UInt64(reading.tv_nsec)
    }
}

extension MonotonicClock {
    /// How far the kernel's real-time clock, which can be set, is ahead of this kind of clock.
    public static func leadOfRealTime() -> UInt64 {
        var reading = timespec()
        clock_gettime(CLOCK_REALTIME, &reading)
        return UInt64(reading.tv_sec) * 1_000_000_000 + UInt64(reading.tv_nsec) &- kernelReading()
    }

    /// What the kernel's real-time clock, as it is set now, read at instant zero, in seconds since 1970.
    public var secondsAtZero: UInt32 {
        UInt32(truncatingIfNeeded: (epoch &+ Self.leadOfRealTime()) / 1_000_000_000)
    }

    /// The instant at which the kernel's real-time clock read so many nanoseconds, if that clock was `lead` ahead.
    public func instant(ofRealTime reading: UInt64, lead: UInt64) -> Instant {
        let (own, isBefore) = reading.subtractingReportingOverflow(lead)
        return Instant(nanoseconds: isBefore || own < epoch ? 0 : own - epoch)
    }
}
