import Basics
import Wire

/// The field in which prefixes stand one after the other (RFC 4271 §4.3, RFC 4760 §5).
struct PrefixField {
    var prefixes: [IPPrefix] = []
    /// One for each prefix where the family has them (RFC 7911 §3), otherwise none.
    var identifiers: [UInt32] = []

    /// Reads all prefixes; false where a length is too great or the last one is cut off.
    mutating func read(_ bytes: RawSpan, family: AddressFamily, _ context: UpdateContext) -> Bool {
        let bits = family.addressLength * 8
        let isNumbered = context.numberedFamilies.contains(family)
        var offset = 0
        while offset < bytes.byteCount {
            if isNumbered {
                guard bytes.byteCount - offset > 4 else { return false }
                identifiers.append(bytes.field(at: offset))
                offset += 4
            }
            let length = Int(bytes.field(at: offset, as: UInt8.self))
            let size = (length + 7) / 8
            offset += 1
            guard length <= bits, bytes.byteCount - offset >= size else { return false }
            var address: UInt128 = 0
            for index in 0..<size {
                address |= UInt128(bytes.field(at: offset + index, as: UInt8.self)) << UInt128(bits - 8 - index * 8)
            }
            offset += size
            switch family {
            case .ipv4Unicast:
                prefixes.append(
                    .v4(IPv4Prefix(IPv4Address(bits: UInt32(truncatingIfNeeded: address)), length: length)))
            case .ipv6Unicast:
                prefixes.append(.v6(IPv6Prefix(IPv6Address(bits: address), length: length)))
            }
        }
        return true
    }

    static func size(of prefix: IPPrefix) -> Int { 1 + (prefix.length + 7) / 8 }

    static func append(_ prefix: IPPrefix, to arena: inout ByteArena) {
        arena.append(UInt8(prefix.length))
        let width = prefix.isIPv4 ? 32 : 128
        for index in 0..<(prefix.length + 7) / 8 {
            arena.append(UInt8(truncatingIfNeeded: prefix.address.bits >> UInt128(width - 8 - index * 8)))
        }
    }
}
