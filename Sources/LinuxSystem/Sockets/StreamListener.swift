import CLinux
import Glibc
public import Wire

/// A TCP socket at which connections arrive.
public struct StreamListener: ~Copyable {
    private let descriptor: FileDescriptor
    private let options: StreamSocket.Options
    /// What holds for some peers beside the options.
    private var protections: [(peer: IPAddress, protection: StreamProtection)] = []
    public let local: SocketAddress

    /// Listens in the namespace of the calling thread; port 0 has the kernel choose one.
    ///
    /// What arrives gets the options, but for the protection, which ``protect(_:_:)`` sets by peer.
    public init(
        at local: SocketAddress, _ options: StreamSocket.Options = StreamSocket.Options(), backlog: Int32 = 4_096
    ) throws(SystemError) {
        let socket = FileDescriptor(
            owning: try checked(clinux_stream_socket(local.address.isIPv4 ? 1 : 0), "open a stream socket"))
        try setOption(SOL_SOCKET, SO_REUSEADDR, to: 1, of: socket, "SO_REUSEADDR")
        var unprotected = options
        unprotected.protection = StreamProtection()
        try unprotected.apply(to: socket)
        var address = local.kernelForm
        try checked(clinux_bind(socket.number, &address), "bind a stream socket to \(local)")
        try checked(listen(socket.number, backlog), "listen at \(local)")
        try checked(clinux_own_address(socket.number, &address), "look at a stream socket")
        self.local = SocketAddress(address)
        self.options = unprotected
        descriptor = socket
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// Protects connections from a peer that arrive from now on.
    ///
    /// A peer that minds hop limits minds the first answer's as well, so that all answers get the highest one then.
    public mutating func protect(_ peer: IPAddress, _ protection: StreamProtection) throws(SystemError) {
        let address = SocketAddress(peer, port: 0)
        if !protection.digestKey.isEmpty { try setDigestKey(protection.digestKey, of: descriptor, for: address) }
        if protection.leastHopLimit != nil { try setHopLimit(255, of: descriptor, for: address) }
        protections.removeAll { $0.peer == peer }
        protections.append((peer, protection))
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
                var options = options
                if let found = protections.first(where: { $0.peer == peer.address }) {
                    options.protection = found.protection
                    // The key is the listener's already.
                    options.protection.digestKey = []
                }
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
