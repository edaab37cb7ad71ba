import CLinux
import Glibc
public import Wire

/// A TCP socket at which connections arrive.
public struct StreamListener: ~Copyable {
    private let descriptor: FileDescriptor
    private let options: StreamSocket.Options
    public let local: SocketAddress

    /// Listens in the namespace of the calling thread; port 0 has the kernel choose one.
    ///
    /// What arrives gets the options, but for keys, which are by peer.
    public init(
        at local: SocketAddress, _ options: StreamSocket.Options = StreamSocket.Options(), backlog: Int32 = 4_096
    ) throws(SystemError) {
        let socket = FileDescriptor(
            owning: try checked(clinux_stream_socket(local.address.isIPv4 ? 1 : 0), "open a stream socket"))
        try setOption(SOL_SOCKET, SO_REUSEADDR, to: 1, of: socket, "SO_REUSEADDR")
        var plain = options
        plain.digestKey = []
        try plain.apply(to: socket, peer: SocketAddress(local.address, port: 0))
        var address = local.kernelForm
        try checked(clinux_bind(socket.number, &address), "bind a stream socket to \(local)")
        try checked(listen(socket.number, backlog), "listen at \(local)")
        try checked(clinux_own_address(socket.number, &address), "look at a stream socket")
        self.local = SocketAddress(address)
        self.options = plain
        descriptor = socket
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// Takes only signed segments from a peer (RFC 2385).
    public func setDigestKey(_ key: [UInt8], for peer: IPAddress) throws(SystemError) {
        try LinuxSystem.setDigestKey(key, of: descriptor, for: SocketAddress(peer, port: 0))
    }

    /// A connection that has arrived.
    public struct Arrival: ~Copyable {
        public let socket: StreamSocket
        public let remote: SocketAddress

        /// The socket alone.
        public consuming func taken() -> StreamSocket { socket }
    }

    /// The next connection; nil where none waits.
    public func accept() throws(SystemError) -> Arrival? {
        while true {
            var remote = clinux_address()
            let number = clinux_accept_stream(descriptor.number, &remote)
            if number >= 0 {
                let socket = FileDescriptor(owning: number)
                let peer = SocketAddress(remote)
                try options.apply(to: socket, peer: peer)
                return Arrival(socket: StreamSocket(owning: socket), remote: peer)
            }
            switch errno {
            // A connection that was gone before it was accepted is nobody's concern.
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return nil
            case let number: throw .refused("accept a connection at \(local)", number: number, explanation: "")
            }
        }
    }
}
