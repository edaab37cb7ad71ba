import Wire

/// What a capture tells of one IP packet, read without trust: captures are cut short, and checksums offloaded.
struct CapturedPacket {
    let source: IPAddress
    let destination: IPAddress
    /// What the packet's header says that it was long on the wire, headers included, less the IP header.
    let byteCountBehindHeader: Int
    /// A SYN without an ACK.
    let opensConnection: Bool
    /// The transport's payload, as far as it was captured.
    let payload: ArraySlice<UInt8>

    /// Nil where the octets are no IPv4 or IPv6 packet.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let first = bytes.first else { return nil }
        switch first >> 4 {
        case 4: self.init(version4: bytes)
        case 6: self.init(version6: bytes)
        default: return nil
        }
    }

    private init?(version4 bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        guard bytes.count >= 20 else { return nil }
        let headerLength = Int(bytes[start] & 0x0F) * 4
        // Segmentation offload leaves 0 where the length did not fit.
        let stated = Self.word(bytes, 2)
        let totalLength = stated == 0 ? bytes.count : stated
        guard headerLength >= 20, headerLength <= bytes.count, headerLength <= totalLength else { return nil }
        let isLaterFragment = Self.word(bytes, 6) & 0x1FFF != 0
        self.init(
            source: .v4(IPv4Address(bits: UInt32(Self.word(bytes, 12) << 16 | Self.word(bytes, 14)))),
            destination: .v4(IPv4Address(bits: UInt32(Self.word(bytes, 16) << 16 | Self.word(bytes, 18)))),
            protocolNumber: isLaterFragment ? nil : bytes[start + 9], byteCount: totalLength - headerLength,
            bytes[(start + headerLength)..<min(bytes.endIndex, start + totalLength)])
    }

    private init?(version6 bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        guard bytes.count >= 40 else { return nil }
        let stated = Self.word(bytes, 4)
        let length = stated == 0 ? bytes.count - 40 : stated
        var next: UInt8? = bytes[start + 6]
        var rest = bytes[(start + 40)..<min(bytes.endIndex, start + 40 + length)]
        // Hop-by-hop, routing, fragment and destination options (RFC 8200 §4) stand before the transport.
        while let kind = next, [0, 43, 44, 60].contains(kind) {
            guard rest.count >= 8 else {
                next = nil
                break
            }
            let skipped = kind == 44 ? 8 : (Int(rest[rest.startIndex + 1]) + 1) * 8
            let isLaterFragment = kind == 44 && Self.word(rest, 2) & 0xFFF8 != 0
            next = isLaterFragment || skipped > rest.count ? nil : rest[rest.startIndex]
            if skipped <= rest.count { rest = rest.dropFirst(skipped) }
        }
        self.init(
            source: .v6(Self.address(bytes, 8)), destination: .v6(Self.address(bytes, 24)),
            protocolNumber: next, byteCount: length, rest)
    }

    /// A packet with its transport header still to be read; no protocol number where none follows.
    private init(
        source: IPAddress, destination: IPAddress, protocolNumber: UInt8?, byteCount: Int, _ bytes: ArraySlice<UInt8>
    ) {
        self.source = source
        self.destination = destination
        byteCountBehindHeader = byteCount
        let start = bytes.startIndex
        switch protocolNumber {
        case ProtocolNumber.tcp:
            let isWhole = bytes.count >= 20
            opensConnection = isWhole && bytes[start + 13] & 0x12 == 0x02
            payload = isWhole ? bytes.dropFirst(max(20, Int(bytes[start + 12] >> 4) * 4)) : []
        case ProtocolNumber.udp, ProtocolNumber.icmp, ProtocolNumber.icmpv6:
            opensConnection = false
            payload = bytes.dropFirst(8)
        default:
            opensConnection = false
            payload = bytes
        }
    }

    private static func address(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> IPv6Address {
        var bits: UInt128 = 0
        for place in 0..<16 { bits = bits << 8 | UInt128(bytes[bytes.startIndex + offset + place]) }
        return IPv6Address(bits: bits)
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> Int {
        let index = bytes.startIndex + offset
        return Int(bytes[index]) << 8 | Int(bytes[index + 1])
    }
}
