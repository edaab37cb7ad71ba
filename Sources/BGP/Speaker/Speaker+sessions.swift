public import Basics
public import Wire

/// What the two ends of a session have agreed upon (RFC 5492).
public struct SessionAgreement: Equatable, Sendable {
    public var autonomousSystem: UInt32
    public var identifier: IPv4Address
    public var holdTime: Interval
    public var families: AddressFamilies
    public var isFourOctet: Bool
    /// RFC 8654: no message is longer.
    public var maximumLength: Int
    public var hasRouteRefresh: Bool
    public var hasEnhancedRefresh: Bool
    public var hasExtendedNextHop: Bool
    /// Families of which the peer numbers its paths, and of which its paths are numbered (RFC 7911).
    public var numberedFamiliesHeard: AddressFamilies
    public var numberedFamiliesTold: AddressFamilies
    /// How long the peer may be away; nil where its routes go with the session (RFC 4724).
    public var restartTime: Interval?
    /// Whether errors count as restarts (RFC 8538).
    public var coversNotifications: Bool
}

extension Speaker {
    /// What has been agreed upon with a peer, while its session is up.
    public func agreement(with peer: Int) -> SessionAgreement? {
        guard let negotiated = sessions[peer].established?.negotiated else { return nil }
        return SessionAgreement(
            autonomousSystem: negotiated.autonomousSystem, identifier: negotiated.identifier,
            holdTime: negotiated.holdTime, families: negotiated.context.families,
            isFourOctet: negotiated.context.isFourOctet, maximumLength: negotiated.format.maximumLength,
            hasRouteRefresh: negotiated.hasRouteRefresh, hasEnhancedRefresh: negotiated.hasEnhancedRefresh,
            hasExtendedNextHop: negotiated.context.hasExtendedNextHop,
            numberedFamiliesHeard: negotiated.context.numberedFamilies,
            numberedFamiliesTold: negotiated.format.numberedFamilies,
            restartTime: negotiated.restart?.restartTime,
            coversNotifications: negotiated.restart?.coversNotifications ?? false)
    }

    /// Families of which routes are held that have outlived their session (RFC 4724 §4.2, RFC 9494 §4.2).
    public func staleFamilies(of peer: Int) -> AddressFamilies { sessions[peer].staleFamilies }

    /// Families of which the peer has said everything since its session came up (RFC 4724 §2).
    public func completeFamilies(of peer: Int) -> AddressFamilies { sessions[peer].endsHeard }
}
