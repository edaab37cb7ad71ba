public import Wire

/// The addresses that belong to a link because of its place in the topology.
///
/// Link *n* has the /31 at 100.64.0.0 + 2*n* and the /127 at the start of the *n*+1-th
/// /64 of fd64::/16, its first end the lower one (RFC 3021, RFC 6164). A link with
/// addresses of its own keeps its place, so that writing them down moves no other's.
public struct AllottedAddresses: Equatable, Sendable {
    /// How many links there are addresses for: up to where the overlay's begin.
    public static let linkLimit = (0x64_7F_00_00 - 0x64_40_00_00) / 2

    /// Where links' IPv4 addresses are taken from.
    public static let ipv4Pool = IPv4Prefix(IPv4Address(100, 64, 0, 0), length: 10)

    /// Where links' IPv6 addresses are taken from.
    public static let ipv6Pool = IPv6Prefix(IPv6Address(high: 0xFD64 << 48, low: 0), length: 16)

    public let ipv4: IPv4Address
    public let ipv6: IPv6Address

    /// The addresses of the link at that place, which is below ``linkLimit``.
    public init(linkNumber: Int) {
        precondition(linkNumber >= 0 && linkNumber < Self.linkLimit, "there are no addresses for so many links")
        ipv4 = Self.ipv4Pool.address + UInt32(linkNumber * 2)
        ipv6 = IPv6Address(high: Self.ipv6Pool.address.high + UInt64(linkNumber + 1), low: 0)
    }

    /// Gives the two ends of a link their addresses, for each family of which they have none.
    func complete(_ first: inout LinkEnd, _ second: inout LinkEnd) {
        if first.ipv4 == nil, second.ipv4 == nil {
            first.addresses.append(PortAddress(.v4(ipv4), prefixLength: 31))
            second.addresses.append(PortAddress(.v4(ipv4 + 1), prefixLength: 31))
        }
        if first.ipv6 == nil, second.ipv6 == nil {
            first.addresses.append(PortAddress(.v6(ipv6), prefixLength: 127))
            second.addresses.append(PortAddress(.v6(ipv6 + 1), prefixLength: 127))
        }
    }
}

/// The addresses of a site's LAN.
public enum LANAddresses {
    /// The node's own address: the first behind the prefix's own.
    public static func gateway(of prefix: IPPrefix) -> IPAddress {
        offset(1, in: prefix)
    }

    /// The address of the host in that place: .10, .11, …, or .2, .3, … where the prefix is longer than /27.
    public static func host(_ place: Int, in prefix: IPPrefix) -> IPAddress {
        offset(firstHost(of: prefix) + place, in: prefix)
    }

    /// How many hosts a prefix has addresses for, at most a million.
    public static func hostCapacity(of prefix: IPPrefix) -> Int {
        let bits = min((prefix.isIPv4 ? 32 : 128) - prefix.length, 20)
        return max(0, (1 << bits) - 1 - firstHost(of: prefix))
    }

    /// The prefixes in which hosts get an address: the first of each family.
    public static func families(of lan: [IPPrefix]) -> [IPPrefix] {
        let ipv4 = lan.first { $0.isIPv4 }
        let ipv6 = lan.first { !$0.isIPv4 }
        return [ipv4, ipv6].compactMap { $0 }
    }

    private static func firstHost(of prefix: IPPrefix) -> Int {
        (prefix.isIPv4 ? 32 : 128) - prefix.length >= 5 ? 10 : 2
    }

    private static func offset(_ count: Int, in prefix: IPPrefix) -> IPAddress {
        switch prefix {
        case .v4(let prefix): .v4(prefix.address + UInt32(truncatingIfNeeded: count))
        case .v6(let prefix): .v6(prefix.address + UInt64(truncatingIfNeeded: count))
        }
    }
}

/// The nodes' addresses in the overlay.
public enum OverlayAddresses {
    /// Where they are taken from.
    public static let pool = IPv4Prefix(IPv4Address(100, 127, 0, 0), length: 16)

    /// How many nodes there are addresses for.
    public static let nodeLimit = 65_534

    /// The address of the node of that index, which is below ``nodeLimit``: 100.127.0.1 is node 0's.
    public static func address(ofNode index: Int) -> IPv4Address {
        precondition(index >= 0 && index < nodeLimit, "there are no overlay addresses for so many nodes")
        return pool.address + UInt32(index + 1)
    }
}
