import Basics
import TestKit
import Testing
import Wire

/// Writing and reading of the headers without options: identity over seeds, and octets taken from captures.
@Suite struct HeaderTests {
    @Test func `an IPv4 header reads back as it was written`() {
        forEachSeed(1_000) { random in
            let payload = random.octets(Int(random.below(60)))
            var header = IPv4Header(
                source: IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())),
                destination: IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())),
                protocolNumber: UInt8(random.below(256)), payloadByteCount: payload.count,
                timeToLive: UInt8(random.below(256)), trafficClass: UInt8(random.below(256)),
                identification: UInt16(random.below(65_536)), doNotFragment: random.chance(Ratio(0.5)))
            header.moreFragments = random.chance(Ratio(0.5))
            header.fragmentOffset = Int(random.below(8_192)) * 8
            let octets = written { header.append(to: &$0) } + payload
            let parsed = try IPv4Header(parsing: octets.span.bytes)
            try #require(parsed == header)
            try #require(UInt16(octets[10]) << 8 | UInt16(octets[11]) == header.checksum)
            let flipped = Int(random.below(160))
            var broken = octets
            broken[flipped / 8] ^= 1 << UInt8(flipped % 8)
            try #require(throws: WireError.self) { try IPv4Header(parsing: broken.span.bytes) }
        }
    }

    @Test func `an IPv4 header of a capture is read field by field`() throws {
        let octets =
            [UInt8](hex: "4500 003c 1c46 4000 4006 b1e6 ac10 0a63 ac10 0a0c") + [UInt8](repeating: 0, count: 40)
        let header = try IPv4Header(parsing: octets.span.bytes)
        #expect(header.source.description == "172.16.10.99")
        #expect(header.destination.description == "172.16.10.12")
        #expect(header.totalLength == 60 && header.headerLength == 20 && header.identification == 0x1C46)
        #expect(header.doNotFragment && !header.moreFragments && header.fragmentOffset == 0)
        #expect(header.timeToLive == 64 && header.protocolNumber == ProtocolNumber.tcp && header.trafficClass == 0)
        #expect(written { header.append(to: &$0) } == Array(octets.prefix(20)))
    }

    @Test func `an IPv4 header's faults have a name each`() {
        let valid = [UInt8](hex: "4500 0014 0000 4000 4006 0000 0a00 0001 0a00 0002")
        func fault(_ change: (inout [UInt8]) -> Void) -> WireError? {
            var octets = valid
            change(&octets)
            var sum = Checksum()
            octets.replaceSubrange(10..<12, with: [0, 0])
            sum.add(octets.span.bytes)
            octets.replaceSubrange(10..<12, with: [UInt8(sum.value >> 8), UInt8(sum.value & 255)])
            do throws(WireError) {
                _ = try IPv4Header(parsing: octets.span.bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault { _ in } == nil)
        #expect(fault { $0[0] = 0x65 } == .unsupported)
        #expect(fault { $0[0] = 0x44 } == .badLength(16))
        #expect(fault { $0[0] = 0x46 } == .badLength(20))
        #expect(fault { $0[3] = 21 } == .badLength(21))
        #expect(fault { $0[3] = 19 } == .badLength(19))
        #expect(throws: WireError.badChecksum) { try IPv4Header(parsing: valid.span.bytes) }
        #expect(throws: WireError.truncated(needed: 4, available: 3)) {
            try valid.dropLast().reading(IPv4Header.init(parsing:))
        }
    }

    @Test func `options are skipped, and a header written again stands before the same payload`() throws {
        // Router alert (RFC 2113) and four octets of payload.
        var octets = [UInt8](hex: "4600 001c 0001 0000 0102 0000 0a00 0001 e000 0016 9404 0000 11223344")
        var sum = Checksum()
        sum.add(Array(octets[..<24]).span.bytes)
        octets.replaceSubrange(10..<12, with: [UInt8(sum.value >> 8), UInt8(sum.value & 255)])
        let header = try IPv4Header(parsing: octets.span.bytes)
        #expect(header.headerLength == 24 && header.totalLength == 28)
        let again = written { header.append(to: &$0) } + octets[24...]
        let parsed = try IPv4Header(parsing: again.span.bytes)
        #expect(parsed.totalLength == 24 && parsed.headerLength == 20)
        #expect(parsed.checksum == header.checksum)
    }

    @Test func `an Ethernet header reads back as it was written`() throws {
        let octets = [UInt8](hex: "ffffffffffff 0200000000ab 0806")
        let header = try EthernetHeader(parsing: octets.span.bytes)
        #expect(header.destination == .broadcast && header.source == MACAddress(locallyAdministered: 0xAB))
        #expect(header.etherType == EtherType.arp)
        forEachSeed { random in
            let header = EthernetHeader(
                destination: MACAddress(bits: random.next()), source: MACAddress(bits: random.next()),
                etherType: UInt16(random.below(65_536)))
            let octets = written { header.append(to: &$0) }
            try #require(octets.count == EthernetHeader.byteCount)
            try #require(try EthernetHeader(parsing: octets.span.bytes) == header)
            try #require(throws: WireError.self) { try octets.dropLast().reading(EthernetHeader.init(parsing:)) }
        }
    }

    @Test func `an ARP packet reads back as it was written, and other kinds are refused`() throws {
        let octets = [UInt8](hex: "0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002")
        let reply = try ARPPacket(parsing: octets.span.bytes)
        #expect(reply.operation == .reply)
        #expect(reply.sender == IPv4Address(10, 0, 0, 1) && reply.senderHardware.bits == 0x0200_0000_0001)
        #expect(reply.target == IPv4Address(10, 0, 0, 2) && reply.targetHardware.bits == 0x0200_0000_0002)
        #expect(written { reply.append(to: &$0) } == octets)
        for (place, octet) in [(1, 6), (3, 1), (4, 8), (5, 16), (7, 3), (7, 0)] as [(Int, UInt8)] {
            var other = octets
            other[place] = octet
            #expect(throws: WireError.unsupported) { try ARPPacket(parsing: other.span.bytes) }
        }
        forEachSeed { random in
            let packet = ARPPacket(
                random.chance(Ratio(0.5)) ? .request : .reply, sender: IPv4Address(bits: UInt32(random.next() >> 32)),
                at: MACAddress(bits: random.next()), target: IPv4Address(bits: UInt32(random.next() >> 32)),
                at: MACAddress(bits: random.next()))
            let octets = written { packet.append(to: &$0) }
            try #require(octets.count == ARPPacket.byteCount)
            try #require(try ARPPacket(parsing: octets.span.bytes) == packet)
            try #require(throws: WireError.self) { try octets.dropLast().reading(ARPPacket.init(parsing:)) }
        }
    }

    @Test func `an ICMP header reads back as it was written`() throws {
        // An echo request of ping: identifier 0x1234, sequence 7.
        let octets = [UInt8](hex: "0800 e5c4 1234 0007")
        let header = try ICMPHeader(parsing: octets.span.bytes)
        #expect(header.type == ICMPv4.echoRequest && header.code == 0 && header.rest == 0x1234_0007)
        var sum = Checksum()
        sum.add(octets.span.bytes)
        #expect(sum.value == 0)
        #expect(written { header.append(to: &$0) } == octets)
        #expect(throws: WireError.truncated(needed: 4, available: 3)) {
            try octets.dropLast().reading(ICMPHeader.init(parsing:))
        }
    }
}
