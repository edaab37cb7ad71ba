/// The Internet checksum (RFC 1071), as a sum that is folded and complemented last.
///
/// Sums are over big-endian 16-bit words; a piece that is added must start at an
/// even offset of what is summed, and only the last may have an odd length.
public struct Checksum: Sendable, BitwiseCopyable {
    @usableFromInline var sum: UInt64 = 0

    @inlinable
    public init() {}

    /// Adds one word.
    @inlinable
    public mutating func add(_ word: UInt16) {
        sum &+= UInt64(word)
    }

    /// Adds two words, the upper half first.
    @inlinable
    public mutating func add(_ word: UInt32) {
        sum &+= UInt64(word >> 16) &+ UInt64(word & 0xFFFF)
    }

    /// Adds the eight words of an address.
    @inlinable
    public mutating func add(_ address: IPv6Address) {
        add(UInt32(truncatingIfNeeded: address.high >> 32))
        add(UInt32(truncatingIfNeeded: address.high))
        add(UInt32(truncatingIfNeeded: address.low >> 32))
        add(UInt32(truncatingIfNeeded: address.low))
    }

    /// Adds the words of an address of either family.
    @inlinable
    public mutating func add(_ address: IPAddress) {
        switch address {
        case .v4(let address): add(address.bits)
        case .v6(let address): add(address)
        }
    }

    /// Adds the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1).
    @inlinable
    public mutating func addPseudoHeader(
        source: IPAddress, destination: IPAddress, protocolNumber: UInt8, byteCount: Int
    ) {
        add(source)
        add(destination)
        add(UInt16(protocolNumber))
        add(UInt32(truncatingIfNeeded: byteCount))
    }

    /// Adds octets.
    public mutating func add(_ bytes: RawSpan) {
        sum &+= UInt64(Self.onesComplementSum(of: bytes))
    }

    /// The field's value: the complement of the folded sum.
    @inlinable
    public var value: UInt16 { ~Self.folded(sum) }

    /// A sum of 16-bit or wider words with its carries brought round.
    @inlinable
    public static func folded(_ sum: UInt64) -> UInt16 {
        var rest = (sum & 0xFFFF_FFFF) &+ (sum >> 32)
        rest = (rest & 0xFFFF) &+ (rest >> 16)
        rest = (rest & 0xFFFF) &+ (rest >> 16)
        rest = (rest & 0xFFFF) &+ (rest >> 16)
        return UInt16(truncatingIfNeeded: rest)
    }

    /// A checksum after one 16-bit word of its data went from `old` to `new` (RFC 1624, equation 3).
    @inlinable
    public static func updated(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
        ~folded(UInt64(~checksum) &+ UInt64(~old) &+ UInt64(new))
    }
}

extension Checksum {
    /// The one's complement sum of octets as big-endian words, sixteen octets an addition (RFC 1071 §2).
    ///
    /// A carry out of any multiple of sixteen bits counts as one at the bottom, so carries are counted and added last.
    public static func onesComplementSum(of bytes: RawSpan) -> UInt16 {
        let count = bytes.byteCount
        var sum: UInt128 = 0
        var carries: UInt64 = 0
        var offset = 0
        @inline(__always)
        func addWide(at offset: Int) {
            let wide = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt128.self)
            let (partial, carry) = sum.addingReportingOverflow(wide)
            sum = partial
            carries &+= carry ? 1 : 0
        }
        while offset &+ 64 <= count {
            addWide(at: offset)
            addWide(at: offset &+ 16)
            addWide(at: offset &+ 32)
            addWide(at: offset &+ 48)
            offset &+= 64
        }
        while offset &+ 16 <= count {
            addWide(at: offset)
            offset &+= 16
        }
        let (high, low) = (UInt64(truncatingIfNeeded: sum >> 64), UInt64(truncatingIfNeeded: sum))
        var words = (low & 0xFFFF_FFFF) &+ (low >> 32) &+ (high & 0xFFFF_FFFF) &+ (high >> 32) &+ carries
        if count & 8 != 0 {
            let rest = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            words &+= (rest & 0xFFFF_FFFF) &+ (rest >> 32)
            offset &+= 8
        }
        if count & 4 != 0 {
            words &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if count & 2 != 0 {
            words &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if count & 1 != 0 {
            let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
            words &+= UInt64(UInt16(littleEndian: UInt16(last)))
        }
        return UInt16(bigEndian: folded(words))
    }
}
