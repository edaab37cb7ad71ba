import CLinux
import Glibc
public import Wire

/// What came of trying to read from a stream.
public enum StreamReading: Equatable, Sendable {
    case octets(Int)
    /// Nothing waits.
    case nothing
    /// The other end has said all that it will.
    case end
    case failed(Int32)
}

/// One end of a TCP connection, which never blocks.
public struct StreamSocket: ~Copyable {
    private let descriptor: FileDescriptor

    /// What a connection is given before it is made.
    public struct Options: Equatable, Sendable {
        /// Small writes leave at once (RFC 9293 §3.7.4).
        public var sendsAtOnce = false
        /// More unsent octets than this, and the socket is not writable.
        public var unsentLimit: Int?
        /// The algorithm by the kernel's name for it; empty takes the machine's own.
        public var congestionControl = ""
        public var protection = StreamProtection()

        public init() {}
    }

    init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Starts to connect, from an address of this machine unless it is the unspecified one.
    ///
    /// The socket becomes writable when it is connected, or when that has failed: ``failure()`` tells which.
    public init(
        from local: IPAddress, to remote: SocketAddress, _ options: Options = Options()
    ) throws(SystemError) {
        let isIPv4 = remote.address.isIPv4
        let socket = FileDescriptor(
            owning: try checked(clinux_stream_socket(isIPv4 ? 1 : 0), "open a stream socket"))
        try options.apply(to: socket, peer: remote)
        if local != .v4(.any), local != .v6(.any) {
            // The port is chosen when the peer is known, so that many connections may share one.
            try setOption(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, to: 1, of: socket, "IP_BIND_ADDRESS_NO_PORT")
            var address = SocketAddress(local, port: 0).kernelForm
            try checked(clinux_bind(socket.number, &address), "bind a stream socket to \(local)")
        }
        var address = remote.kernelForm
        if clinux_connect(socket.number, &address) < 0, errno != EINPROGRESS {
            let number = errno
            throw .refused("connect to \(remote)", number: number, explanation: "")
        }
        descriptor = socket
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// The socket's own address; nil where it has none.
    public var local: SocketAddress? {
        var address = clinux_address()
        return clinux_own_address(descriptor.number, &address) < 0 ? nil : SocketAddress(address)
    }

    /// What went wrong since this was last asked; zero for nothing.
    public func failure() -> Int32 {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &number, &size) < 0 ? errno : number
    }

    /// Reads what waits, as far as there is room.
    public func read(into room: UnsafeMutableRawBufferPointer) -> StreamReading {
        let count = uninterrupted { recv(descriptor.number, room.baseAddress, room.count, 0) }
        if count > 0 { return .octets(count) }
        if count == 0 { return .end }
        let number = errno
        return number == EAGAIN ? .nothing : .failed(number)
    }

    /// Writes as much as the kernel takes, and returns how much that was.
    ///
    /// Zero also where the connection has failed, which reading tells.
    public func write(_ octets: RawSpan) -> Int {
        octets.withUnsafeBytes { octets in
            max(0, uninterrupted { send(descriptor.number, octets.baseAddress, octets.count, Int32(MSG_NOSIGNAL)) })
        }
    }

    /// Says that nothing more will be written.
    public func finish() {
        _ = shutdown(descriptor.number, Int32(SHUT_WR))
    }

    /// Ends the connection with a reset.
    public consuming func abort() {
        var setting = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
    }
}

extension StreamSocket.Options {
    func apply(to socket: borrowing FileDescriptor, peer: SocketAddress? = nil) throws(SystemError) {
        let level = Int32(IPPROTO_TCP)
        if sendsAtOnce { try setOption(level, TCP_NODELAY, to: 1, of: socket, "TCP_NODELAY") }
        if let unsentLimit {
            let limit = Int32(clamping: unsentLimit)
            try setOption(level, TCP_NOTSENT_LOWAT, to: limit, of: socket, "TCP_NOTSENT_LOWAT")
        }
        if !congestionControl.isEmpty {
            let octets = Array(congestionControl.utf8)
            try checked(
                setsockopt(socket.number, level, TCP_CONGESTION, octets, socklen_t(octets.count)),
                "use the congestion control \(congestionControl)")
        }
        if let peer { try protection.apply(to: socket, peer: peer) }
    }
}
