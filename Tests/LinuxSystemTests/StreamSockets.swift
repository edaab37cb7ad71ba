import Glibc
import LinuxSystem
import Wire

/// A TCP connection between two namespaces, driven from one thread.
struct StreamPair: ~Copyable {
    private let listener: FileDescriptor
    private let client: FileDescriptor
    private let server: FileDescriptor

    /// Connects; throws when that takes more than two seconds.
    init(
        from client: borrowing NetworkNamespace, to server: borrowing NetworkNamespace, at address: IPv4Address,
        port: UInt16
    ) throws(SystemError) {
        let listener = try Self.open(in: server)
        try Self.call("bind") { withAddress(.any, port) { bind(listener.number, $0, $1) } }
        try Self.call("listen") { listen(listener.number, 1) }
        let client = try Self.open(in: client)
        let started = withAddress(address, port) { connect(client.number, $0, $1) }
        if started < 0, errno != EINPROGRESS { throw .refused("connect", number: errno, explanation: "") }
        var waiting = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 2_000) > 0 else { throw .refused("accept", number: ETIMEDOUT, explanation: "") }
        let accepted = accept(listener.number, nil, nil)
        guard accepted >= 0 else { throw .refused("accept", number: errno, explanation: "") }
        self.server = FileDescriptor(owning: accepted)
        self.listener = listener
        self.client = client
    }

    private static func open(in namespace: borrowing NetworkNamespace) throws(SystemError) -> FileDescriptor {
        try namespace.perform { () throws(SystemError) in
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let number = socket(AF_INET, kind, 0)
            guard number >= 0 else { throw .refused("socket", number: errno, explanation: "") }
            return FileDescriptor(owning: number)
        }
    }

    private static func call(_ name: String, _ body: () -> Int32) throws(SystemError) {
        guard body() == 0 else { throw .refused(name, number: errno, explanation: "") }
    }

    /// Sends octets from the client, and returns what the server has received when all is there or nothing comes.
    func carry(_ octets: [UInt8]) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var sent = 0
        while received.count < octets.count {
            if sent < octets.count {
                let count = octets[sent...].withUnsafeBytes {
                    Glibc.send(client.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
                sent += max(0, count)
            }
            var waiting = pollfd(fd: server.number, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 2_000) > 0 else { return received }
            let count = recv(server.number, &buffer, buffer.count, 0)
            if count > 0 { received += buffer.prefix(count) }
        }
        return received
    }
}

private func withAddress(
    _ address: IPv4Address, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var value = sockaddr_in()
    value.sin_family = sa_family_t(AF_INET)
    value.sin_port = port.bigEndian
    value.sin_addr.s_addr = address.bits.bigEndian
    return withUnsafePointer(to: &value) { value in
        value.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
