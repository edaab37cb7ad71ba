import Basics
import Wire

/// The addresses that a flood's packets claim to come from: any that the internet routes.
struct SpoofedSources: Sendable, BitwiseCopyable {
    /// How many different ones there are; 0 is another one for each packet.
    private let count: UInt32
    private let target: IPAddress
    /// What the addresses of a small set are derived from.
    private let salt: UInt64
    private var random: SeededRandom

    init(count: UInt32?, sparing target: IPAddress, random: SeededRandom) {
        var random = random
        self.count = count ?? 0
        self.target = target
        salt = random.next()
        self.random = random
    }

    mutating func next() -> IPAddress {
        guard count > 0 else {
            while true {
                if let address = address(from: random.next()) { return address }
            }
        }
        var words = SeededRandom(seed: salt &+ random.below(UInt64(count)))
        while true {
            if let address = address(from: words.next()) { return address }
        }
    }

    /// The address that a random word stands for; nil for one that is nobody's out there.
    private func address(from word: UInt64) -> IPAddress? {
        guard target.isIPv4 else {
            // Global unicast (RFC 4291 §2.4) without what is set aside below 2001::/16 and 6to4.
            let high = 0x2400_0000_0000_0000 | (word >> 6 & 0x03FF_FFFF_FFFF_FFFF)
            return .v6(IPv6Address(high: high, low: word &* 0x9E37_79B9_7F4A_7C15))
        }
        let address = IPv4Address(bits: UInt32(truncatingIfNeeded: word >> 32))
        guard Self.isPublic(address), target != .v4(address) else { return nil }
        return .v4(address)
    }

    /// Whether routers of the internet carry the address (RFC 6890).
    private static func isPublic(_ address: IPv4Address) -> Bool {
        let bits = address.bits
        switch bits >> 24 {
        case 0, 10, 127, 224...: return false
        case 100: return bits >> 22 != 0x6440_0000 >> 22
        case 169: return bits >> 16 != 0xA9FE
        case 172: return bits >> 20 != 0xAC1
        case 192: return bits >> 16 != 0xC0A8 && bits >> 8 != 0xC0_0000 && bits >> 8 != 0xC0_0002
        case 198: return bits >> 17 != 0xC612_0000 >> 17 && bits >> 8 != 0xC6_3364
        case 203: return bits >> 8 != 0xCB_0071
        default: return true
        }
    }
}
