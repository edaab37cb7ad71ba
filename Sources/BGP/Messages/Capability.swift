/// One thing that a speaker says it can do (RFC 5492 §4).
public enum Capability: Hashable, Sendable {
    /// RFC 4760 §8.
    case multiprotocol(familyIdentifier: UInt16, subsequentIdentifier: UInt8)
    /// RFC 2918 §2.
    case routeRefresh
    /// RFC 8950 §4: families whose next hop may be of another address family.
    case extendedNextHop([ExtendedNextHop])
    /// RFC 8654 §3.
    case extendedMessages
    /// RFC 9234 §4.1: the number of a ``PeerRole``, or one that is none.
    case role(UInt8)
    /// RFC 4724 §3.
    case gracefulRestart(GracefulRestartOffer)
    /// RFC 6793 §3.
    case fourOctetAS(UInt32)
    /// RFC 7911 §4.
    case additionalPaths([AdditionalPathsOffer])
    /// RFC 7313 §3.1.
    case enhancedRouteRefresh
    /// RFC 9494 §4.1.
    case longLivedGracefulRestart([LongLivedOffer])
    case unrecognized(code: UInt8, [UInt8])

    /// The capability to carry `family`.
    public static func multiprotocol(_ family: AddressFamily) -> Capability {
        .multiprotocol(
            familyIdentifier: family.identifier, subsequentIdentifier: family.subsequentIdentifier)
    }

    /// The number in the registry.
    public var code: UInt8 {
        switch self {
        case .multiprotocol: 1
        case .routeRefresh: 2
        case .extendedNextHop: 5
        case .extendedMessages: 6
        case .role: 9
        case .gracefulRestart: 64
        case .fourOctetAS: 65
        case .additionalPaths: 69
        case .enhancedRouteRefresh: 70
        case .longLivedGracefulRestart: 71
        case .unrecognized(let code, _): code
        }
    }
}

/// A family as it stands in a capability, spoken here or not.
public struct FamilyIdentifiers: Hashable, Sendable, BitwiseCopyable {
    public var identifier: UInt16
    public var subsequentIdentifier: UInt8

    public init(identifier: UInt16, subsequentIdentifier: UInt8) {
        self.identifier = identifier
        self.subsequentIdentifier = subsequentIdentifier
    }

    public init(_ family: AddressFamily) {
        self.init(identifier: family.identifier, subsequentIdentifier: family.subsequentIdentifier)
    }

    /// The family, where it is one that is spoken here.
    public var family: AddressFamily? {
        AddressFamily(identifier: identifier, subsequentIdentifier: subsequentIdentifier)
    }
}

/// A family whose routes may have a next hop of another one (RFC 8950 §4).
public struct ExtendedNextHop: Hashable, Sendable, BitwiseCopyable {
    public var family: FamilyIdentifiers
    /// The address family identifier of the next hop.
    public var nextHopIdentifier: UInt16

    public init(_ family: FamilyIdentifiers, nextHopIdentifier: UInt16) {
        self.family = family
        self.nextHopIdentifier = nextHopIdentifier
    }
}

/// What a speaker says of its own restarts (RFC 4724 §3, RFC 8538 §2).
public struct GracefulRestartOffer: Hashable, Sendable {
    /// A family whose routes the peer may keep over a restart.
    public struct Family: Hashable, Sendable, BitwiseCopyable {
        public var family: FamilyIdentifiers
        /// Whether forwarding has gone on through the last restart.
        public var isForwardingKept: Bool

        public init(_ family: FamilyIdentifiers, isForwardingKept: Bool) {
            self.family = family
            self.isForwardingKept = isForwardingKept
        }
    }

    /// Whether the speaker has just restarted, and must not be waited for.
    public var isRestarting: Bool
    /// Whether an error or a hold timer that expired is a restart as well (RFC 8538 §2).
    public var coversNotifications: Bool
    /// In seconds, twelve bits.
    public var restartTime: UInt16
    public var families: [Family]

    public init(isRestarting: Bool, coversNotifications: Bool, restartTime: UInt16, families: [Family]) {
        self.isRestarting = isRestarting
        self.coversNotifications = coversNotifications
        self.restartTime = restartTime
        self.families = families
    }
}

/// A family of which several paths to a prefix may be told (RFC 7911 §4).
public struct AdditionalPathsOffer: Hashable, Sendable, BitwiseCopyable {
    public var family: FamilyIdentifiers
    public var canReceive: Bool
    public var canSend: Bool

    public init(_ family: FamilyIdentifiers, canReceive: Bool, canSend: Bool) {
        self.family = family
        self.canReceive = canReceive
        self.canSend = canSend
    }
}

/// A family whose stale routes may be kept for long (RFC 9494 §4.1).
public struct LongLivedOffer: Hashable, Sendable, BitwiseCopyable {
    public var family: FamilyIdentifiers
    public var isForwardingKept: Bool
    /// In seconds, 24 bits.
    public var staleTime: UInt32

    public init(_ family: FamilyIdentifiers, isForwardingKept: Bool, staleTime: UInt32) {
        self.family = family
        self.isForwardingKept = isForwardingKept
        self.staleTime = staleTime
    }
}

/// What this end of a session between two ASes is to the other (RFC 9234 §4).
public enum PeerRole: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case provider = 0
    case routeServer = 1
    case routeServerClient = 2
    case customer = 3
    case peer = 4

    /// The only role that the other end may have (RFC 9234 §4.2).
    public var counterpart: PeerRole {
        switch self {
        case .provider: .customer
        case .customer: .provider
        case .routeServer: .routeServerClient
        case .routeServerClient: .routeServer
        case .peer: .peer
        }
    }
}
