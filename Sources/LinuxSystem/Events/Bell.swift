import CLinux
import Glibc

/// Something that one thread rings for another (eventfd(2)): it can be read until it is heard.
public struct Bell: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// With `waits`, ``hear()`` waits until it is rung.
    public init(waits: Bool = false) throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked(clinux_bell_open(waits ? 1 : 0), "make a bell"))
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    public func ring() {
        var one: UInt64 = 1
        _ = write(descriptor.number, &one, 8)
    }

    /// Silences it, however often it was rung.
    public func hear() {
        var count: UInt64 = 0
        _ = uninterrupted { read(descriptor.number, &count, 8) }
    }
}
