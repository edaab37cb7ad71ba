import Basics
import Wire

/// Which peer a destination lies behind.
struct OverlayRoutes: Sendable {
    private var routes4 = PrefixTrie<UInt32, UInt32>()
    private var routes6 = PrefixTrie<UInt128, UInt32>()

    mutating func insert(_ prefix: IPPrefix, peer: Int) {
        switch prefix {
        case .v4(let prefix):
            routes4.insert(prefix.address.bits, length: Int(prefix.length), value: UInt32(peer))
        case .v6(let prefix):
            routes6.insert(prefix.address.bits, length: Int(prefix.length), value: UInt32(peer))
        }
    }

    mutating func remove(_ prefix: IPPrefix) {
        switch prefix {
        case .v4(let prefix): routes4.remove(prefix.address.bits, length: Int(prefix.length))
        case .v6(let prefix): routes6.remove(prefix.address.bits, length: Int(prefix.length))
        }
    }

    func peer(toward address: IPAddress) -> Int? {
        switch address {
        case .v4(let address): routes4.longestMatch(address.bits).map { Int($0) }
        case .v6(let address): routes6.longestMatch(address.bits).map { Int($0) }
        }
    }

    /// All prefixes with the index of their peer, IPv4 first, in order.
    func all() -> [(prefix: IPPrefix, peer: Int)] {
        var found: [(prefix: IPPrefix, peer: Int)] = []
        routes4.forEach { key, length, peer in
            found.append((.v4(IPv4Prefix(IPv4Address(bits: key), length: length)), Int(peer)))
        }
        routes6.forEach { key, length, peer in
            found.append((.v6(IPv6Prefix(IPv6Address(bits: key), length: length)), Int(peer)))
        }
        return found
    }
}
