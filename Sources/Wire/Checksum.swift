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
    /// The one's complement sum of octets as big-endian words, eight octets an addition (RFC 1071 §2).
    ///
    /// A carry out of any multiple of sixteen bits counts as one at the bottom. So the carry of one addition goes into
    /// the next, as processors do at no cost, and those that are left are counted and added last.
    public static func onesComplementSum(of bytes: RawSpan) -> UInt16 {
        let count = bytes.byteCount
        var sum: UInt64 = 0
        var carry: UInt64 = 0
        var carries: UInt64 = 0
        var offset = 0
        @inline(__always)
        func addWord(at offset: Int) {
            let word = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let (partial, first) = sum.addingReportingOverflow(word)
            let (whole, second) = partial.addingReportingOverflow(carry)
            sum = whole
            carry = (first ? 1 : 0) | (second ? 1 : 0)
        }
        while offset &+ 128 <= count {
            addWord(at: offset)
            addWord(at: offset &+ 8)
            addWord(at: offset &+ 16)
            addWord(at: offset &+ 24)
            addWord(at: offset &+ 32)
            addWord(at: offset &+ 40)
            addWord(at: offset &+ 48)
            addWord(at: offset &+ 56)
            addWord(at: offset &+ 64)
            addWord(at: offset &+ 72)
            addWord(at: offset &+ 80)
            addWord(at: offset &+ 88)
            addWord(at: offset &+ 96)
            addWord(at: offset &+ 104)
            addWord(at: offset &+ 112)
            addWord(at: offset &+ 120)
            carries &+= carry
            carry = 0
            offset &+= 128
        }
        while offset &+ 8 <= count {
            addWord(at: offset)
            carries &+= carry
            carry = 0
            offset &+= 8
        }
        var words = (sum & 0xFFFF_FFFF) &+ (sum >> 32) &+ carries
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
