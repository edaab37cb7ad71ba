import Basics
import Endpoints
import Machine
import Node
import TCP
import Traffic
import Wire

/// The machine that runs on a device: a node, an end host, or none on a router.
struct Occupant: ~Copyable {
    var node: Node?
    var host: EndHost?

    init() {
        node = nil
        host = nil
    }

    var isPresent: Bool {
        switch node {
        case .some: return true
        case .none: break
        }
        switch host {
        case .some: return true
        case .none: return false
        }
    }

    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        node?.handle(event, at: now, into: &outbox)
        host?.handle(event, at: now, into: &outbox)
    }

    var nextDeadline: Instant {
        let node = node?.nextDeadline?.at ?? .never
        let host = host?.nextDeadline?.at ?? .never
        return min(node, host)
    }
}

extension Occupant {
    /// The prefixes that the node wants routed to the overlay interface, in order.
    var overlayPrefixes: [IPPrefix] { node?.overlayPrefixes ?? [] }

    /// How many packets the node dropped for want of a path though a tunnel was up.
    var blackholedPackets: UInt64 { node?.blackholedPackets ?? 0 }

    func flowReports(at now: Instant) -> [FlowReport] { host?.reports(at: now) ?? [] }
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
