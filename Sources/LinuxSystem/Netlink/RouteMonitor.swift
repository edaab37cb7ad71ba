import CMnl
import Glibc

/// What has changed in a namespace.
public enum RouteNews: Equatable, Sendable {
    case link(LinkState)
    case linkGone(InterfaceIndex)
    case neighbour(NeighbourState)
    /// More happened than the kernel could keep: what is known has to be asked for anew.
    case missed
}

/// Hears of links and neighbours as they change, without asking.
public struct RouteMonitor: ~Copyable {
    private let socket: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer

    /// What to hear of.
    public struct Subjects: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        public static let links = Subjects(rawValue: UInt32(RTMGRP_LINK))
        public static let neighbours = Subjects(rawValue: UInt32(RTMGRP_NEIGH))
    }

    /// Hears of the namespace of the calling thread.
    public init(_ subjects: Subjects) throws(SystemError) {
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
        else {
            let number = errno
            throw .refused("open a netlink socket", number: number, explanation: "")
        }
        if mnl_socket_bind(socket, subjects.rawValue, 0) < 0 {
            let number = errno
            mnl_socket_close(socket)
            throw .refused("hear of changes", number: number, explanation: "")
        }
        var room: Int32 = 4 << 20
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &room, size)
        self.socket = socket
        buffer = .allocate(byteCount: 65_536, alignment: 16)
    }

    deinit {
        mnl_socket_close(socket)
        buffer.deallocate()
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { mnl_socket_get_fd(socket) }

    /// Hands what has changed since it was last asked to `body`, in order.
    public func takeNews(_ body: (RouteNews) -> Void) throws(SystemError) {
        while true {
            let (socket, buffer) = (socket, buffer)
            let count = uninterrupted { mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count) }
            if count < 0 {
                switch errno {
                case EAGAIN: return
                case ENOBUFS: body(.missed)
                case let number: throw .refused("hear of changes", number: number, explanation: "")
                }
                continue
            }
            var remaining = Int32(count)
            var message = UnsafePointer(buffer.baseAddress?.assumingMemoryBound(to: nlmsghdr.self))
            while let current = message, mnl_nlmsg_ok(current, remaining) {
                if let news = RouteNews(current) { body(news) }
                message = UnsafePointer(mnl_nlmsg_next(current, &remaining))
            }
        }
    }
}

extension RouteNews {
    fileprivate init?(_ message: UnsafePointer<nlmsghdr>) {
        switch Int(message.pointee.nlmsg_type) {
        case RTM_NEWLINK: self = .link(LinkState(message))
        case RTM_DELLINK: self = .linkGone(LinkState(message).index)
        case RTM_NEWNEIGH, RTM_DELNEIGH:
            let isGone = Int(message.pointee.nlmsg_type) == RTM_DELNEIGH
            guard let state = NeighbourState(message, isGone: isGone) else { return nil }
            self = .neighbour(state)
        default: return nil
        }
    }
}
