public import Wire

/// A kind of route that a session may carry: an address family with its subsequent family (RFC 4760 §3).
public enum AddressFamily: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case ipv4Unicast
    case ipv6Unicast

    /// The family of the two numbers on the wire; nil for one that is not spoken here.
    public init?(identifier: UInt16, subsequentIdentifier: UInt8) {
        switch (identifier, subsequentIdentifier) {
        case (1, 1): self = .ipv4Unicast
        case (2, 1): self = .ipv6Unicast
        default: return nil
        }
    }

    /// The family that carries `prefix`.
    public init(of prefix: IPPrefix) {
        self = prefix.isIPv4 ? .ipv4Unicast : .ipv6Unicast
    }

    /// The address family identifier.
    public var identifier: UInt16 { self == .ipv4Unicast ? 1 : 2 }

    /// The subsequent address family identifier: 1 is unicast.
    public var subsequentIdentifier: UInt8 { 1 }

    var addressLength: Int { self == .ipv4Unicast ? 4 : 16 }
}

/// A set of address families.
public struct AddressFamilies: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let ipv4Unicast = AddressFamilies(.ipv4Unicast)
    public static let ipv6Unicast = AddressFamilies(.ipv6Unicast)

    /// The set of one family.
    public init(_ family: AddressFamily) {
        self.init(rawValue: 1 << family.rawValue)
    }

    /// Whether the set has that family.
    public func contains(_ family: AddressFamily) -> Bool {
        contains(AddressFamilies(family))
    }

    /// The members in the order of their numbers.
    public var members: [AddressFamily] {
        AddressFamily.allCases.filter { contains($0) }
    }
}
