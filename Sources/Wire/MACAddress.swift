/// A 48-bit Ethernet address in the low bits of a word.
public struct MACAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var bits: UInt64

    @inlinable
    public init(bits: UInt64) {
        self.bits = bits & 0xFFFF_FFFF_FFFF
    }

    @inlinable
    public static var broadcast: MACAddress { MACAddress(bits: .max) }

    /// A locally administered unicast address made from a number.
    @inlinable
    public init(locallyAdministered number: UInt32) {
        bits = 0x0200_0000_0000 | UInt64(number)
    }

    @inlinable
    public var isMulticast: Bool { bits >> 40 & 1 == 1 }

    public var description: String {
        (0..<6).map { index in
            let octet = bits >> UInt64(40 - 8 * index) & 255
            return (octet < 16 ? "0" : "") + String(octet, radix: 16)
        }.joined(separator: ":")
    }
}
