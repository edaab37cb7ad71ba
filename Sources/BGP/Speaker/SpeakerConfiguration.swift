public import Basics
public import Wire

/// Which of the paths to a prefix are told where several may be (RFC 7911).
public enum AdditionalPaths: Equatable, Sendable {
    /// All that take part in the decision.
    case all
    /// So many: the best one, the one that would be the best without it, and so on.
    case best(Int)
}

/// What a speaker is told of one peer.
public struct PeerConfiguration: Equatable, Sendable {
    public var address: IPAddress
    public var autonomousSystem: UInt32
    /// The own end of the session, and the next hop of what is announced over it.
    public var localAddress: IPAddress
    /// The next hop for prefixes of the family that `localAddress` is not of.
    ///
    /// Without one, IPv6 prefixes get the mapped form of an IPv4 address, and IPv4
    /// prefixes the speaker's identifier.
    public var otherFamilyNextHop: IPAddress?
    /// Whether the peer is to open the connection.
    public var isPassive = false
    public var families: AddressFamilies = .ipv4Unicast
    public var importPolicy: RoutePolicy?
    public var exportPolicy: RoutePolicy?
    /// Whether a peer of the same AS is told this end's address in place of another AS's (RFC 4271 §5.1.3).
    public var nextHopSelf = false
    /// Whether a path from another AS must begin with the peer's number (RFC 4271 §6.3); a route server's does not.
    public var requiresFirstAS = true
    /// How long to wait between two rounds of UPDATEs (RFC 4271 §9.2.1.1); zero not to wait at all.
    public var advertisementInterval = Interval.zero
    /// Which paths the peer is told of a family of which it takes several to a prefix (RFC 7911).
    public var additionalPaths = AdditionalPaths.all
    /// How the peer's routes that come and go are damped; nil for not at all (RFC 2439).
    public var damping: FlapDamping?
    public var session = SessionConfiguration()

    public init(address: IPAddress, autonomousSystem: UInt32, localAddress: IPAddress) {
        self.address = address
        self.autonomousSystem = autonomousSystem
        self.localAddress = localAddress
    }
}

/// What a speaker is told of itself and its peers.
public struct SpeakerConfiguration: Equatable, Sendable {
    public var autonomousSystem: UInt32
    public var routerID: IPv4Address
    /// Offered to every peer in whole seconds: 0, or 3 and more (RFC 4271 §4.2).
    public var holdTime: Interval = .seconds(90)
    public var connectRetry: Interval = .seconds(120)
    /// How long a session stays in Idle after its end; doubled with every error in a row.
    public var idleHold: Interval = .seconds(1)
    public var maximumIdleHold: Interval = .seconds(60)
    /// Whether a peer of another AS without a policy neither gives nor gets routes (RFC 8212 §2).
    public var requiresExternalPolicy = false
    /// How long route selection waits for the peers after a restart of this speaker (RFC 4724 §4.1).
    public var selectionDeferral: Interval = .seconds(120)
    public var confederation: Confederation?
    /// The first range that an address is in says what peer it makes.
    public var dynamicPeers: [DynamicPeers] = []
    /// What is told for many prefixes together.
    public var aggregates: [Aggregate] = []
    /// Over how many equally good paths packets may be spread.
    public var maximumPaths = 1
    /// Whether paths by different neighbouring ASes are equally good where they are equally long (RFC 7938 §6.2).
    public var spreadsOverNeighbors = false
    /// Whether peers that are to be told the same are told it together, in messages that are worked out once.
    public var groupsPeers = false
    /// Who may originate what (RFC 6811), for policies that ask.
    public var origins: OriginTable?
    /// The prefixes of the links; nil for a host that does not know, and has every next hop near.
    ///
    /// A next hop on none of them cannot be reached, unless ``Speaker/nextHopChanged(_:cost:at:into:)`` says that it
    /// can.
    public var connected: [IPPrefix]?
    /// Numbered from 0, in this order.
    public var peers: [PeerConfiguration]
    /// The prefixes that are originated from the start.
    public var networks: [IPPrefix]

    public init(
        autonomousSystem: UInt32, routerID: IPv4Address, peers: [PeerConfiguration] = [], networks: [IPPrefix] = []
    ) {
        self.autonomousSystem = autonomousSystem
        self.routerID = routerID
        self.peers = peers
        self.networks = networks
    }
}
