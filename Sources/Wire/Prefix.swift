/// An IPv4 prefix whose host bits are 0.
public struct IPv4Prefix: Hashable, Comparable, Sendable, BitwiseCopyable {
    public let address: IPv4Address
    public let length: UInt8

    /// The prefix of `length` bits, at most 32, that contains `address`.
    @inlinable
    public init(_ address: IPv4Address, length: Int) {
        precondition(length >= 0 && length <= 32)
        self.address = IPv4Address(bits: length == 0 ? 0 : address.bits & (UInt32.max << UInt32(32 - length)))
        self.length = UInt8(length)
    }

    /// Whether the address starts with the prefix's bits.
    @inlinable
    public func contains(_ other: IPv4Address) -> Bool {
        length == 0 || (other.bits ^ address.bits) >> (32 - UInt32(length)) == 0
    }

    @inlinable
    public static func < (left: IPv4Prefix, right: IPv4Prefix) -> Bool {
        left.address != right.address ? left.address < right.address : left.length < right.length
    }
}

/// An IPv6 prefix whose host bits are 0.
public struct IPv6Prefix: Hashable, Comparable, Sendable, BitwiseCopyable {
    public let address: IPv6Address
    public let length: UInt8

    /// The prefix of `length` bits, at most 128, that contains `address`.
    @inlinable
    public init(_ address: IPv6Address, length: Int) {
        precondition(length >= 0 && length <= 128)
        self.address = IPv6Address(bits: length == 0 ? 0 : address.bits & (UInt128.max << UInt128(128 - length)))
        self.length = UInt8(length)
    }

    /// Whether the address starts with the prefix's bits.
    @inlinable
    public func contains(_ other: IPv6Address) -> Bool {
        length == 0 || (other.bits ^ address.bits) >> (128 - UInt128(length)) == 0
    }

    @inlinable
    public static func < (left: IPv6Prefix, right: IPv6Prefix) -> Bool {
        left.address != right.address ? left.address < right.address : left.length < right.length
    }
}

/// A prefix of either family.
public enum IPPrefix: Hashable, Comparable, Sendable, BitwiseCopyable {
    case v4(IPv4Prefix)
    case v6(IPv6Prefix)

    /// The prefix of `length` bits around an address; the length must fit the family.
    @inlinable
    public init(_ address: IPAddress, length: Int) {
        switch address {
        case .v4(let address): self = .v4(IPv4Prefix(address, length: length))
        case .v6(let address): self = .v6(IPv6Prefix(address, length: length))
        }
    }

    /// The prefix that holds one address alone.
    @inlinable
    public init(host address: IPAddress) {
        self.init(address, length: address.isIPv4 ? 32 : 128)
    }

    @inlinable
    public var address: IPAddress {
        switch self {
        case .v4(let prefix): .v4(prefix.address)
        case .v6(let prefix): .v6(prefix.address)
        }
    }

    @inlinable
    public var length: Int {
        switch self {
        case .v4(let prefix): Int(prefix.length)
        case .v6(let prefix): Int(prefix.length)
        }
    }

    @inlinable
    public var isIPv4: Bool { address.isIPv4 }

    /// Whether the address is of the same family and starts with the prefix's bits.
    @inlinable
    public func contains(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4(let prefix), .v4(let other)): prefix.contains(other)
        case (.v6(let prefix), .v6(let other)): prefix.contains(other)
        case (.v4, .v6), (.v6, .v4): false
        }
    }

    /// Whether two prefixes have an address in common.
    @inlinable
    public func overlaps(_ other: IPPrefix) -> Bool {
        contains(other.address) || other.contains(address)
    }
}

extension IPv4Prefix: LosslessStringConvertible {
    public var description: String { "\(address)/\(length)" }

    /// Reads `10.2.0.0/16`; host bits must be 0.
    public init?(_ text: String) {
        guard case .v4(let prefix)? = IPPrefix(text) else { return nil }
        self = prefix
    }
}

extension IPv6Prefix: LosslessStringConvertible {
    public var description: String { "\(address)/\(length)" }

    /// Reads `2001:db8::/32`; host bits must be 0.
    public init?(_ text: String) {
        guard case .v6(let prefix)? = IPPrefix(text) else { return nil }
        self = prefix
    }
}

extension IPPrefix: LosslessStringConvertible {
    public var description: String { "\(address)/\(length)" }

    /// Reads a prefix of either family; host bits must be 0.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), parts[1] == "0" || parts[1].first != "0",
            let length = Int(parts[1]),
            length <= (address.isIPv4 ? 32 : 128)
        else { return nil }
        self.init(address, length: length)
        guard self.address == address else { return nil }
    }
}
