public import Basics
import CLinux
import Glibc

/// Waits for the first of many descriptors that can be read, and for a bell that other threads ring.
public struct Poller: ~Copyable, Sendable {
    private let poller: FileDescriptor
    private let bell: FileDescriptor

    /// The key that stands for the bell.
    public static var bellKey: UInt32 { .max }

    public init() throws(SystemError) {
        let poller = FileDescriptor(owning: try checked(clinux_poller_open(), "make a poller"))
        let bell = FileDescriptor(owning: try checked(clinux_bell_open(0), "make a bell"))
        try Self.add(bell, key: Self.bellKey, to: poller)
        self.poller = poller
        self.bell = bell
    }

    /// Adds a descriptor, which is told of by its key until it is closed.
    public func add(_ descriptor: borrowing FileDescriptor, key: UInt32) throws(SystemError) {
        try Self.add(descriptor, key: key, to: poller)
    }

    private static func add(
        _ descriptor: borrowing FileDescriptor, key: UInt32, to poller: borrowing FileDescriptor
    ) throws(SystemError) {
        try checked(clinux_poller_add(poller.number, descriptor.number, key), "wait for a descriptor")
    }

    /// Writes the keys of those that can be read and returns how many; a timeout of nil is none.
    ///
    /// Those for which there is no room come with the next wait. It may return early with none. A bell that was rung
    /// is silent again.
    public func wait(atMost timeout: Interval?, keys: inout InlineArray<64, UInt32>) -> Int {
        var span = keys.mutableSpan
        let count = span.withUnsafeMutableBufferPointer { keys in
            clinux_poller_wait(poller.number, keys.baseAddress, Int32(keys.count), timeout?.nanoseconds ?? -1)
        }
        var index = 0
        while index < Int(count) {
            if keys[index] == Self.bellKey { hearBell() }
            index += 1
        }
        return max(0, Int(count))
    }

    /// Ends the wait that another thread is in, or the next one.
    public func ringBell() {
        var one: UInt64 = 1
        _ = write(bell.number, &one, 8)
    }

    private func hearBell() {
        var count: UInt64 = 0
        _ = read(bell.number, &count, 8)
    }
}
