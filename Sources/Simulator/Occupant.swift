import Basics
import Endpoints
import Machine
import Node
import TCP
import Traffic
import Wire

/// The machine that runs on a device: a node, an end host, or none on a router.
///
/// Behind a pointer, so that a large machine is never moved to be looked at.
struct Occupant: ~Copyable {
    private var node: UnsafeMutablePointer<Node>?
    private var host: UnsafeMutablePointer<EndHost>?
    /// When the machine wants to be woken; `never` where it does not.
    private(set) var nextDeadline = Instant.never

    init() {}

    init(_ node: consuming Node) {
        let pointer = UnsafeMutablePointer<Node>.allocate(capacity: 1)
        unsafe pointer.initialize(to: node)
        unsafe self.node = pointer
    }

    init(_ host: consuming EndHost) {
        let pointer = UnsafeMutablePointer<EndHost>.allocate(capacity: 1)
        unsafe pointer.initialize(to: host)
        unsafe self.host = pointer
    }

    deinit {
        if let node = unsafe node {
            unsafe node.deinitialize(count: 1)
            unsafe node.deallocate()
        }
        if let host = unsafe host {
            unsafe host.deinitialize(count: 1)
            unsafe host.deallocate()
        }
    }

    var isPresent: Bool { unsafe node != nil || host != nil }

    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        if let node = unsafe node {
            unsafe node.pointee.handle(event, at: now, into: &outbox)
            nextDeadline = unsafe node.pointee.nextDeadline?.at ?? .never
        } else if let host = unsafe host {
            unsafe host.pointee.handle(event, at: now, into: &outbox)
            nextDeadline = unsafe host.pointee.nextDeadline?.at ?? .never
        }
    }

    /// The prefixes that the node wants routed to the overlay interface, in order.
    var overlayPrefixes: [IPPrefix] { unsafe node?.pointee.overlayPrefixes ?? [] }

    /// How many packets the node dropped for want of a path though a tunnel was up.
    var blackholedPackets: UInt64 { unsafe node?.pointee.blackholedPackets ?? 0 }

    func flowReports(at now: Instant) -> [FlowReport] { unsafe host?.pointee.reports(at: now) ?? [] }
}

extension PacketPool {
    /// Hands a packet to the machine as one from the overlay interface.
    borrowing func enterOverlay(
        _ packet: PacketID, of occupant: inout Occupant, at now: Instant, into outbox: inout Outbox
    ) {
        occupant.handle(.overlayPacket(bytes(packet)), at: now, into: &outbox)
    }

    /// Hands part of a packet to the machine as a datagram's payload.
    borrowing func deliver(
        _ packet: PacketID, _ payload: Range<Int>, on socket: SocketID, from remote: SocketAddress,
        to occupant: inout Occupant, at now: Instant, into outbox: inout Outbox
    ) {
        occupant.handle(
            .datagram(bytes(packet).extracting(payload), socket: socket, from: remote), at: now, into: &outbox)
    }
}

extension TCP.Output {
    /// Hands received octets to the machine.
    borrowing func deliver(
        _ range: ByteRange, of stream: StreamID, to occupant: inout Occupant, at now: Instant,
        into outbox: inout Outbox
    ) {
        occupant.handle(.streamBytes(stream, arena.bytes(range)), at: now, into: &outbox)
    }
}
