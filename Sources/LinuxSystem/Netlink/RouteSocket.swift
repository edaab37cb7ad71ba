import CMnl
import Glibc

// The kernel's routing over netlink (rtnetlink(7), RFC 3549).
//
// A socket belongs to the namespace in which it was opened and stays there, so one is opened inside each namespace and
// kept. Changes are collected in a batch and sent in one call; the kernel answers each, with words where it has any
// (extended acknowledgements), and what it refused is thrown.

/// A netlink socket for the links, addresses, neighbours and routes of one namespace.
public struct RouteSocket: ~Copyable {
    private let socket: OpaquePointer
    private var sequence: UInt32 = 0
    private let buffer: UnsafeMutableRawBufferPointer

    /// Opens a socket in the namespace of the calling thread.
    public init() throws(SystemError) {
        self.init(owning: try Self.open())
    }

    /// Opens a socket inside a namespace, which the socket keeps alive.
    public init(in namespace: borrowing NetworkNamespace) throws(SystemError) {
        self.init(owning: try namespace.perform { () throws(SystemError) in try Self.open() })
    }

    private init(owning socket: OpaquePointer) {
        self.socket = socket
        buffer = .allocate(byteCount: 65_536, alignment: 16)
    }

    private static func open() throws(SystemError) -> OpaquePointer {
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, Int32(SOCK_CLOEXEC.rawValue)) else {
            let number = errno
            throw .refused("open a netlink socket", number: number, explanation: "")
        }
        do throws(SystemError) {
            try checked(mnl_socket_bind(socket, 0, 0), "bind a netlink socket")
            try set(NETLINK_EXT_ACK, on: socket)
            try set(NETLINK_CAP_ACK, on: socket)
        } catch {
            mnl_socket_close(socket)
            throw error
        }
        // The answers to a whole batch wait here at once; without privilege the default has to do.
        var room: Int32 = 4 << 20
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &room, size)
        return socket
    }

    deinit {
        mnl_socket_close(socket)
        buffer.deallocate()
    }

    private static func set(_ option: Int32, on socket: OpaquePointer) throws(SystemError) {
        var value: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        try checked(mnl_socket_setsockopt(socket, option, &value, size), "set up a netlink socket")
    }

    /// The socket's number, for requests of other kinds about the same namespace.
    var number: Int32 { mnl_socket_get_fd(socket) }

    /// Has the kernel carry out what `build` asks for, all in one call.
    ///
    /// The kernel tries each request, so those around a refused one are carried out; the first refusal is thrown.
    public mutating func change(_ build: (inout NetlinkBatch) -> Void) throws(SystemError) {
        var batch = NetlinkBatch()
        build(&batch)
        try commit(batch)
    }

    /// Has the kernel carry out a batch.
    public mutating func commit(_ batch: borrowing NetlinkBatch) throws(SystemError) {
        try exchange(batch) { _ in }
    }

    /// Sends a batch and hands what the kernel tells, but for acknowledgements, to `receive`.
    mutating func exchange(
        _ batch: borrowing NetlinkBatch, _ receive: (UnsafePointer<nlmsghdr>) -> Void
    ) throws(SystemError) {
        guard batch.count > 0 else { return }
        let first = sequence &+ 1
        sequence = sequence &+ UInt32(batch.count)
        batch.number(from: first)
        var refusals: [SystemError] = []
        var wasInterrupted = false
        for piece in batch.pieces {
            try send(batch.octets(of: piece))
            var outstanding = piece.count
            while outstanding > 0 {
                try eachMessage { message in
                    // What is numbered otherwise answers a call that was given up.
                    let index = Int(message.pointee.nlmsg_seq &- first)
                    guard piece.contains(index) else { return }
                    if message.pointee.nlmsg_flags & UInt16(NLM_F_DUMP_INTR) != 0 { wasInterrupted = true }
                    switch Int32(message.pointee.nlmsg_type) {
                    case NLMSG_ERROR, NLMSG_DONE:
                        outstanding -= 1
                        let refusal = Refusal(message)
                        if refusal.number != 0 { refusals.append(refusal.error(batch.requests[index].description)) }
                    case NLMSG_NOOP, NLMSG_OVERRUN: break
                    default: receive(message)
                    }
                }
            }
        }
        if let refusal = refusals.first {
            throw refusals.count == 1 ? refusal : refusal.explained("and \(refusals.count - 1) more were refused")
        }
        if wasInterrupted {
            throw .refused(batch.requests[0].description, number: EINTR, explanation: "it changed meanwhile")
        }
    }

    private func send(_ octets: UnsafeRawBufferPointer) throws(SystemError) {
        let socket = socket
        if uninterrupted({ mnl_socket_sendto(socket, octets.baseAddress, octets.count) }) < 0 {
            let number = errno
            throw .refused("ask the kernel's routing", number: number, explanation: "")
        }
    }

    private func eachMessage(_ body: (UnsafePointer<nlmsghdr>) -> Void) throws(SystemError) {
        let (socket, buffer) = (socket, buffer)
        let count = uninterrupted { mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count) }
        if count < 0 {
            let number = errno
            throw .refused("hear from the kernel's routing", number: number, explanation: "")
        }
        var remaining = Int32(count)
        var message = UnsafePointer(buffer.baseAddress?.assumingMemoryBound(to: nlmsghdr.self))
        while let current = message, mnl_nlmsg_ok(current, remaining) {
            body(current)
            message = UnsafePointer(mnl_nlmsg_next(current, &remaining))
        }
    }
}

/// What an acknowledgement says: the error's number, zero for none, and the kernel's words.
private struct Refusal {
    var number: Int32 = 0
    var explanation = ""

    init(_ message: UnsafePointer<nlmsghdr>) {
        guard let payload = mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message) >= 4 else { return }
        number = -payload.loadUnaligned(as: Int32.self)
        guard number != 0, message.pointee.nlmsg_flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
        // With NETLINK_CAP_ACK the request is cut to its header, behind which the words follow.
        let isDone = Int32(message.pointee.nlmsg_type) == NLMSG_DONE
        let skipped = MemoryLayout<Int32>.size + (isDone ? 0 : MemoryLayout<nlmsghdr>.size)
        guard mnl_nlmsg_get_payload_len(message) >= skipped else { return }
        var words = ""
        NetlinkAttributes(of: message, after: skipped).forEach { type, attribute in
            if type == Int(NLMSGERR_ATTR_MSG.rawValue) { words = attribute.text }
        }
        explanation = words
    }

    func error(_ description: String) -> SystemError {
        .refused(description, number: number, explanation: explanation)
    }
}
