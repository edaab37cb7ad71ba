public import Basics
public import Wire

/// How one session behaves, beyond who its ends are.
///
/// Everything here is off, or as RFC 4271 has it, until it is asked for.
public struct SessionConfiguration: Equatable, Sendable {
    /// In place of the speaker's, where there is one.
    public var holdTime: Interval?
    /// In place of the speaker's, where there is one.
    public var connectRetry: Interval?
    /// In place of the speaker's, where there is one.
    public var idleHold: Interval?
    /// In place of the speaker's, where there is one.
    public var maximumIdleHold: Interval?
    /// A peer that offers less is refused (RFC 4271 §4.2); at least three seconds.
    public var minimumHoldTime = Interval.seconds(3)
    /// Whether a peer may offer a session without hold timer and KEEPALIVEs.
    public var allowsNoHoldTime = true
    /// How long the own OPEN waits for the peer's (RFC 4271 §8.1.1, DelayOpen); nil not to wait.
    public var delayOpen: Interval?
    /// How long the peer may take nothing; nil for eight minutes or twice the hold time (RFC 9687 §4.1), zero for ever.
    public var sendHoldTime: Interval?
    /// Whether errors in a row make the wait in Idle longer (RFC 4271 §8.1.1, DampPeerOscillations).
    public var isDamped = true
    /// Whether a fault is told before the own OPEN (RFC 4271 §8.1.1, SendNOTIFICATIONwithoutOPEN).
    public var notifiesWithoutOpen = false

    public var capabilities = CapabilityOffer()
    /// What holds over a restart of the peer or this speaker; nil for nothing (RFC 4724).
    public var gracefulRestart: GracefulRestartConfiguration?
    public var prefixLimit: PrefixLimit?

    /// What this end is to the other (RFC 9234 §4); nil for nothing in particular.
    public var role: PeerRole?
    /// Whether the peer must name its role as well (RFC 9234 §4.2, strict mode).
    public var requiresRole = false

    /// Whether the session ends when BFD finds the way broken (RFC 5882 §4.3).
    public var followsBFD = false
    /// Whether no connection is made or taken until BFD has found the way whole.
    public var awaitsBFD = false

    /// Whether routes that are about to go are the last choice (RFC 8326 §4.1).
    public var honorsGracefulShutdown = true
    /// Whether the metric of RFC 7311 is told and minded; nil inside the AS and the confederation alone.
    public var carriesAccumulatedMetric: Bool?

    /// What a peer of the same AS is to this speaker where that reflects routes; nil where it does not (RFC 4456).
    public var reflection: RouteReflection?
    /// Whether a path with a set in it costs its routes (RFC 9774 §3).
    public var refusesSets = false
    /// The AS numbers that a peer may have besides the configured one.
    public var allowedAutonomousSystems: [ClosedRange<UInt32>] = []

    /// What the host sees to.
    public var transport = TransportConfiguration()

    public init() {}
}

/// What a session needs of TCP, for the host to carry out.
public struct TransportConfiguration: Equatable, Sendable {
    /// The key that signs every segment (RFC 2385); nil for none.
    public var md5Key: String?
    /// How many hops away the peer may be at most, for a session that minds the TTL (RFC 5082 §3).
    public var securedHops: UInt8?
    /// The TTL of what is sent where it is not minded; nil for the system's.
    public var timeToLive: UInt8?

    public init() {}

    /// What the TTL of a packet that arrives must be at least.
    public var minimumTimeToLive: UInt8? {
        securedHops.map { 255 - max($0, 1) + 1 }
    }

    /// The TTL of a packet that is sent.
    public var sentTimeToLive: UInt8? { securedHops == nil ? timeToLive : 255 }
}

/// How routes that one peer of the AS has told are passed on to another (RFC 4456 §6).
public struct RouteReflection: Equatable, Sendable {
    /// Clients are told what every other peer has told, and the others what clients have.
    public var isClient: Bool
    /// The number of the cluster that several reflectors may share; nil for the speaker's identifier.
    public var cluster: IPv4Address?

    public init(isClient: Bool, cluster: IPv4Address? = nil) {
        self.isClient = isClient
        self.cluster = cluster
    }
}

/// What a speaker says it can do, where the peer can do it too (RFC 5492).
public struct CapabilityOffer: Equatable, Sendable {
    /// RFC 6793.
    public var fourOctetAS = true
    /// RFC 2918.
    public var routeRefresh = true
    /// RFC 7313.
    public var enhancedRouteRefresh = false
    /// RFC 8654.
    public var extendedMessages = false
    /// RFC 8950, for IPv4 routes with IPv6 next hops.
    public var extendedNextHop = false
    /// Families of which several paths to a prefix may be heard (RFC 7911).
    public var numberedFamiliesHeard: AddressFamilies = []
    /// Families of which several paths to a prefix may be told (RFC 7911).
    public var numberedFamiliesTold: AddressFamilies = []

    public init() {}
}

/// What is said and done about restarts (RFC 4724, RFC 8538, RFC 9494).
public struct GracefulRestartConfiguration: Equatable, Sendable {
    /// How long this speaker takes to be back, as the peer is told; whole seconds up to 4095.
    public var restartTime = Interval.seconds(120)
    /// Whether forwarding goes on while this speaker restarts.
    public var keepsForwarding = true
    /// Whether errors and hold timers that expire are restarts as well (RFC 8538).
    public var coversNotifications = true
    /// How long a peer that is back may take to say everything again (RFC 4724 §4.2).
    public var stalePathTime = Interval.seconds(360)
    /// How long stale routes are kept when the restart time has passed (RFC 9494); nil for not at all.
    public var longLivedStaleTime: Interval?

    public init() {}
}

/// How many routes of a peer are bearable (RFC 4486 §4).
public struct PrefixLimit: Equatable, Sendable {
    /// What happens beyond it.
    public enum Response: Equatable, Sendable {
        case warn
        /// The session ends until somebody starts it.
        case end
        /// The session ends and starts over by itself after that time.
        case restart(after: Interval)
    }

    /// Of all families together.
    public var maximum: Int
    /// From so many hundredths of the maximum on, it is counted as a warning.
    public var warningPercentage = 75
    public var response = Response.end

    public init(maximum: Int, response: Response = .end) {
        self.maximum = maximum
        self.response = response
    }

    /// Whether so many routes call for a warning.
    func isNear(_ count: Int) -> Bool { count * 100 >= maximum * warningPercentage }
}
