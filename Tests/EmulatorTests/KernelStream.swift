import Basics
import Glibc
import LinuxSystem
import Wire

/// One TCP connection between two namespaces, as fast as the kernel's TCP makes it.
struct KernelStream: ~Copyable {
    private let sending: FileDescriptor
    private let receiving: FileDescriptor

    init(
        from source: borrowing NetworkNamespace, to destination: borrowing NetworkNamespace, at address: IPv4Address
    ) throws(SystemError) {
        // What is on its way between the two has to fit their buffers.
        for name in ["tcp_rmem", "tcp_wmem"] {
            try source.setParameter("ipv4/\(name)", to: "4096 1048576 33554432")
            try destination.setParameter("ipv4/\(name)", to: "4096 1048576 33554432")
        }
        let listener = try destination.perform { () throws(SystemError) in
            let listener = try Self.socket()
            let status = Self.withAddress(.any) {
                bind(listener.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
            guard status == 0, listen(listener.number, 1) == 0 else {
                throw .refused("listen", number: errno, explanation: "")
            }
            return listener
        }
        let sending = try source.perform { () throws(SystemError) in
            let connection = try Self.socket()
            let status = Self.withAddress(address) {
                connect(connection.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
            guard status == 0 else { throw .refused("connect", number: errno, explanation: "") }
            return connection
        }
        let number = accept(listener.number, nil, nil)
        guard number >= 0 else { throw .refused("accept", number: errno, explanation: "") }
        self.sending = sending
        receiving = FileDescriptor(owning: number)
    }

    private static func socket() throws(SystemError) -> FileDescriptor {
        let number = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .refused("socket", number: errno, explanation: "") }
        return FileDescriptor(owning: number)
    }

    private static func withAddress<Result>(
        _ address: IPv4Address, _ body: (UnsafePointer<sockaddr>) -> Result
    ) -> Result {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = UInt16(5_001).bigEndian
        socketAddress.sin_addr.s_addr = address.bits.bigEndian
        return withUnsafePointer(to: &socketAddress) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    /// What came of a stream.
    struct Outcome {
        /// Octets that arrived after the warm-up.
        var count = 0
        /// In which time they did.
        var time = Interval.zero
        /// Whether each octet, from the first, was the one sent.
        var isWhole = true
    }

    /// Octets that are the same again only after a prime number of them, so that no segment can stand for another.
    private static let period = 251
    private static let pattern = (0..<262_144 + period).map { UInt8(truncatingIfNeeded: $0 % period) }

    /// Sends for so long and says what has arrived.
    func run(for time: Interval, warmUp: Interval, _ clock: MonotonicClock) throws(SystemError) -> Outcome {
        let (sending, receiving) = (sending.number, receiving.number)
        let end = clock.now + time
        let sender = try RealTimeThread(named: "sender", RealTimeThread.Manner(priority: nil)) {
            var sent = 0
            while clock.now < end {
                let count = Self.pattern[(sent % Self.period)...].withUnsafeBufferPointer {
                    send(sending, $0.baseAddress, 65_536, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
            }
        }
        var buffer = [UInt8](repeating: 0, count: 262_144)
        let start = clock.now + warmUp
        var outcome = Outcome()
        var position = 0
        var now = clock.now
        while now < end {
            let received = recv(receiving, &buffer, buffer.count, 0)
            if received <= 0 { break }
            now = clock.now
            let phase = position % Self.period
            outcome.isWhole = outcome.isWhole && buffer[..<received] == Self.pattern[phase..<phase + received]
            position += received
            if now >= start, now < end { outcome.count += received }
        }
        shutdown(sending, Int32(SHUT_RDWR))
        sender.join()
        outcome.time = min(now, end) - start
        return outcome
    }
}
