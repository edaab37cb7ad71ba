import CDataplane
public import Telemetry
public import Wire

/// A port as the program numbers it: the kernel's interface index, below 4096.
public struct DataplanePort: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: DataplanePort, right: DataplanePort) -> Bool { left.rawValue < right.rawValue }
}

/// What a port is for.
public struct DataplanePortRole: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// What arrives may be forwarded.
    @inlinable
    public static var lan: DataplanePortRole { DataplanePortRole(rawValue: 1) }

    /// Tunnels end here.
    @inlinable
    public static var wan: DataplanePortRole { DataplanePortRole(rawValue: 2) }

    /// Nothing that arrives is policed.
    @inlinable
    public static var trusted: DataplanePortRole { DataplanePortRole(rawValue: 4) }
}

/// The lists of the firewall.
public enum FirewallList: Sendable, BitwiseCopyable {
    case deny
    /// Passes the flood guard too, and wins over `deny` for the same prefix.
    case allow

    var bit: UInt32 {
        switch self {
        case .deny: UInt32(PATRONUS_RULE_DENY.rawValue)
        case .allow: UInt32(PATRONUS_RULE_ALLOW.rawValue)
        }
    }
}

/// Where packets to a prefix go.
public enum DataplaneRoute: Equatable, Sendable, BitwiseCopyable {
    /// To the kernel, though a shorter prefix says otherwise.
    case pass
    case tunnel(TunnelID)
    /// To the destination itself, on the port's link.
    case port(DataplanePort)
    case gateway(DataplanePort, IPAddress)

    var value: patronus_route {
        switch self {
        case .pass: patronus_route(kind: PATRONUS_ROUTE_PASS.rawValue, target: 0, gateway: (0, 0))
        case .tunnel(let tunnel):
            patronus_route(kind: PATRONUS_ROUTE_TUNNEL.rawValue, target: tunnel.rawValue, gateway: (0, 0))
        case .port(let port):
            patronus_route(kind: PATRONUS_ROUTE_PORT.rawValue, target: port.rawValue, gateway: (0, 0))
        case .gateway(let port, let address):
            patronus_route(kind: PATRONUS_ROUTE_GATEWAY.rawValue, target: port.rawValue, gateway: address.words)
        }
    }
}

/// What the node has decided of a flow's packets in one direction.
public enum DataplaneSteering: Equatable, Sendable, BitwiseCopyable {
    /// To the kernel; the flow counts as known, and is not policed.
    case pass
    case tunnel(TunnelID)

    var value: patronus_steering {
        switch self {
        case .pass: patronus_steering(kind: PATRONUS_ROUTE_PASS.rawValue, target: 0)
        case .tunnel(let tunnel): patronus_steering(kind: PATRONUS_ROUTE_TUNNEL.rawValue, target: tunnel.rawValue)
        }
    }
}

/// How to reach a neighbour on a port's link.
public struct DataplaneNeighbor: Equatable, Sendable, BitwiseCopyable {
    public var address: MACAddress
    /// The port's own address.
    public var source: MACAddress
    /// The longest IP packet that may leave to it.
    public var maximumPacketByteCount: Int

    @inlinable
    public init(_ address: MACAddress, from source: MACAddress, maximumPacketByteCount: Int = 1500) {
        self.address = address
        self.source = source
        self.maximumPacketByteCount = maximumPacketByteCount
    }
}

/// One end of a tunnel, as far as the fast path must know it.
public struct DataplaneTunnel: Equatable, Sendable, BitwiseCopyable {
    /// This end's address; both are of one family.
    public var local: IPAddress
    public var remote: IPAddress
    public var port: DataplanePort
    /// The neighbour on the port's link that datagrams are sent to.
    public var nextHop: IPAddress
    public var sourcePort: UInt16 = 6081
    /// The longest outer packet that the path takes.
    public var maximumPacketByteCount = 1500
    public var hopLimit: UInt8 = 64
    /// Outer source ports depend on the flow; order between flows is lost, and nothing is dropped as late.
    ///
    /// Both ends must be told.
    public var isSpread = false
    /// The peer takes UDP over IPv6 without a checksum (RFC 6935).
    public var omitsChecksum = false
    /// Sequence numbers start here; a random number, so that a restart shows.
    public var firstSequence: UInt32

    @inlinable
    public init(
        from local: IPAddress, to remote: IPAddress, on port: DataplanePort, nextHop: IPAddress, firstSequence: UInt32
    ) {
        self.local = local
        self.remote = remote
        self.port = port
        self.nextHop = nextHop
        self.firstSequence = firstSequence
    }

    func value(slot: UInt32) -> patronus_tunnel {
        var value = patronus_tunnel()
        value.local = local.words
        value.remote = remote.words
        value.next_hop = patronus_neighbour_key(
            address: nextHop.words, port: port.rawValue, family: UInt32(local.family))
        value.slot = slot
        value.mtu = UInt16(clamping: maximumPacketByteCount)
        value.source_port = sourcePort.bigEndian
        value.flags =
            (isSpread ? UInt8(PATRONUS_TUNNEL_SPREAD.rawValue) : 0)
            | (omitsChecksum ? UInt8(PATRONUS_TUNNEL_NO_CHECKSUM.rawValue) : 0)
        value.hop_limit = hopLimit
        return value
    }
}
