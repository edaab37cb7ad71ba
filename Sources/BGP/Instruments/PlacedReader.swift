import Wire

/// A cursor over part of some octets that knows where in the whole it stands.
struct PlacedReader: ~Escapable {
    private let bytes: RawSpan
    private(set) var offset: Int
    private let end: Int

    /// A cursor over `range`, which lies inside `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount)
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - offset }
    /// What has not been read yet.
    var rest: Range<Int> { offset..<end }

    @_lifetime(self: copy self)
    mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(RecordFault) -> T {
        let place = try take(MemoryLayout<T>.size).lowerBound
        return bytes.field(at: place)
    }

    /// The place of the next `count` octets.
    @_lifetime(self: copy self)
    mutating func take(_ count: Int) throws(RecordFault) -> Range<Int> {
        guard count <= remaining else {
            throw RecordFault(.truncated(needed: count, available: remaining), at: offset)
        }
        defer { offset += count }
        return offset..<offset + count
    }

    /// An address of the family's own length.
    @_lifetime(self: copy self)
    mutating func readAddress(isIPv4: Bool) throws(RecordFault) -> IPAddress {
        isIPv4 ? .v4(IPv4Address(bits: try read())) : .v6(IPv6Address(high: try read(), low: try read()))
    }

    /// The number of bits of a prefix, then as many octets as they take (RFC 4271 §4.3).
    @_lifetime(self: copy self)
    mutating func readPrefix(_ family: AddressFamily) throws(RecordFault) -> IPPrefix {
        let width = family.addressLength * 8
        let place = offset
        let length = try read(UInt8.self)
        guard length <= width else { throw RecordFault(.badPrefixLength(length), at: place) }
        var address: UInt128 = 0
        var shift = width
        for offset in try take((Int(length) + 7) / 8) {
            shift -= 8
            address |= UInt128(bytes.field(at: offset, as: UInt8.self)) << UInt128(shift)
        }
        switch family {
        case .ipv4Unicast: return IPPrefix(.v4(IPv4Address(bits: UInt32(address))), length: Int(length))
        case .ipv6Unicast: return IPPrefix(.v6(IPv6Address(bits: address)), length: Int(length))
        }
    }

    /// The text of the next `count` octets; what is not UTF-8 is replaced.
    @_lifetime(self: copy self)
    mutating func readText(_ count: Int) throws(RecordFault) -> String {
        String(decoding: bytes.extracting(try take(count)).copied(), as: UTF8.self)
    }

    /// Refuses octets behind what has been read.
    func finish() throws(RecordFault) {
        guard remaining == 0 else { throw RecordFault(.badLength(remaining), at: offset) }
    }
}
