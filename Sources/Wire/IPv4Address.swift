/// An IPv4 address in host byte order.
public struct IPv4Address: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var bits: UInt32

    @inlinable
    public init(bits: UInt32) {
        self.bits = bits
    }

    @inlinable
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    @inlinable
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }

    /// The address `offset` places further on.
    @inlinable
    public static func + (address: IPv4Address, offset: UInt32) -> IPv4Address {
        IPv4Address(bits: address.bits &+ offset)
    }

    @inlinable
    public static var any: IPv4Address { IPv4Address(bits: 0) }

    @inlinable
    public static var broadcast: IPv4Address { IPv4Address(bits: .max) }
}

extension IPv4Address: LosslessStringConvertible {
    public var description: String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }

    /// Reads dotted decimal, four parts without leading zeros.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), part.utf8.count <= 3,
                part.utf8.count == 1 || part.first != "0", let octet = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        self.bits = bits
    }
}
