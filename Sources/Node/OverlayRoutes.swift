import Basics
import Wire

/// Which peer a destination lies behind.
struct OverlayRoutes: Sendable {
    private var routes4 = PrefixTrie<UInt32, UInt32>()
    private var routes6 = PrefixTrie<UInt128, UInt32>()
    /// The answers for some IPv4 addresses, until anything changes.
    private var answers = InlineArray<32, Answer>(repeating: Answer())

    private struct Answer: BitwiseCopyable, Sendable {
        var address: UInt32 = 0
        /// The peer, or one of the marks below.
        var peer = Answer.unknown

        static let unknown = UInt32.max
        static let nobody = UInt32.max - 1
    }

    mutating func insert(_ prefix: IPPrefix, peer: Int) {
        answers = InlineArray(repeating: Answer())
        switch prefix {
        case .v4(let prefix):
            routes4.insert(prefix.address.bits, length: Int(prefix.length), value: UInt32(peer))
        case .v6(let prefix):
            routes6.insert(prefix.address.bits, length: Int(prefix.length), value: UInt32(peer))
        }
    }

    /// Has a prefix lead nowhere, whatever a shorter one says.
    mutating func insertDiscard(_ prefix: IPPrefix) {
        insert(prefix, peer: Int(Answer.nobody))
    }

    /// Whether the prefix was there.
    @discardableResult mutating func remove(_ prefix: IPPrefix) -> Bool {
        answers = InlineArray(repeating: Answer())
        return switch prefix {
        case .v4(let prefix): routes4.remove(prefix.address.bits, length: Int(prefix.length)) != nil
        case .v6(let prefix): routes6.remove(prefix.address.bits, length: Int(prefix.length)) != nil
        }
    }

    mutating func peer(toward address: IPAddress) -> Int? {
        switch address {
        case .v4(let address): peer(toward: address.bits)
        case .v6(let address): routes6.longestMatch(address.bits).flatMap { $0 == Answer.nobody ? nil : Int($0) }
        }
    }

    private mutating func peer(toward address: UInt32) -> Int? {
        let place = Int((address &* 0x9E37_79B1) >> 27)
        if answers[place].address != address || answers[place].peer == Answer.unknown {
            answers[place] = Answer(address: address, peer: routes4.longestMatch(address) ?? Answer.nobody)
        }
        return answers[place].peer == Answer.nobody ? nil : Int(answers[place].peer)
    }

    /// All prefixes, those that lead nowhere included, IPv4 first, in order.
    func all() -> [IPPrefix] {
        var found: [IPPrefix] = []
        routes4.forEach { key, length, _ in
            found.append(.v4(IPv4Prefix(IPv4Address(bits: key), length: length)))
        }
        routes6.forEach { key, length, _ in
            found.append(.v6(IPv6Prefix(IPv6Address(bits: key), length: length)))
        }
        return found
    }
}
