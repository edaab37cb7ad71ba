import Glibc
import LinuxSystem
import Wire

/// A UDP socket of a namespace, for sending and counting real datagrams.
struct DatagramSocket: ~Copyable {
    private let descriptor: FileDescriptor

    /// Opens a socket that hears a port.
    init(in namespace: borrowing NetworkNamespace, port: UInt16 = 0) throws(SystemError) {
        let descriptor = try namespace.perform { () throws(SystemError) in
            let number = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { throw .refused("socket", number: errno, explanation: "") }
            return FileDescriptor(owning: number)
        }
        // A datagram that came through XDP counts as the page that it lies in.
        var room: Int32 = 16 << 20
        setsockopt(descriptor.number, SOL_SOCKET, SO_RCVBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(.any, port)
        let status =
            port == 0
            ? 0
            : withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        if status < 0 { throw .refused("bind", number: errno, explanation: "") }
        self.descriptor = descriptor
    }

    private static func address(_ address: IPv4Address, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = address.bits.bigEndian
        return result
    }

    /// Sends `count` datagrams of `size` octets and returns how many the kernel took.
    func send(_ count: Int, size: Int = 100, to destination: IPAddress, port: UInt16) -> Int {
        guard case .v4(let destination) = destination else { return 0 }
        var address = Self.address(destination, port)
        let octets = [UInt8](repeating: 0x55, count: size)
        return (0..<count).count { _ in
            withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor.number, octets, size, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == size
                }
            }
        }
    }

    /// Sends one datagram.
    func send(_ octets: [UInt8], to destination: IPv4Address, port: UInt16) -> Bool {
        var address = Self.address(destination, port)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor.number, octets, octets.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    == octets.count
            }
        }
    }

    /// The next datagram, or nil when none comes for a second.
    func receive() -> [UInt8]? {
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 1_000) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor.number, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// How many datagrams arrive until there are `expected`, or none comes for a fifth of a second.
    func received(expecting expected: Int) -> Int {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var count = 0
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        while count < expected, poll(&waiting, 1, 200) > 0 {
            while recv(descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT)) >= 0 { count += 1 }
        }
        return count
    }
}

extension NetworkNamespace {
    /// How many datagrams the namespace has refused for their checksum.
    func checksumErrors() throws(SystemError) -> Int {
        let text = try perform { () throws(SystemError) in
            let file = try FileDescriptor(path: "/proc/thread-self/net/snmp", flags: O_RDONLY)
            var octets = [UInt8](repeating: 0, count: 16_384)
            let count = read(file.number, &octets, octets.count)
            return String(decoding: octets.prefix(max(0, count)), as: UTF8.self)
        }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Udp:") }.map { $0.split(separator: " ") }
        guard lines.count == 2, let column = lines[0].firstIndex(of: "InCsumErrors") else { return -1 }
        return Int(lines[1][column]) ?? -1
    }
}
