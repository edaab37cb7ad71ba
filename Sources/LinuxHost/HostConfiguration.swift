public import Basics
public import LinuxSystem
public import Wire

/// What a port is for.
public enum HostPortRole: Sendable {
    /// Towards the site's own network.
    case lan
    /// Towards the underlay: tunnels start here.
    case wan
}

/// One port of a machine, which the kernel has already.
public struct HostPort: Equatable, Sendable {
    /// The interface's name.
    public var name: String
    public var role: HostPortRole
    public var addresses: [IPAddress]
    /// Who takes what goes beyond the link, at most one of each family.
    public var gateways: [IPAddress]
    /// What a data plane may send out of the port to its destination itself: on a LAN, the hosts that are there.
    public var reachable: [IPPrefix]

    public init(
        _ name: String, role: HostPortRole, addresses: [IPAddress], gateways: [IPAddress] = [],
        reachable: [IPPrefix] = []
    ) {
        self.name = name
        self.role = role
        self.addresses = addresses
        self.gateways = gateways
        self.reachable = reachable
    }
}

/// The interface by which a node's kernel hands it packets, and gets them; the host makes it.
public struct OverlayInterface: Equatable, Sendable {
    public var name: String
    /// What the kernel's own packets carry as their source.
    public var address: IPv4Address
    public var mtu: Int
    /// The mark by which what made it finds it again.
    public var alias: String?

    public init(name: String = "patronus0", address: IPv4Address, mtu: Int, alias: String? = nil) {
        self.name = name
        self.address = address
        self.mtu = mtu
        self.alias = alias
    }
}

/// What a host is told of the place where its machine runs.
public struct HostConfiguration: Sendable {
    /// In the order of their numbers (`PortID`).
    public var ports: [HostPort]
    /// Nodes only.
    public var overlay: OverlayInterface?
    /// Loads the XDP program and attaches it to every port, natively.
    public var usesDataplane: Bool
    /// Has ports whose driver refuses that run it in generic mode.
    public var allowsGenericDataplane = false
    public var clock: MonotonicClock
    /// What the host itself draws, which is the data plane's secrets.
    public var random: SeededRandom
    /// The congestion control of TCP connections, by the kernel's name for it; empty takes the machine's own.
    public var congestionControl = ""
    /// How many flows the data plane's table has room for; fewer take less memory.
    public var dataplaneFlowCount: UInt32 = 65_536

    public init(
        ports: [HostPort], overlay: OverlayInterface? = nil, usesDataplane: Bool = false, clock: MonotonicClock,
        random: SeededRandom
    ) {
        self.ports = ports
        self.overlay = overlay
        self.usesDataplane = usesDataplane
        self.clock = clock
        self.random = random
    }
}
