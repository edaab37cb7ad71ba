public import Wire

/// The first message on a connection (RFC 4271 §4.2).
public struct OpenMessage: Equatable, Sendable {
    /// What stands in two octets for an AS number that needs four (RFC 6793 §9).
    public static let transitionalAS: UInt16 = 23456

    /// The two-octet field.
    public var shortAS: UInt16
    /// In seconds; 0 is none.
    public var holdTime: UInt16
    public var identifier: IPv4Address
    public var capabilities: [Capability]

    /// An OPEN with the AS number both in its field and as a capability.
    public init(
        autonomousSystem: UInt32, holdTime: UInt16, identifier: IPv4Address, capabilities: [Capability]
    ) {
        shortAS = UInt16(exactly: autonomousSystem) ?? Self.transitionalAS
        self.holdTime = holdTime
        self.identifier = identifier
        self.capabilities = capabilities
    }

    /// The sender's AS number, from the capability where it has one.
    public var autonomousSystem: UInt32 { fourOctetAS ?? UInt32(shortAS) }

    /// The number of the four-octet capability.
    public var fourOctetAS: UInt32? {
        for case .fourOctetAS(let number) in capabilities { return number }
        return nil
    }

    /// The families that the sender will carry; without any capability that is IPv4 alone (RFC 4760 §8).
    public var families: AddressFamilies {
        var families: AddressFamilies = []
        var isSilent = true
        for case .multiprotocol(let identifier, let subsequent) in capabilities {
            isSilent = false
            if let family = AddressFamily(identifier: identifier, subsequentIdentifier: subsequent) {
                families.insert(AddressFamilies(family))
            }
        }
        return isSilent ? .ipv4Unicast : families
    }

    /// Whether the sender has named a capability of that number.
    public func has(_ code: UInt8) -> Bool {
        capabilities.contains { $0.code == code }
    }

    /// The last word on restarts counts (RFC 4724 §3).
    public var gracefulRestart: GracefulRestartOffer? {
        var last: GracefulRestartOffer?
        for case .gracefulRestart(let offer) in capabilities { last = offer }
        return last
    }

    /// All long-lived offers, in the order in which they stand.
    public var longLivedGracefulRestart: [LongLivedOffer] {
        capabilities.flatMap { capability in
            guard case .longLivedGracefulRestart(let offers) = capability else { return [LongLivedOffer]() }
            return offers
        }
    }

    /// The first word on each family's additional paths counts.
    public func additionalPaths(of family: AddressFamily) -> AdditionalPathsOffer? {
        for case .additionalPaths(let offers) in capabilities {
            if let offer = offers.first(where: { $0.family.family == family }) { return offer }
        }
        return nil
    }

    /// Whether IPv4 routes may come and go with IPv6 next hops (RFC 8950 §4).
    public var hasExtendedNextHop: Bool {
        capabilities.contains { capability in
            guard case .extendedNextHop(let entries) = capability else { return false }
            return entries.contains { $0.family.family == .ipv4Unicast && $0.nextHopIdentifier == 2 }
        }
    }

    /// The sender's roles without repetitions; more than one is a fault (RFC 9234 §4.2).
    public var roles: [UInt8] {
        var roles: [UInt8] = []
        for case .role(let role) in capabilities where !roles.contains(role) { roles.append(role) }
        return roles
    }
}
