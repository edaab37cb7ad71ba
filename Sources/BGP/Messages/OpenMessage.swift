public import Wire

/// One thing that a speaker says it can do (RFC 5492 §4).
public enum Capability: Hashable, Sendable {
    /// RFC 4760 §8.
    case multiprotocol(familyIdentifier: UInt16, subsequentIdentifier: UInt8)
    /// RFC 2918 §2.
    case routeRefresh
    /// RFC 6793 §3.
    case fourOctetAS(UInt32)
    case unrecognized(code: UInt8, [UInt8])

    /// The capability to carry `family`.
    public static func multiprotocol(_ family: AddressFamily) -> Capability {
        .multiprotocol(
            familyIdentifier: family.identifier, subsequentIdentifier: family.subsequentIdentifier)
    }
}

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
}
