public import Basics
public import Wire

/// How the nodes' overlay is built and watched.
public struct OverlayConfiguration: Equatable, Sendable {
    public var tunnels: TunnelPattern
    public var encryption: TunnelEncryption
    public var probeInterval: Interval
    /// How many probes may be missing before a tunnel is down.
    public var detectMultiplier: Int
    /// How long a path must have been good before flows return to it.
    public var failbackDelay: Interval
    /// Whether the nodes' ports run the XDP program.
    public var usesDataplane: Bool

    public init(
        tunnels: TunnelPattern = .fullMesh, encryption: TunnelEncryption = .none,
        probeInterval: Interval = .milliseconds(100), detectMultiplier: Int = 3,
        failbackDelay: Interval = .seconds(60), usesDataplane: Bool = true
    ) {
        self.tunnels = tunnels
        self.encryption = encryption
        self.probeInterval = probeInterval
        self.detectMultiplier = detectMultiplier
        self.failbackDelay = failbackDelay
        self.usesDataplane = usesDataplane
    }
}

/// Which nodes have tunnels to each other.
public enum TunnelPattern: Equatable, Sendable {
    case fullMesh
    /// Each hub with every other node.
    case hubAndSpoke
    /// These pairs, by index.
    case pairs([NodePair])
}

/// Two nodes by index.
public struct NodePair: Hashable, Sendable {
    public var first: Int
    public var second: Int

    public init(_ first: Int, _ second: Int) {
        self.first = first
        self.second = second
    }
}

/// How a tunnel protects what it carries.
public enum TunnelEncryption: String, CaseIterable, Sendable {
    case none
    case wireguard
}

/// What a kind of traffic needs of a path; nil is "no limit".
public struct SLAClass: Equatable, Sendable {
    public var name: String
    /// One-way.
    public var latency: Interval?
    public var jitter: Interval?
    public var loss: Ratio?

    public init(name: String, latency: Interval? = nil, jitter: Interval? = nil, loss: Ratio? = nil) {
        self.name = name
        self.latency = latency
        self.jitter = jitter
        self.loss = loss
    }
}

/// Which flows a policy is about; nil matches every flow.
public struct SteeringMatch: Equatable, Sendable {
    /// An application of the glossary, such as `voip`.
    public var application: String?
    public var source: IPPrefix?
    public var destination: IPPrefix?
    /// `tcp`, `udp` or `icmp`.
    public var transport: String?
    /// The destination's port of TCP or UDP.
    public var port: UInt16?

    public init(
        application: String? = nil, source: IPPrefix? = nil, destination: IPPrefix? = nil, transport: String? = nil,
        port: UInt16? = nil
    ) {
        self.application = application
        self.source = source
        self.destination = destination
        self.transport = transport
        self.port = port
    }
}

/// Which path the flows that match take; the higher priority number wins, ties go by file order.
public struct SteeringPolicy: Equatable, Sendable {
    public var name: String
    public var match: SteeringMatch
    /// The SLA class's index.
    public var slaClass: Int?
    /// WAN ports, best first.
    public var preferredPorts: [String]
    public var priority: Int

    public init(
        name: String, match: SteeringMatch = SteeringMatch(), slaClass: Int? = nil, preferredPorts: [String] = [],
        priority: Int = 100
    ) {
        self.name = name
        self.match = match
        self.slaClass = slaClass
        self.preferredPorts = preferredPorts
        self.priority = priority
    }
}
