import Basics
import Steering
import Telemetry
import TestKit
import Testing
import Wire

@Suite struct PacketHeadTests {
    private let laptop = IPv4Address(10, 2, 0, 7)
    private let server = IPv4Address(10, 1, 0, 9)
    private let laptop6 = IPv6Address(high: 0x2001_0DB8_0000_0002, low: 7)
    private let server6 = IPv6Address(high: 0x2001_0DB8_0000_0001, low: 9)

    private func ipv4(
        _ protocolNumber: UInt8 = ProtocolNumber.udp, trafficClass: UInt8 = 0, payload: [UInt8]? = nil,
        _ change: (inout IPv4Header) -> Void = { _ in }
    ) -> [UInt8] {
        let payload = payload ?? [0x30, 0x39, 0x00, 0x35, 0, 8, 0, 0]
        var header = IPv4Header(
            source: laptop, destination: server, protocolNumber: protocolNumber, payloadByteCount: payload.count,
            trafficClass: trafficClass)
        change(&header)
        return bytes { header.append(to: &$0) } + payload
    }

    private func bytes(_ body: (inout ByteArena) -> Void) -> [UInt8] {
        var arena = ByteArena(capacity: 128)
        body(&arena)
        let span = arena.bytes(ByteRange(start: 0, count: arena.count))
        return (0..<span.byteCount).map { span.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt8.self) }
    }

    private func head(_ bytes: [UInt8]) -> PacketHead? { PacketHead(parsing: bytes.span.bytes) }

    private func tuple(_ protocolNumber: UInt8, ports: (UInt16, UInt16) = (12_345, 53)) -> FiveTuple {
        FiveTuple(
            protocolNumber: protocolNumber, from: SocketAddress(.v4(laptop), port: ports.0),
            to: SocketAddress(.v4(server), port: ports.1))
    }

    @Test func `an IPv4 packet gives its five-tuple, its mark and the tuple's key`() {
        let packet = head(ipv4(trafficClass: 46 << 2 | 1))
        #expect(packet == PacketHead(flow: tuple(ProtocolNumber.udp), dscp: 46))
        #expect(packet?.key == tuple(ProtocolNumber.udp).key)
        #expect(head(ipv4(ProtocolNumber.tcp))?.flow == tuple(ProtocolNumber.tcp))
    }

    @Test func `options are skipped, and what has no ports has none`() {
        var options = ipv4()
        options[0] = 0x46
        options[3] += 4
        options.insert(contentsOf: [1, 1, 1, 0], at: 20)
        #expect(head(options)?.flow == tuple(ProtocolNumber.udp))
        #expect(head(ipv4(ProtocolNumber.icmp))?.flow == tuple(ProtocolNumber.icmp, ports: (0, 0)))
        #expect(head(ipv4(payload: [1, 2]))?.flow == tuple(ProtocolNumber.udp, ports: (0, 0)))
    }

    @Test func `all fragments of a packet share a key`() {
        let first = head(ipv4 { $0.moreFragments = true })
        let last = head(ipv4 { $0.fragmentOffset = 1_480 })
        #expect(first?.flow == tuple(ProtocolNumber.udp, ports: (0, 0)))
        #expect(first?.key == last?.key)
    }

    @Test func `an IPv6 packet gives its five-tuple behind extension headers`() {
        let expected = FiveTuple(
            protocolNumber: ProtocolNumber.udp, from: SocketAddress(.v6(laptop6), port: 12_345),
            to: SocketAddress(.v6(server6), port: 53))
        let payload: [UInt8] = [0x30, 0x39, 0x00, 0x35, 0, 8, 0, 0]
        let header = IPv6Header(
            source: laptop6, destination: server6, protocolNumber: ProtocolNumber.udp, payloadByteCount: 8,
            trafficClass: 34 << 2)
        let plain = bytes { header.append(to: &$0) } + payload
        #expect(head(plain) == PacketHead(flow: expected, dscp: 34))
        let carrier = IPv6Header(
            source: laptop6, destination: server6, protocolNumber: 60, payloadByteCount: 16, trafficClass: 34 << 2)
        let extended = bytes { carrier.append(to: &$0) } + [17, 0, 1, 4, 0, 0, 0, 0] + payload
        #expect(head(extended) == PacketHead(flow: expected, dscp: 34))
    }

    @Test func `lengths that do not fit are refused`() {
        let good = ipv4()
        for count in 0..<good.count { #expect(head(Array(good.prefix(count))) == nil) }
        var bad = good
        bad[0] = 0x44
        #expect(head(bad) == nil)
        bad[0] = 0x4F
        #expect(head(bad) == nil)
        bad[0] = 0x55
        #expect(head(bad) == nil)
    }

    @Test func `keys are the same for ever and differ by direction`() throws {
        let udp = tuple(ProtocolNumber.udp)
        let ipv6 = FiveTuple(
            protocolNumber: ProtocolNumber.tcp, from: SocketAddress(.v6(laptop6), port: 1),
            to: SocketAddress(.v6(server6), port: 2))
        #expect(udp.reversed.reversed == udp)
        var table = ""
        for flow in [udp, udp.reversed, tuple(ProtocolNumber.tcp), ipv6, ipv6.reversed] {
            table += String(flow.key.rawValue, radix: 16) + "\n"
        }
        try expectGolden(table, named: "keys.txt")
    }

    @Test func `a million neighboring tuples have a million keys`() {
        var seen: Set<UInt64> = []
        for port in 0..<1_000 {
            for host in 0..<1_000 {
                let flow = FiveTuple(
                    protocolNumber: ProtocolNumber.udp,
                    from: SocketAddress(.v4(laptop + UInt32(host)), port: UInt16(port)),
                    to: SocketAddress(.v4(server), port: 53))
                seen.insert(flow.key.rawValue)
            }
        }
        #expect(seen.count == 1_000_000)
    }

    @Test func `noise and spoiled packets are refused or read, never trapped on`() {
        let table = Steering.ApplicationTable.standard
        forEachSeed(100) { random in
            for _ in 0..<200 {
                var bytes = random.chance(Ratio(0.5)) ? ipv4() : [UInt8](repeating: 0x60, count: 60)
                if random.chance(Ratio(0.2)) { bytes = (0..<Int(random.below(80))).map { _ in 0 } }
                for _ in 0..<random.below(8) where !bytes.isEmpty {
                    bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
                }
                bytes.removeLast(Int(random.below(UInt64(bytes.count) + 1)))
                guard let packet = head(bytes) else { continue }
                try #require(packet.key == packet.flow.key && packet.dscp < 64 && bytes.count >= 20)
                _ = table.application(of: packet)
            }
        }
    }
}
