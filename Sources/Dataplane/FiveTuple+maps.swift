import CDataplane
public import Wire

// A flow's direction as the program names it. An ICMP echo has its identifier for both ports.

extension FiveTuple {
    /// Whether the source is the lower endpoint: by address, then by port.
    public var isFromLower: Bool {
        source != destination ? source < destination : sourcePort <= destinationPort
    }

    /// The direction that the flow table has the flow under.
    public var ordered: FiveTuple { isFromLower ? self : reversed }

    init?(_ key: patronus_five_tuple) {
        guard let source = IPAddress(words: key.source, family: key.family),
            let destination = IPAddress(words: key.destination, family: key.family)
        else { return nil }
        self.init(
            source: source, destination: destination, protocolNumber: key.protocol,
            sourcePort: UInt16(bigEndian: key.source_port), destinationPort: UInt16(bigEndian: key.destination_port))
    }

    var mapKey: patronus_five_tuple {
        var key = patronus_five_tuple()
        key.source = source.words
        key.destination = destination.words
        key.source_port = sourcePort.bigEndian
        key.destination_port = destinationPort.bigEndian
        key.protocol = protocolNumber
        key.family = source.family
        return key
    }
}

extension IPAddress {
    /// 4 or 6.
    var family: UInt8 { isIPv4 ? 4 : 6 }

    /// As on the wire, an IPv4 address in the first four bytes.
    var words: (UInt64, UInt64) {
        switch self {
        case .v4(let address): (UInt64(littleEndian: UInt64(address.bits.bigEndian)), 0)
        case .v6(let address): (address.high.bigEndian, address.low.bigEndian)
        }
    }

    init?(words: (UInt64, UInt64), family: UInt8) {
        switch family {
        case 4: self = .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: words.0.littleEndian).bigEndian))
        case 6: self = .v6(IPv6Address(high: words.0.bigEndian, low: words.1.bigEndian))
        default: return nil
        }
    }
}

extension IPv4Prefix {
    var key: patronus_prefix4 {
        let bits = address.bits
        return patronus_prefix4(
            length: UInt32(length),
            address: (
                UInt8(truncatingIfNeeded: bits >> 24), UInt8(truncatingIfNeeded: bits >> 16),
                UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)
            ))
    }
}

extension IPv6Prefix {
    var key: patronus_prefix6 {
        var key = patronus_prefix6()
        key.length = UInt32(length)
        withUnsafeMutableBytes(of: &key.address) { octets in
            unsafe octets.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            unsafe octets.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return key
    }
}

extension MACAddress {
    /// The octets as on the wire.
    var octets: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) {
        func octet(_ place: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> (40 - 8 * place)) }
        return (octet(0), octet(1), octet(2), octet(3), octet(4), octet(5))
    }
}
