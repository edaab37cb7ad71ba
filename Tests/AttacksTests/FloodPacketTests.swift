import Attacks
import Basics
import TestKit
import Testing
import Wire

@Suite struct FloodPacketTests {
    @Test(arguments: FloodKind.allCases, [victim4, victim6])
    func `every packet parses, has right checksums and fits the link`(_ kind: FloodKind, _ target: IPAddress) throws {
        for largest in [576, 1_500] {
            for octets in packets(kind, 2_000, at: target, largestPacket: largest) {
                let packet = try ParsedPacket(octets)
                try #require(packet.destination == target)
                try #require(packet.isIntact)
                try #require(packet.byteCount <= largest)
                try #require((41...64).contains(packet.hopLimit))
            }
        }
    }

    @Test func `a SYN flood opens connections to one port from any port and address`() throws {
        let all = try packets(.synFlood, 5_000).map { try ParsedPacket($0) }
        let segments = try all.map { try $0.segment() }
        #expect(segments.allSatisfy { $0.flags == .synchronize && $0.acknowledgment == 0 })
        #expect(segments.allSatisfy { $0.destinationPort == 443 && $0.sourcePort >= 1_024 })
        #expect(segments.allSatisfy { $0.maximumSegmentSize == 1_460 && $0.window >= 0x2000 })
        #expect(all.allSatisfy { $0.protocolNumber == ProtocolNumber.tcp && $0.transport.count == 24 })
        #expect(Set(all.map(\.source)).count == 5_000)
        #expect(Set(segments.map(\.sequence)).count > 4_990)
        #expect(Set(segments.map(\.sourcePort)).count > 4_500)
        #expect(Set(all.map(\.identification)).count > 4_500)
    }

    @Test func `a UDP flood has every size and goes to every port`() throws {
        let datagrams = try packets(.udpFlood, 5_000).map { try ParsedPacket($0).datagram() }
        #expect(Set(datagrams.map(\.destinationPort)).count > 4_500)
        #expect(Set(datagrams.map(\.sourcePort)).count > 4_500)
        #expect(datagrams.allSatisfy { $0.checksum != 0 })
        let sizes = datagrams.map(\.length)
        #expect(sizes.min() ?? 0 < 8 + 10 && sizes.max() ?? 0 > 8 + 1_014 && sizes.max() ?? 0 <= 8 + 1_024)
        #expect(abs(sizes.reduce(0, +) / sizes.count - 520) < 15)
    }

    @Test func `an ICMP flood asks for echoes of either family`() throws {
        for (target, type, number) in [
            (victim4, ICMPv4.echoRequest, ProtocolNumber.icmp), (victim6, ICMPv6.echoRequest, ProtocolNumber.icmpv6),
        ] {
            let all = try packets(.icmpFlood, 1_000, at: target).map { try ParsedPacket($0) }
            #expect(all.allSatisfy { $0.protocolNumber == number && $0.transport.count == 64 })
            let messages = try all.map { try $0.message() }
            #expect(messages.allSatisfy { $0.type == type && $0.code == 0 })
            #expect(Set(messages.map(\.rest)).count > 990)
        }
    }

    @Test func `amplified answers are DNS messages of many records from a thousand resolvers`() throws {
        let all = try packets(.dnsAmplification, 20_000).map { try ParsedPacket($0) }
        let datagrams = try all.map { try $0.datagram() }
        #expect(datagrams.allSatisfy { $0.sourcePort == 53 && $0.destinationPort >= 1_024 })
        #expect(Set(datagrams.map(\.destinationPort)).count > 15_000)
        #expect(Set(all.map(\.source)).count == Int(FloodGenerator.resolverCount))
        for packet in all.prefix(500) {
            let payload = Array(packet.transport[8...])
            #expect(Array(payload[2..<6]) == [0x81, 0x80, 0, 1])
            let answers = Int(payload[7])
            #expect((3...5).contains(answers))
            // The header, the question, and every answer of 256 octets of text behind its own 12.
            var offset = 12 + 13 + 4
            for _ in 0..<answers {
                #expect(Array(payload[offset..<offset + 6]) == [0xC0, 0x0C, 0, 16, 0, 1])
                #expect(Array(payload[offset + 10..<offset + 13]) == [1, 0, 255])
                offset += 12 + 256
            }
            #expect(offset == payload.count)
        }
    }

    @Test(arguments: [1, 2, 50] as [UInt32])
    func `a flood from so many sources has so many`(_ count: UInt32) throws {
        for target in [victim4, victim6] {
            let all = try packets(.udpFlood, 2_000, at: target, sourceCount: count).map { try ParsedPacket($0).source }
            #expect(Set(all).count == Int(count))
        }
    }

    @Test func `spoofed sources are addresses that the internet routes, and never the victim's`() throws {
        let victim = IPAddress.v4(IPv4Address(9, 9, 9, 9))
        let reserved = [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/3", "9.9.9.9/32",
        ].compactMap { IPPrefix($0) }
        #expect(reserved.count == 14)
        let drawn = try packets(.synFlood, 100_000, at: victim).map { try ParsedPacket($0).source }
        for prefix in reserved { #expect(!drawn.contains { prefix.contains($0) }, "\(prefix)") }
        // All of the space is used: each of the first octets that may be is there.
        let octets = Set(drawn.map { $0.bits >> 24 })
        #expect(octets.count == 224 - 3)
        let global = try #require(IPPrefix("2400::/6"))
        let drawn6 = try packets(.synFlood, 1_000, at: victim6).map { try ParsedPacket($0).source }
        #expect(drawn6.allSatisfy { global.contains($0) })
        #expect(Set(drawn6).count == 1_000)
    }

    @Test func `a link that takes next to nothing still gets whole packets`() throws {
        for kind in FloodKind.allCases {
            for octets in packets(kind, 100, largestPacket: 68) {
                let packet = try ParsedPacket(octets)
                #expect(packet.isIntact && packet.byteCount <= 68)
            }
        }
    }
}
