import Basics
import Dataplane
import Telemetry
import TestKit
import Testing
import Wire

/// What the program passes on, and what it makes of what it forwards, octet by octet.
@Suite(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
struct ForwardingTests {
    /// A node with a tunnel over IPv4 (7) and one over IPv6 (8), and routes to both.
    private func node(_ change: (inout DataplaneTunnel) -> Void = { _ in }) throws -> KernelDataplane {
        let dataplane = try KernelDataplane(limits: .none)
        try dataplane.apply(.setPort(port, role: [.lan, .wan], address: portAddress))
        for (number, local, remote) in [(7, "192.0.2.1", "192.0.2.2"), (8, "2001:db8::1", "2001:db8::2")] {
            var tunnel = DataplaneTunnel(
                from: try address(local), to: try address(remote), on: port, nextHop: try address(remote),
                firstSequence: 100)
            change(&tunnel)
            try dataplane.apply(
                .setTunnel(TunnelID(UInt32(number)), tunnel),
                .setNeighbor(try address(remote), on: port, DataplaneNeighbor(nextAddress, from: portAddress)))
        }
        try dataplane.apply(
            .setRoute(try prefix("10.2.0.0/16"), .tunnel(TunnelID(7))),
            .setRoute(try prefix("2001:db8:2::/48"), .tunnel(TunnelID(7))),
            .setRoute(try prefix("10.3.0.0/16"), .tunnel(TunnelID(8))),
            .setRoute(try prefix("2001:db8:3::/48"), .tunnel(TunnelID(8))))
        dataplane.time = Instant(nanoseconds: 5_000_123_456)
        return dataplane
    }

    private func expectPassed(
        _ dataplane: KernelDataplane, _ octets: [UInt8], _ cause: DataplaneCause, _ comment: Comment
    ) throws {
        let outcome = try dataplane.run(octets)
        #expect(outcome == Outcome(verdict: .pass, octets: octets), comment)
        let counted = try dataplane.cause(octets)
        #expect(counted == cause, comment)
    }

    @Test func `what cannot or need not be forwarded is passed on untouched, under its cause`() throws {
        let dataplane = try node()
        let plain = Packet()
        var mine = plain
        mine.destination = "192.0.2.1"
        try expectPassed(dataplane, frame(try mine.tcp()), .noRoute, "no route")
        try expectPassed(dataplane, frame(try plain.tcp(), to: nextAddress), .notAddressed, "another's")
        var arp = frame(try plain.tcp())
        arp[13] = 6
        try expectPassed(dataplane, arp, .notIP, "ARP")
        var group = plain
        group.destination = "224.0.0.5"
        try expectPassed(dataplane, frame(try group.udp()), .multicast, "multicast")
        let neighbors = Packet("fe80::1", "2001:db8:2::2")
        for type in 133...137 as ClosedRange<UInt8> {
            try expectPassed(dataplane, frame(try neighbors.icmp(type: type)), .neighborDiscovery, "type \(type)")
        }
        var session = plain
        session.destinationPort = 179
        try expectPassed(dataplane, frame(try session.tcp()), .control, "BGP")
        session.destinationPort = 3784
        session.hopLimit = 255
        try expectPassed(dataplane, frame(try session.udp()), .control, "BFD")
        var expired = plain
        expired.hopLimit = 1
        try expectPassed(dataplane, frame(try expired.tcp()), .hopLimit, "hop limit")
        var long = plain
        long.payload = [UInt8](repeating: 1, count: 1500 - 52 - 40 + 1)
        try expectPassed(dataplane, frame(try long.tcp()), .tooLong, "too long")
        var broken = frame(try plain.tcp())
        broken[24] ^= 1
        try expectPassed(dataplane, broken, .checksum, "header checksum")
        try dataplane.apply(.removeNeighbor(try address("192.0.2.2"), on: port))
        try expectPassed(dataplane, frame(try plain.tcp()), .noNeighbor, "neighbour")
        try dataplane.apply(.removeTunnel(TunnelID(7)))
        try expectPassed(dataplane, frame(try plain.tcp()), .noTunnel, "tunnel")
        try dataplane.apply(.setPort(port, role: .wan, address: portAddress))
        try expectPassed(dataplane, frame(try plain.tcp()), .notForwarded, "not a LAN port")
    }

    @Test func `fragments, options and extension headers go to the kernel`() throws {
        let dataplane = try node()
        var fragment = try Packet().udp()
        fragment[6] = 0x20
        try expectPassed(dataplane, frame(fragment), .fragment, "first fragment")
        fragment[7] = 5
        try expectPassed(dataplane, frame(fragment), .fragment, "last fragment")
        let plain = try Packet().udp()
        var options = [0x46] + plain[1..<20] + [1, 1, 1, 0] + plain[20...]
        options[3] += 4
        try expectPassed(dataplane, frame(options), .options, "record route")
        let six = Packet("2001:db8:1::2", "2001:db8:2::2")
        let udp = Array(try six.udp()[40...])
        try expectPassed(dataplane, frame(try six.ip(60, [17, 0, 1, 4, 0, 0, 0, 0] + udp)), .options, "destination")
        try expectPassed(dataplane, frame(try six.ip(44, [17, 0, 0, 1, 0, 0, 0, 9] + udp)), .fragment, "fragment")
        let many = (0..<7).map { _ in [60, 0, 1, 4, 0, 0, 0, 0] as [UInt8] }.flatMap { $0 }
        try expectPassed(dataplane, frame(try six.ip(60, many)), .options, "more headers than are read")
    }

    @Test func `a frame cut anywhere is passed on and counted once`() throws {
        let dataplane = try node()
        for whole in [try Packet().tcp(), try Packet("2001:db8:1::2", "2001:db8:2::2").udp()] {
            let whole = frame(whole, tags: [5])
            for length in 14..<whole.count {
                let cut = Array(whole[..<length])
                let outcome = try dataplane.run(cut)
                try #require(outcome == Outcome(verdict: .pass, octets: cut), "\(length) of \(whole.count)")
            }
        }
        let malformed = try dataplane.read { try $0.counters()[.malformed].packets }
        #expect(malformed > 80)
    }

    @Test func `a packet is encapsulated over IPv4 as the tunnel's encoder would`() throws {
        let dataplane = try node()
        var sequence: UInt32 = 100
        for tags in [[], [5], [5, 6]] as [[UInt16]] {
            for isIPv6 in [false, true] {
                var packet = isIPv6 ? Packet("2001:db8:1::2", "2001:db8:2::2") : Packet()
                packet.trafficClass = 0xB8
                packet.payload = [UInt8](0..<33)
                let inner = try packet.tcp()
                let outcome = try dataplane.run(frame(inner, tags: tags))
                var expected = FastDatagram()
                expected.sequence = sequence
                expected.timestamp = 5_000_123
                expected.trafficClass = 0xB8
                let outer = try expected.packet(around: oneHopFurther(inner))
                #expect(outcome.verdict == .redirect)
                #expect(outcome.octets.hex == frame(outer, to: nextAddress, from: portAddress).hex)
                sequence += 1
            }
        }
        let account = try #require(try dataplane.read { try $0.account(of: TunnelID(7)) })
        #expect(account.packetsSent == 6)
        #expect(account.lastSent == Instant(nanoseconds: 5_000_123_456))
    }

    @Test(arguments: [false, true])
    func `over IPv6 the checksum is right, or left out where the peer agreed`(omitted: Bool) throws {
        let dataplane = try node { $0.omitsChecksum = omitted }
        forEachSeed(300) { random in
            var packet =
                random.chance(Ratio(0.5)) ? Packet("2001:db8:1::2", "2001:db8:3::2") : Packet("10.1.0.2", "10.3.0.2")
            packet.payload = random.octets(Int(random.below(1300)))
            packet.sourcePort = UInt16(truncatingIfNeeded: random.next()) | 1024
            let inner = try [packet.tcp(), packet.udp(), packet.icmp()][Int(random.below(3))]
            let outcome = try dataplane.run(frame(inner))
            try #require(outcome.verdict == .redirect)
            var expected = FastDatagram()
            expected.source = "2001:db8::1"
            expected.destination = "2001:db8::2"
            expected.number = 8
            expected.hasChecksum = !omitted
            expected.timestamp = 5_000_123
            let sent = try dataplane.read { try $0.account(of: TunnelID(8)) }
            expected.sequence = 99 + UInt32(try #require(sent).packetsSent)
            let outer = try expected.packet(around: oneHopFurther(inner))
            try #require(outcome.octets.hex == frame(outer, to: nextAddress, from: portAddress).hex)
        }
        var odd = Packet("10.1.0.2", "10.3.0.2")
        odd.payload = [1, 2, 3]
        let unsummed = frame(try odd.ip(47, [1, 2, 3, 4]))
        let cause = try dataplane.cause(unsummed)
        #expect(cause == (omitted ? .encapsulated : .checksum))
    }

    @Test func `a steering entry wins over the prefix, in its direction alone, until it is changed`() throws {
        let dataplane = try node()
        let packet = try Packet().udp()
        let tuple = FiveTuple(
            source: try address("10.1.0.2"), destination: try address("10.2.0.2"), protocolNumber: 17, sourcePort: 1000,
            destinationPort: 80)
        func tunnel() throws -> DataplaneCause? {
            let sent = try dataplane.read { try $0.account(of: TunnelID(7))?.packetsSent }
            let cause = try dataplane.cause(frame(packet))
            let after = try dataplane.read { try $0.account(of: TunnelID(7))?.packetsSent }
            return cause == .encapsulated && after == sent ? nil : cause
        }
        #expect(try tunnel() == .encapsulated)
        try dataplane.apply(.steer(tuple, .tunnel(TunnelID(8))))
        #expect(try tunnel() == nil, "into the other tunnel, without a new generation")
        try dataplane.apply(.steer(tuple.reversed, .tunnel(TunnelID(7))))
        #expect(try tunnel() == nil)
        try dataplane.apply(.steer(tuple, .pass))
        #expect(try tunnel() == .steeredToKernel)
        try dataplane.apply(.unsteer(tuple))
        #expect(try tunnel() == .encapsulated)
        let record = try #require(try dataplane.read { try $0.flow(tuple) })
        #expect(record.direction(tuple).tunnel == TunnelID(7) && !record.direction(tuple).isSteered)
    }

    @Test func `source ports of a spread tunnel differ by flow and stay for a flow`() throws {
        let dataplane = try node { $0.isSpread = true }
        var ports: [UInt16] = []
        for flow in 0..<64 as Range<UInt16> {
            var packet = Packet()
            packet.sourcePort = 2000 + flow
            let octets = try packet.udp()
            let first = try dataplane.run(frame(octets)).octets
            let second = try dataplane.run(frame(octets)).octets
            try #require(first[34...35] == second[34...35])
            ports.append(UInt16(first[34]) << 8 | UInt16(first[35]))
        }
        #expect(ports.allSatisfy { $0 >= 0xC000 })
        #expect(ports.sorted().enumerated().filter { $0.0 == 0 || ports.sorted()[$0.0 - 1] != $0.1 }.count > 55)
    }
}
