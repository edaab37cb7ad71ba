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

    /// Adds octets, eight at a time in the machine's own byte order: a one's complement
    /// sum may be taken in either order and swapped once at the end (RFC 1071 §2).
    public mutating func add(_ bytes: RawSpan) {
        let count = bytes.byteCount
        var low: UInt64 = 0
        var high: UInt64 = 0
        var offset = 0
        while offset &+ 16 <= count {
            let first = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let second = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 8, as: UInt64.self)
            low &+= (first & 0xFFFF_FFFF) &+ (second & 0xFFFF_FFFF)
            high &+= (first >> 32) &+ (second >> 32)
            offset &+= 16
        }
        while offset &+ 2 <= count {
            low &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < count {
            let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
            low &+= UInt64(UInt16(littleEndian: UInt16(last)))
        }
        let swapped = Self.folded((low & 0xFFFF_FFFF) &+ (low >> 32) &+ (high & 0xFFFF_FFFF) &+ (high >> 32))
        sum &+= UInt64(UInt16(bigEndian: swapped))
    }

    /// The field's value: the complement of the folded sum.
    @inlinable
    public var value: UInt16 { ~Self.folded(sum) }

    @inlinable
    static func folded(_ sum: UInt64) -> UInt16 {
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
