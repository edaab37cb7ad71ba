/// What must be known of a session to read its UPDATEs.
public struct UpdateContext: Equatable, Sendable, BitwiseCopyable {
    /// Whether the peer is in the same AS.
    public var isInternal: Bool
    /// Whether the peer is in the same confederation, in whichever of its ASes (RFC 5065 §5).
    public var isInConfederation = false
    /// Whether both ends write AS numbers in four octets (RFC 6793 §4).
    public var isFourOctet: Bool
    public var families: AddressFamilies
    /// The families of which the peer numbers its paths (RFC 7911 §3).
    public var numberedFamilies: AddressFamilies = []
    /// Whether IPv4 routes may have IPv6 next hops (RFC 8950 §4).
    public var hasExtendedNextHop = false
    /// Whether the metric of RFC 7311 is minded.
    public var acceptsAccumulatedMetric = false
    /// Whether a path with a set in it is malformed (RFC 9774 §3).
    public var refusesSets = false
    /// The AS that every path must begin with, where that is asked for (RFC 4271 §6.3).
    public var requiredFirstAS: UInt32?

    public init(
        isInternal: Bool, isFourOctet: Bool = true, families: AddressFamilies = [.ipv4Unicast, .ipv6Unicast],
        requiredFirstAS: UInt32? = nil
    ) {
        self.isInternal = isInternal
        self.isFourOctet = isFourOctet
        self.families = families
        self.requiredFirstAS = requiredFirstAS
    }

    /// Whether local preference means anything between the two ends (RFC 4271 §5.1.5, RFC 5065 §5.1).
    public var carriesLocalPreference: Bool { isInternal || isInConfederation }
}
