public import BFD
public import BGP
public import Basics
public import Machine
public import Steering
public import Telemetry
public import Wire

/// Everything that a node is told about itself and its peers before it starts.
public struct NodeConfiguration: Sendable {
    public var name: String
    public var autonomousSystem: UInt32
    /// The node's own address in the overlay, which is also its BGP identifier.
    public var overlayAddress: IPv4Address
    /// What the node announces to its peers.
    public var lan: [IPPrefix]
    public var ports: [WANPort]
    public var peers: [OverlayPeer]
    public var tunnels: [TunnelEnd]
    public var probeInterval: Interval
    public var detectMultiplier: UInt8
    /// Whether all nodes' clocks are one, so that one-way latency is exact.
    public var clocksShared: Bool
    public var steering: Steering.Configuration
    /// How often the state of each path is reported.
    public var sampleInterval: Interval
    public var bgpHoldTime: Interval
    /// Whether the node tells its peers of each other's prefixes and carries traffic between them.
    public var isTransit: Bool
    /// Whether the host has a data plane that carries steered flows by itself.
    public var usesDataplane: Bool
    /// Speakers outside the overlay.
    public var neighbors: [BGPNeighbor]
    /// From where speakers outside the overlay may call that are not named.
    public var listeners: [BGPListener] = []
    /// What is announced beside the LANs.
    public var networks: [IPPrefix]
    /// What is told for many prefixes together.
    public var aggregates: [Aggregate] = []
    public var confederation: Confederation?
    /// Who may originate what (RFC 6811), for policies that ask.
    public var origins: OriginTable?
    /// Who is told what the peers and neighbours have told (RFC 7854).
    public var collectors: [MonitoringCollector]
    /// When instants began, in seconds since 1970, for what others are told of times; 0 where nobody knows.
    public var epoch: UInt32
    /// Over how many equally good paths outside the overlay packets are spread.
    public var maximumPaths: Int
    /// Whether paths by different neighbouring ASes are equally good where they are equally long (RFC 7938 §6.2).
    public var spreadsOverNeighbors: Bool

    public init(
        name: String, autonomousSystem: UInt32, overlayAddress: IPv4Address, lan: [IPPrefix], ports: [WANPort],
        peers: [OverlayPeer], tunnels: [TunnelEnd], steering: Steering.Configuration
    ) {
        self.name = name
        self.autonomousSystem = autonomousSystem
        self.overlayAddress = overlayAddress
        self.lan = lan
        self.ports = ports
        self.peers = peers
        self.tunnels = tunnels
        self.steering = steering
        probeInterval = .milliseconds(100)
        detectMultiplier = 3
        clocksShared = true
        sampleInterval = .milliseconds(100)
        bgpHoldTime = .seconds(9)
        isTransit = true
        usesDataplane = false
        neighbors = []
        networks = []
        collectors = []
        epoch = 0
        maximumPaths = 1
        spreadsOverNeighbors = false
    }
}

/// A port towards the underlay, from which tunnels start.
public struct WANPort: Equatable, Sendable {
    /// The host's number of the port.
    public var id: PortID
    public var name: String
    public var address: IPAddress

    public init(id: PortID, name: String, address: IPAddress) {
        self.id = id
        self.name = name
        self.address = address
    }
}

/// Another node of the overlay.
public struct OverlayPeer: Equatable, Sendable {
    public var name: String
    public var autonomousSystem: UInt32
    public var overlayAddress: IPv4Address

    public init(name: String, autonomousSystem: UInt32, overlayAddress: IPv4Address) {
        self.name = name
        self.autonomousSystem = autonomousSystem
        self.overlayAddress = overlayAddress
    }
}

/// A speaker on one of the node's links that is no peer of the overlay (RFC 4271).
public struct BGPNeighbor: Equatable, Sendable {
    public var name: String
    public var session: PeerConfiguration
    /// The host's number of the port towards it.
    public var port: PortID
    /// What is reached directly over the port, and so can be a next hop.
    public var connected: [IPPrefix]
    /// How BFD watches over the way to it (RFC 5881); nil for not at all.
    public var liveness: LivenessTiming?

    public init(name: String, session: PeerConfiguration, port: PortID, connected: [IPPrefix]) {
        self.name = name
        self.session = session
        self.port = port
        self.connected = connected
    }
}

/// Addresses on one of the node's links from which speakers may call (RFC 4271 §8.1.1).
public struct BGPListener: Equatable, Sendable {
    public var peers: DynamicPeers
    /// The host's number of the port towards them, and the node's address there.
    public var port: PortID
    public var localAddress: IPAddress
    /// What is reached directly over the port, and so can be a next hop.
    public var connected: [IPPrefix]

    public init(_ peers: DynamicPeers, port: PortID, localAddress: IPAddress, connected: [IPPrefix]) {
        self.peers = peers
        self.port = port
        self.localAddress = localAddress
        self.connected = connected
    }
}

/// This node's end of a tunnel.
public struct TunnelEnd: Equatable, Sendable {
    public var id: TunnelID
    /// The peer at the other end, by index in ``NodeConfiguration/peers``.
    public var peer: Int
    /// The port it starts from, by index in ``NodeConfiguration/ports``.
    public var port: Int
    public var remoteAddress: IPAddress
    /// What the peer calls its port.
    public var remotePort: String

    public init(id: TunnelID, peer: Int, port: Int, remoteAddress: IPAddress, remotePort: String) {
        self.id = id
        self.peer = peer
        self.port = port
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
    }
}
