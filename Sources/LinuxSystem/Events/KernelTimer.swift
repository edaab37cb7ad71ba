public import Basics
import CLinux
import Glibc

/// A descriptor that becomes readable at an instant of a monotonic clock.
public struct KernelTimer: ~Copyable {
    private let descriptor: FileDescriptor
    private let clock: MonotonicClock

    public init(_ clock: MonotonicClock) throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked(clinux_timer(), "open a timer"))
        self.clock = clock
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// Sets the one instant that it waits for; it is readable at once when that is past, and never at `never`.
    public func set(_ instant: Instant) throws(SystemError) {
        let (reading, isTooLate) = clock.epoch.addingReportingOverflow(instant.nanoseconds)
        // The kernel takes no instant beyond this, which is centuries away.
        let never = isTooLate || instant == .never || reading > UInt64(Int64.max)
        try checked(clinux_timer_set(descriptor.number, never ? 0 : max(reading, 1)), "set a timer")
    }

    /// Makes it unreadable again until the next instant that is set.
    public func clear() {
        var count: UInt64 = 0
        _ = read(descriptor.number, &count, MemoryLayout<UInt64>.size)
    }
}
