public import Basics
import CLinux

/// Waits until one of some descriptors has something to read or has ended, and returns those that have.
///
/// Numbers below zero are skipped; nothing comes back when the time is over, or after a signal.
public func readableDescriptors(among descriptors: [Int32], within interval: Interval) -> [Int32] {
    var isReady = [UInt8](repeating: 0, count: descriptors.count)
    let pause = max(interval.nanoseconds, 0)
    guard clinux_wait_readable(descriptors, &isReady, Int32(descriptors.count), pause) > 0 else { return [] }
    return zip(descriptors, isReady).filter { $0.1 != 0 }.map(\.0)
}
