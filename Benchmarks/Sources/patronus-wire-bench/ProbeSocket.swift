import Basics
import Glibc
import LinuxSystem
import Wire

/// A UDP socket whose datagrams carry a number and the instant at which they were sent.
struct ProbeSocket: ~Copyable {
    /// A datagram that arrived.
    struct Arrival {
        var sequence: UInt32
        var sentAt: Instant
        /// When the kernel got it.
        var arrivedAt: Instant

        var transit: Interval { arrivedAt - sentAt }
    }

    static let port: UInt16 = 5_000
    private let descriptor: FileDescriptor

    init(in namespace: borrowing NetworkNamespace) throws(SystemError) {
        let descriptor = try namespace.perform { () throws(SystemError) in
            let number = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { throw .refused("socket", number: errno, explanation: "") }
            return FileDescriptor(owning: number)
        }
        for (option, value) in [(SO_RCVBUFFORCE, Int32(32 << 20)), (SO_SNDBUFFORCE, 32 << 20), (SO_TIMESTAMPNS, 1)] {
            var value = value
            setsockopt(descriptor.number, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let status = Self.withAddress(.any) {
            bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        if status < 0 { throw .refused("bind", number: errno, explanation: "") }
        self.descriptor = descriptor
    }

    private static func withAddress<Result>(
        _ address: IPv4Address, _ body: (UnsafePointer<sockaddr>) -> Result
    ) -> Result {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        socketAddress.sin_addr.s_addr = address.bits.bigEndian
        return withUnsafePointer(to: &socketAddress) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    /// Sends a datagram of at least 12 octets; false where the kernel did not take it.
    @discardableResult
    func send(_ sequence: UInt32, size: Int, to address: IPv4Address, _ clock: MonotonicClock) -> Bool {
        var octets = [UInt8](repeating: 0x55, count: max(12, size))
        octets.withUnsafeMutableBytes {
            $0.storeBytes(of: clock.now.nanoseconds, as: UInt64.self)
            $0.storeBytes(of: sequence, toByteOffset: 8, as: UInt32.self)
        }
        let number = descriptor.number
        return Self.withAddress(address) {
            sendto(number, octets, octets.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == octets.count
        }
    }

    /// What arrives until there is as much as expected, or nothing comes for so many milliseconds.
    func arrivals(expecting expected: Int, quiet: Int32 = 300, _ clock: MonotonicClock) -> [Arrival] {
        var found: [Arrival] = []
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        while found.count < expected, poll(&waiting, 1, quiet) > 0 {
            while let arrival = receive(clock) { found.append(arrival) }
        }
        return found
    }

    private func receive(_ clock: MonotonicClock) -> Arrival? {
        withUnsafeTemporaryAllocation(byteCount: 2_304, alignment: 16) { memory in
            let control = UnsafeMutableRawBufferPointer(rebasing: memory[2_048..<2_304])
            var vector = iovec(iov_base: memory.baseAddress, iov_len: 2_048)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                message.msg_iov = vector
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                let count = recvmsg(descriptor.number, &message, Int32(MSG_DONTWAIT))
                guard count >= 12 else { return nil }
                return Arrival(
                    sequence: memory.load(fromByteOffset: 8, as: UInt32.self),
                    sentAt: Instant(nanoseconds: memory.load(as: UInt64.self)),
                    arrivedAt: Self.instant(in: control, message.msg_controllen, clock) ?? clock.now)
            }
        }
    }

    /// The kernel stamps by the calendar's clock: what it reads now beside the monotonic one tells their distance.
    private static func instant(
        in control: UnsafeMutableRawBufferPointer, _ count: Int, _ clock: MonotonicClock
    ) -> Instant? {
        // A header of a length, a level and a type, then seconds and nanoseconds.
        guard count >= 32, control.load(fromByteOffset: 12, as: Int32.self) == SO_TIMESTAMPNS else { return nil }
        let stamp = control.load(fromByteOffset: 16, as: timespec.self)
        var calendar = timespec()
        clock_gettime(CLOCK_REALTIME, &calendar)
        let age = (calendar.tv_sec - stamp.tv_sec) * 1_000_000_000 + calendar.tv_nsec - stamp.tv_nsec
        return clock.now - .nanoseconds(Int64(age))
    }
}
