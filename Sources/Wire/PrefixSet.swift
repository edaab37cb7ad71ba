import Basics

/// Some prefixes of either family, kept in order.
public struct PrefixSet: Sendable {
    private var set4 = PrefixTrie<UInt32, Void>()
    private var set6 = PrefixTrie<UInt128, Void>()

    public init() {}

    /// Whether the very prefix is there, at no other length.
    public func contains(_ prefix: IPPrefix) -> Bool {
        switch prefix {
        case .v4(let prefix): set4.exactMatch(prefix.address.bits, length: Int(prefix.length)) != nil
        case .v6(let prefix): set6.exactMatch(prefix.address.bits, length: Int(prefix.length)) != nil
        }
    }

    /// Adds a prefix, if it is not there yet.
    public mutating func insert(_ prefix: IPPrefix) {
        switch prefix {
        case .v4(let prefix): set4.insert(prefix.address.bits, length: Int(prefix.length), value: ())
        case .v6(let prefix): set6.insert(prefix.address.bits, length: Int(prefix.length), value: ())
        }
    }

    /// Takes a prefix away, and returns whether it was there.
    @discardableResult
    public mutating func remove(_ prefix: IPPrefix) -> Bool {
        switch prefix {
        case .v4(let prefix): set4.remove(prefix.address.bits, length: Int(prefix.length)) != nil
        case .v6(let prefix): set6.remove(prefix.address.bits, length: Int(prefix.length)) != nil
        }
    }

    /// All of them, IPv4 first, in order.
    public var all: [IPPrefix] {
        var found: [IPPrefix] = []
        set4.forEach { key, length, _ in found.append(.v4(IPv4Prefix(IPv4Address(bits: key), length: length))) }
        set6.forEach { key, length, _ in found.append(.v6(IPv6Prefix(IPv6Address(bits: key), length: length))) }
        return found
    }
}
