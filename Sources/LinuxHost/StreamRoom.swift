import Basics
import LinuxSystem
import Machine

/// Room for a piece of a stream while the machine is handed it.
struct StreamRoom: ~Copyable {
    private let octets = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 4_096)

    deinit {
        octets.deallocate()
    }

    /// Reads what waits at a stream.
    mutating func read(from stream: HostStream) -> StreamReading {
        stream.socket?.read(into: octets) ?? .nothing
    }

    @_lifetime(borrow self)
    private borrowing func bytes(_ count: Int) -> RawSpan {
        let slice = UnsafeRawBufferPointer(rebasing: octets[..<count])
        return _overrideLifetime(RawSpan(_unsafeBytes: slice), borrowing: self)
    }

    /// Hands the machine what was read from a stream.
    borrowing func hand<Machine: HostedMachine & ~Copyable>(
        _ byteCount: Int, of stream: StreamID, to machine: inout Machine, at now: Instant, into outbox: inout Outbox
    ) {
        machine.handle(.streamBytes(stream, bytes(byteCount)), at: now, into: &outbox)
    }
}
