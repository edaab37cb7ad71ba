public import Basics
public import Scenario
public import Wire

// What a lab stands on: namespaces, links between them, addresses and routes.
//
// The way in is a scenario with its run plan; the way out is a plain value that says of every namespace and link what
// it will be, the same for the same scenario. Nothing has been made yet: `Ground.build` does that, `describe()` tells
// it. What the simulator gives its kernels these get: hardware addresses by direction, one route to whoever is across
// a link, the routers' shortest paths, a default route for hosts. Links that do nothing to packets are plain veths,
// all others wires: a TAP at either end.

/// The namespaces and links that a topology comes to, before any is made.
public struct GroundPlan: Equatable, Sendable {
    /// The topology's name.
    public let topology: String
    /// One for each node, by its index.
    public internal(set) var namespaces: [Namespace]
    /// One for each link, by its index.
    public internal(set) var links: [Link]

    /// What one node stands in.
    public struct Namespace: Equatable, Sendable {
        public let name: String
        public let kind: NodeKind
        /// In the order of links: a port's place is its number.
        public internal(set) var ports: [Port] = []
        public internal(set) var routes: [Route] = []
        /// Prefixes of which every address is the namespace's own.
        public internal(set) var ownPrefixes: [IPPrefix] = []
        public internal(set) var parameters: [Parameter] = []
        /// What runs in a `linux` node.
        public let commands: [String]
        /// The address and the largest packet of a node's overlay interface, which its process makes.
        public internal(set) var overlay: OverlayInterface?
        /// Whether packets to one prefix may leave by several next hops, those of a flow by one.
        public internal(set) var spreadsFlows = false
    }

    /// An interface at the end of a link.
    public struct Port: Equatable, Sendable {
        public let name: String
        public let link: Int
        /// The direction that leaves by this port.
        public let direction: LinkDirection
        public let hardwareAddress: MACAddress
        public let mtu: UInt32
        public internal(set) var addresses: [Address] = []
    }

    /// An address of a port.
    public struct Address: Equatable, Sendable {
        public let address: IPAddress
        public let prefixLength: UInt8
        /// Whether the whole prefix is across the link; else a route leads to the one who is.
        public let isWholePrefixThere: Bool
    }

    /// A route by a port, given by its number.
    public struct Route: Equatable, Sendable {
        public let destination: IPPrefix
        public let gateway: IPAddress?
        public let port: Int
        /// Of several routes to one prefix the least goes first; nil goes before all.
        public var metric: UInt32?
    }

    /// One of the kernel's parameters below `net`.
    public struct Parameter: Equatable, Sendable {
        public let name: String
        public let value: String
        /// Whether kernels that do not have it do as well without.
        public var isOptional = false
    }

    /// The interface by which a node's kernel hands packets to the overlay.
    public struct OverlayInterface: Equatable, Sendable {
        public let address: IPAddress
        public let mtu: Int
    }

    /// A link, with how it is made.
    public struct Link: Equatable, Sendable {
        public let name: String
        public let kind: LinkKind
        public let first: End
        public let second: End

        /// The end from which packets leave in a direction.
        public func source(_ direction: LinkDirection) -> End { direction == .forward ? first : second }
    }

    /// How a link is made.
    public enum LinkKind: String, Sendable {
        /// The kernel's own pair of interfaces, which does nothing to packets.
        case veth
        /// A TAP at each end, with what lies between them in this program.
        case wire
    }

    /// The end of a link: a namespace and the number of its port there.
    public struct End: Hashable, Sendable {
        public let namespace: Int
        public let port: Int
    }

    /// The longest delay that a link may have and still be a veth: a wire could not keep it.
    public static let longestUnkeptDelay = Interval.microseconds(100)

    /// How many octets an interface's name may have.
    public static let longestInterfaceName = 15
}
