import Basics
import TestKit
import Testing
import Wire

@Suite struct IPv6HeaderTests {
    /// A header to `protocolNumber` in front of so many octets, and those octets.
    private func packet(_ protocolNumber: UInt8, _ rest: [UInt8]) -> [UInt8] {
        let header = IPv6Header(
            source: IPv6Address(high: 0x2001_0DB8 << 32, low: 1),
            destination: IPv6Address(high: 0x2001_0DB8 << 32, low: 2),
            protocolNumber: protocolNumber, payloadByteCount: rest.count)
        return written { header.append(to: &$0) } + rest
    }

    @Test func `a header reads back as it was written`() {
        forEachSeed(500) { random in
            let payload = random.octets(Int(random.below(60)))
            let header = IPv6Header(
                source: IPv6Address(high: random.next(), low: random.next()),
                destination: IPv6Address(high: random.next(), low: random.next()), protocolNumber: ProtocolNumber.udp,
                payloadByteCount: payload.count, hopLimit: UInt8(random.below(256)),
                trafficClass: UInt8(random.below(256)), flowLabel: UInt32(random.below(1 << 20)))
            let octets = written { header.append(to: &$0) } + payload
            try #require(try IPv6Header(parsing: octets.span.bytes) == header)
            if !payload.isEmpty {
                try #require(throws: WireError.badLength(octets.count)) {
                    try octets.dropLast().reading(IPv6Header.init(parsing:))
                }
            }
        }
    }

    @Test func `a header of a capture is read field by field`() throws {
        let octets = [UInt8](
            hex: "6b8a bcde 0000 3a ff fe80 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0002")
        let header = try IPv6Header(parsing: octets.span.bytes)
        #expect(header.trafficClass == 0xB8 && header.flowLabel == 0xABCDE && header.hopLimit == 255)
        #expect(header.protocolNumber == ProtocolNumber.icmpv6 && header.totalLength == 40 && header.headerLength == 40)
        #expect(header.source.description == "fe80::1" && header.destination.description == "ff02::2")
        #expect(written { header.append(to: &$0) } == octets)
    }

    @Test func `extension headers are walked to the upper layer`() throws {
        let hopByHop = [UInt8](hex: "3c 00 050200000100")
        let destination = [UInt8](hex: "2b 01 01040000 0000 0000 0000 0000 0000")
        let routing = [UInt8](hex: "2c 00 00 00 00000000")
        let fragment = [UInt8](hex: "11 00 0001 12345678")
        let udp = [UInt8](hex: "0001 0002 0008 0000")
        let octets = packet(0, hopByHop + destination + routing + fragment + udp)
        let header = try IPv6Header(parsing: octets.span.bytes)
        #expect(header.protocolNumber == ProtocolNumber.udp)
        #expect(header.headerLength == 40 + 8 + 16 + 8 + 8 && header.totalLength == octets.count)
        #expect(header.isFragment)
        let again = written { header.append(to: &$0) } + udp
        let parsed = try IPv6Header(parsing: again.span.bytes)
        #expect(parsed.headerLength == 40 && parsed.totalLength == 48 && !parsed.isFragment)
    }

    @Test func `extension headers past the packet's end, or without end, are refused`() {
        let endless = (0..<12).flatMap { _ in [UInt8](hex: "3c 00 010400000000") }
        #expect(throws: WireError.unsupported) { try packet(60, endless).reading(IPv6Header.init(parsing:)) }
        let tooLong = [UInt8](hex: "11 04 010400000000")
        #expect(throws: WireError.truncated(needed: 38, available: 6)) {
            try packet(60, tooLong).reading(IPv6Header.init(parsing:))
        }
        // The header's own length says that the packet ends inside the extension header.
        var lying = packet(60, [UInt8](hex: "11 01 010c00000000 0000000000000000"))
        lying[5] = 8
        #expect(throws: WireError.badLength(48)) { try IPv6Header(parsing: lying.span.bytes) }
        #expect(throws: WireError.truncated(needed: 1, available: 0)) {
            try packet(0, []).reading(IPv6Header.init(parsing:))
        }
    }

    @Test func `another version is refused`() {
        var octets = packet(17, [])
        octets[0] = 0x45
        #expect(throws: WireError.unsupported) { try IPv6Header(parsing: octets.span.bytes) }
        #expect(throws: WireError.truncated(needed: 8, available: 7)) {
            try packet(17, [])[..<39].reading(IPv6Header.init(parsing:))
        }
    }
}
