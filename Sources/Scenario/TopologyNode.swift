public import Wire

/// What a node of a topology is.
public enum NodeKind: String, CaseIterable, Sendable {
    /// The full SD-WAN node.
    case patronus
    /// A router of the underlay.
    case router
    /// An endpoint of traffic.
    case host
    /// A bare namespace for real peers; only emulated.
    case linux
    case awsTransitGateway = "aws-transit-gateway"
    case awsDirectConnect = "aws-direct-connect"
    case azureVirtualWAN = "azure-virtual-wan"
    case azureExpressRoute = "azure-expressroute"
    case gcpCloudRouter = "gcp-cloud-router"
    case gcpInterconnect = "gcp-interconnect"

    /// Whether it stands for a cloud provider's gateway.
    public var isCloud: Bool {
        switch self {
        case .patronus, .router, .host, .linux: false
        case .awsTransitGateway, .awsDirectConnect, .azureVirtualWAN, .azureExpressRoute, .gcpCloudRouter,
            .gcpInterconnect:
            true
        }
    }
}

/// One node of a topology; its index is its place in the file.
public struct TopologyNode: Equatable, Sendable {
    public var name: String
    public var kind: NodeKind
    public var autonomousSystem: UInt32?
    /// The site's prefixes; a node's own address in each is the first one.
    public var lan: [IPPrefix]
    public var role: String?
    /// The node, by index, on whose LAN or behind which a host stands.
    public var attachment: Int?
    /// The region of a cloud gateway.
    public var region: String?
    /// What a cloud gateway announces, and the addresses that a host has beside its own.
    public var prefixes: [IPPrefix]
    /// The parts of the LAN that the underlay routes to the site, by its first WAN port.
    public var publicPrefixes: [IPPrefix]
    /// The commands that run in a `linux` node.
    public var commands: [String]
    /// The speakers outside the overlay that a node exchanges routes with.
    public var bgp: BGPDeclaration?

    public init(
        name: String, kind: NodeKind, autonomousSystem: UInt32? = nil, lan: [IPPrefix] = [], role: String? = nil,
        attachment: Int? = nil, region: String? = nil, prefixes: [IPPrefix] = [], publicPrefixes: [IPPrefix] = [],
        commands: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.autonomousSystem = autonomousSystem
        self.lan = lan
        self.role = role
        self.attachment = attachment
        self.region = region
        self.prefixes = prefixes
        self.publicPrefixes = publicPrefixes
        self.commands = commands
    }

    /// Whether spokes build their tunnels to it.
    public var isHub: Bool { role == "hub" }
}
