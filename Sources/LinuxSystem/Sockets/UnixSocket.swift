import CLinux
import Glibc

/// A connected stream socket between two processes of this machine.
public struct UnixSocket: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    public init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Connects to what listens at a path.
    public init(connectingTo path: String) throws(SystemError) {
        let made = try FileDescriptor(owning: checked(clinux_unix_socket(), "open a socket"))
        var address = try unixAddress(path)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(made.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try checked(status, "connect to \(path)")
        descriptor = made
    }

    /// Two ends of one connection; neither is inherited unless it is named.
    public struct Pair: ~Copyable, Sendable {
        public let first: UnixSocket
        public let second: UnixSocket

        public init() throws(SystemError) {
            var numbers: [Int32] = [-1, -1]
            try checked(clinux_unix_pair(&numbers), "open a pair of sockets")
            first = UnixSocket(owning: FileDescriptor(owning: numbers[0]))
            second = UnixSocket(owning: FileDescriptor(owning: numbers[1]))
        }
    }

    /// Reads what is there, waiting for something where nothing is; 0 is the end, nil that a signal came between.
    public func read(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
        let count = Glibc.read(descriptor.number, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return nil }
        // A peer that was killed with something unread resets.
        if count < 0, errno == ECONNRESET { return 0 }
        return Int(try checked(Int32(count), "read from a socket"))
    }

    /// How long a socket that never blocks waits for room, in all: who serves many others, a node's loop, is not away
    /// from them for longer.
    private static let patience: UInt64 = 50_000_000

    /// Writes everything, waiting for room; where the socket never blocks, for no longer than 50 ms in all.
    public func write(_ octets: some Collection<UInt8>) throws(SystemError) {
        let octets = Array(octets)
        var position = 0
        var end: UInt64?
        while position < octets.count {
            let count = octets.withUnsafeBytes {
                clinux_send(descriptor.number, $0.baseAddress.map { $0 + position }, octets.count - position)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                let last = end ?? MonotonicClock.kernelReading() + Self.patience
                end = last
                try waitForRoom(until: last)
                continue
            }
            position += Int(try checked(Int32(count), "write to a socket"))
        }
    }

    private func waitForRoom(until end: UInt64) throws(SystemError) {
        let now = MonotonicClock.kernelReading()
        guard now < end else {
            throw .refused("write to a socket", number: ETIMEDOUT, explanation: "the other end does not read")
        }
        var room = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
        // What comes of it, an error too, is what the next write says.
        _ = poll(&room, 1, Int32((end - now) / 1_000_000) + 1)
    }
}

/// A place in the file system where processes of this machine connect.
public struct UnixListener: ~Copyable, Sendable {
    public let descriptor: FileDescriptor
    public let path: String

    /// Listens at a path that nobody else listens at; only the owner may connect.
    public init(at path: String) throws(SystemError) {
        let made = try FileDescriptor(owning: checked(clinux_unix_socket(), "open a socket"))
        var address = try unixAddress(path)
        let former = umask(0o077)
        defer { umask(former) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try checked(status, "listen at \(path)")
        try checked(listen(made.number, 16), "listen at \(path)")
        descriptor = made
        self.path = path
    }

    deinit { unlink(path) }

    /// What a connection keeps of answers that nobody has read yet, where this process may say so.
    private static let roomForAnswers: Int32 = 8 << 20

    /// The next connection, which never blocks for long: nobody who is slow holds up whoever serves him.
    public func accept() throws(SystemError) -> UnixSocket {
        let number = clinux_accept(descriptor.number)
        let socket = FileDescriptor(owning: try checked(number, "accept a connection at \(path)"))
        try? setOption(SOL_SOCKET, SO_SNDBUFFORCE, to: Self.roomForAnswers, of: socket, "the room for answers")
        return UnixSocket(owning: socket)
    }
}

private func unixAddress(_ path: String) throws(SystemError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let octets = Array(path.utf8)
    guard octets.count < MemoryLayout.size(ofValue: address.sun_path), !octets.contains(0) else {
        throw .refused(
            "use the path \(path)", number: ENAMETOOLONG, explanation: "a socket's path has at most 107 octets")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
    return address
}
