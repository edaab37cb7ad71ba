public import Basics
public import Telemetry
public import Wire

/// One change of what the host does with packets by itself: its forwarding table, and its data plane where it has one.
public enum ForwardingChange: Equatable, Sendable, BitwiseCopyable {
    /// Packets for the prefix go to the overlay interface.
    case install(IPPrefix)
    case withdraw(IPPrefix)
    /// Packets for the prefix leave by a port for a router there, as a neighbour has told.
    case route(IPPrefix, over: PortID, through: IPAddress)
    /// Packets for the prefix are spread by flow over several such routers, ``Outbox/routerHops(_:)`` of the range.
    ///
    /// It takes the place of a ``route(_:over:through:)`` to the prefix, and the other way round.
    case spread(IPPrefix, over: ByteRange)
    case unroute(IPPrefix)
    /// The data plane may carry packets through a tunnel that leaves by a port for an address.
    case open(TunnelID, over: PortID, to: IPAddress)
    /// Packets of flows that were steered into the tunnel go to the overlay interface again.
    case close(TunnelID)
    /// The data plane puts a flow's packets into a tunnel, as long as that is open.
    case steer(FiveTuple, into: TunnelID)
    /// A flow's packets go to the overlay interface again.
    case release(FiveTuple)
}

/// One thing that a machine asks of its host; octets are ranges of the outbox's arena.
public enum Action: Equatable, Sendable, BitwiseCopyable {
    /// Opens a datagram socket, bound to a port of the machine where one is given.
    case bind(SocketID, local: SocketAddress, port: PortID?)
    /// What a datagram socket sends carries that hop limit, and it takes nothing that came with a lower one (RFC 5082).
    case secure(SocketID, hopLimit: UInt8)
    case listen(SocketAddress)
    /// Streams to and from an address, opened from now on, are signed with a key where it has octets (RFC 2385), and
    /// bear no packet with a lower hop limit than that; 0 minds none (RFC 5082).
    case protect(IPAddress, key: ByteRange, leastHopLimit: UInt8)
    case send(SocketID, to: SocketAddress, ByteRange)
    /// Hands an IP packet to the kernel as if it had arrived on the overlay interface.
    case deliver(ByteRange)
    case connect(StreamID, from: IPAddress, to: SocketAddress)
    case write(StreamID, ByteRange)
    /// Says that nothing more will be written.
    case finish(StreamID)
    case abort(StreamID)
    case program(ForwardingChange)
    /// Asks what the data plane has received from a tunnel; the answer is ``Event/carried(_:received:expected:)``.
    case readTunnel(TunnelID)
    case report(TelemetryRecord)
}
