public import Basics
import CLinux
import Glibc
public import Wire

/// One datagram to be sent, its octets a range of what they lie in together.
public struct OutgoingDatagram: Equatable, Sendable {
    public var remote: SocketAddress
    public var octets: ByteRange

    public init(to remote: SocketAddress, _ octets: ByteRange) {
        self.remote = remote
        self.octets = octets
    }
}

/// What a datagram that was not sent met with, as a report from the way says.
public struct DatagramRefusal: Equatable, Sendable {
    public var remote: SocketAddress
    /// The error's number.
    public var number: Int32
    /// The largest packet that the way takes, where the datagram was too big.
    public var pathMTU: UInt32?

    public init(remote: SocketAddress, number: Int32, pathMTU: UInt32? = nil) {
        self.remote = remote
        self.number = number
        self.pathMTU = pathMTU
    }
}

/// A UDP socket that never blocks.
public struct DatagramSocket: ~Copyable {
    private let descriptor: FileDescriptor
    public let local: SocketAddress

    /// Opens a socket in the namespace of the calling thread, bound to an address and, where one is named, to an
    /// interface.
    ///
    /// What is larger than its way takes is refused and not fragmented (RFC 8899 §3).
    public init(
        _ local: SocketAddress, interface: String? = nil, omitsChecksum: Bool = false, roomByteCount: Int = 8 << 20
    ) throws(SystemError) {
        let isIPv4 = local.address.isIPv4
        let socket = FileDescriptor(
            owning: try checked(clinux_datagram_socket(isIPv4 ? 1 : 0), "open a datagram socket"))
        if let interface { try LinuxSystem.bind(socket, toInterface: interface) }
        let level = local.address.optionLevel
        try setOption(
            level, isIPv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, to: isIPv4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO,
            of: socket, "the discovery of the path's MTU")
        try setOption(level, isIPv4 ? IP_FREEBIND : IPV6_FREEBIND, to: 1, of: socket, "IP_FREEBIND")
        if omitsChecksum, isIPv4 { try setOption(SOL_SOCKET, SO_NO_CHECK, to: 1, of: socket, "SO_NO_CHECK") }
        try setOption(SOL_SOCKET, SO_TIMESTAMPNS, to: 1, of: socket, "SO_TIMESTAMPNS")
        setRoom(roomByteCount, of: socket)
        var address = local.kernelForm
        try checked(clinux_bind(socket.number, &address), "bind a datagram socket to \(local)")
        try checked(clinux_own_address(socket.number, &address), "look at a datagram socket")
        self.local = SocketAddress(address)
        descriptor = socket
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// Sends with a hop limit, and takes nothing that came with a lower one (RFC 5082).
    public func secure(hopLimit: UInt8) throws(SystemError) {
        try setHopLimit(hopLimit, of: descriptor, for: local)
        try checked(
            clinux_require_hop_limit(descriptor.number, local.address.isIPv4 ? 1 : 0, hopLimit),
            "mind the hop limit of datagrams")
    }

    /// Has errors from the way, such as a packet that was too big for it, wait for ``nextRefusal()``.
    public func keepRefusals() throws(SystemError) {
        let isIPv4 = local.address.isIPv4
        try setOption(
            local.address.optionLevel, isIPv4 ? IP_RECVERR : IPV6_RECVERR, to: 1, of: descriptor, "IP_RECVERR")
    }

    /// Receives what waits, as far as the batch has room.
    ///
    /// An error that belongs to an earlier datagram is passed over: whoever wants to know keeps refusals.
    public func receive(into batch: inout DatagramBatch) throws(SystemError) {
        batch.prepare()
        // The kernel tells each pending error once, and then goes on.
        for _ in 0..<8 {
            let count = clinux_receive_datagrams(descriptor.number, batch.datagrams, UInt32(batch.capacity))
            if count >= 0 {
                batch.count = Int(count)
                return
            }
            let number = errno
            if number == EAGAIN { return }
            guard Self.isOfAnotherDatagram(number) else {
                throw .refused("receive datagrams", number: number, explanation: "")
            }
        }
    }

    private static func isOfAnotherDatagram(_ number: Int32) -> Bool {
        [EINTR, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EPROTO, ENOPROTOOPT, EACCES, ENETDOWN, EHOSTDOWN]
            .contains(number)
    }

    /// Sends datagrams, whose octets are ranges of `octets`, in order, and hands what the kernel did not take to
    /// `refused`, with the number of the error.
    ///
    /// It never waits: what finds no room is refused.
    public func send(
        _ datagrams: Span<OutgoingDatagram>, from octets: RawSpan,
        refused: (_ datagram: OutgoingDatagram, _ number: Int32) -> Void
    ) {
        octets.withUnsafeBytes { octets in
            guard let base = octets.baseAddress else { return }
            var first = 0
            while first < datagrams.count {
                let count = min(datagrams.count - first, Int(CLINUX_BATCH))
                send(datagrams.extracting(first..<first + count), base: base, room: octets.count, refused: refused)
                first += count
            }
        }
    }

    private func send(
        _ datagrams: Span<OutgoingDatagram>, base: UnsafeRawPointer, room: Int,
        refused: (OutgoingDatagram, Int32) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: clinux_datagram.self, capacity: datagrams.count) { forms in
            for place in datagrams.indices {
                let range = datagrams[place].octets
                precondition(Int(range.start) + Int(range.count) <= room, "a datagram's octets are among those given")
                forms.initializeElement(
                    at: place,
                    to: clinux_datagram(
                        octets: UnsafeMutableRawPointer(mutating: base + Int(range.start)), byte_count: range.count,
                        is_truncated: 0, remote: datagrams[place].remote.kernelForm, arrival: 0))
            }
            var sent = 0
            var pendingErrors = 0
            while sent < datagrams.count, let next = forms.baseAddress {
                let count = clinux_send_datagrams(
                    descriptor.number, next + sent, UInt32(datagrams.count - sent))
                if count > 0 {
                    sent += Int(count)
                    pendingErrors = 0
                    continue
                }
                let number = errno
                // What an earlier datagram met with may be told now; then this one was not tried.
                if number == EINTR || (pendingErrors == 0 && Self.isOfAnotherDatagram(number)) {
                    pendingErrors += number == EINTR ? 0 : 1
                    continue
                }
                pendingErrors = 0
                refused(datagrams[sent], number)
                sent += 1
            }
        }
    }

    /// The next report that a datagram did not get through; nil where none waits.
    public func nextRefusal() -> DatagramRefusal? {
        var remote = clinux_address()
        var number: Int32 = 0
        var information: UInt32 = 0
        guard clinux_receive_error(descriptor.number, &remote, &number, &information) == 1 else { return nil }
        return DatagramRefusal(
            remote: SocketAddress(remote), number: number, pathMTU: number == EMSGSIZE ? information : nil)
    }
}
