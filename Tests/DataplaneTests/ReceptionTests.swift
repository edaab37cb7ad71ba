import Basics
import Dataplane
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

/// Datagrams of the fast path: what is taken off, what is accounted, and what is left to the node.
@Suite(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
struct ReceptionTests {
    private func node(_ change: (inout DataplaneTunnel) -> Void = { _ in }) throws -> KernelDataplane {
        let dataplane = try KernelDataplane(limits: .none)
        var tunnel = DataplaneTunnel(
            from: try address("192.0.2.2"), to: try address("192.0.2.1"), on: port, nextHop: try address("192.0.2.1"),
            firstSequence: 1)
        change(&tunnel)
        let neighbor = DataplaneNeighbor(nextAddress, from: portAddress)
        try dataplane.apply(
            .setPort(port, role: .wan, address: portAddress),
            .setTunnel(TunnelID(7), tunnel),
            .setRoute(try prefix("10.2.0.0/16"), .port(port)),
            .setRoute(try prefix("10.4.0.0/16"), .gateway(port, try address("10.2.0.254"))),
            .setRoute(try prefix("2001:db8:2::/48"), .port(port)),
            .setNeighbor(try address("10.2.0.2"), on: port, neighbor),
            .setNeighbor(try address("10.2.0.254"), on: port, neighbor),
            .setNeighbor(try address("2001:db8:2::2"), on: port, neighbor))
        dataplane.time = Instant(nanoseconds: 5_000_123_456)
        return dataplane
    }

    private func account(_ dataplane: KernelDataplane) throws -> TunnelAccount {
        try #require(try dataplane.read { try $0.account(of: TunnelID(7)) })
    }

    @Test func `the inner packet leaves by the LAN port, one hop further`() throws {
        let dataplane = try node()
        var sequence: UInt32 = 100
        for packet in [Packet(), Packet("10.1.0.2", "10.4.0.9"), Packet("2001:db8:1::2", "2001:db8:2::2")] {
            for tags in [[], [5], [5, 6]] as [[UInt16]] {
                var datagram = FastDatagram()
                datagram.sequence = sequence
                let inner = try packet.tcp()
                let outcome = try dataplane.run(frame(try datagram.packet(around: inner), tags: tags))
                let expected = frame(oneHopFurther(inner), to: nextAddress, from: portAddress)
                #expect(outcome == Outcome(verdict: .redirect, octets: expected))
                sequence += 1
            }
        }
        let counters = try dataplane.read { try $0.counters() }
        #expect(counters[.delivered].packets == 9)
    }

    @Test func `what is for this machine comes out bare, addressed to it`() throws {
        let dataplane = try node()
        var expired = Packet()
        expired.hopLimit = 1
        let cases: [(Packet, DataplaneCause)] = [
            (Packet("10.1.0.2", "10.9.0.1"), .decapsulatedToKernel), (Packet("10.1.0.2", "10.2.0.77"), .noNeighbor),
            (expired, .hopLimit),
        ]
        for (place, (packet, cause)) in cases.enumerated() {
            let inner = try packet.udp()
            var datagram = FastDatagram()
            datagram.sequence = 10 + UInt32(place)
            let before = try dataplane.read { try $0.counters()[cause].packets }
            let outcome = try dataplane.run(frame(try datagram.packet(around: inner)))
            let after = try dataplane.read { try $0.counters()[cause].packets }
            #expect(outcome == Outcome(verdict: .pass, octets: frame(inner)))
            #expect(after == before + 1)
        }
    }

    @Test func `whatever is not of the fast path is left to the node, untouched`() throws {
        let dataplane = try node()
        let inner = try Packet().udp()
        func expectLeft(
            _ cause: DataplaneCause, _ comment: Comment, _ change: (inout FastDatagram) -> Void = { _ in },
            damage: Int? = nil
        ) throws {
            var datagram = FastDatagram()
            change(&datagram)
            var octets = frame(try datagram.packet(around: inner))
            if let damage { octets[damage] ^= 1 }
            let outcome = try dataplane.run(octets)
            #expect(outcome == Outcome(verdict: .pass, octets: octets), comment)
            let counted = try dataplane.cause(octets)
            #expect(counted == cause, comment)
        }
        try expectLeft(.slowPath, "no flag") { $0.flags = [] }
        try expectLeft(.slowPath, "a duplicate of the node's") { $0.flags = PathFlags(rawValue: 5) }
        try expectLeft(.slowPath, "a probe") { $0.isControl = true }
        try expectLeft(.notForwarded, "another number") { $0.number = 9 }
        try expectLeft(.notForwarded, "another sender") { $0.source = "192.0.2.9" }
        try expectLeft(.notForwarded, "to another address") { $0.destination = "192.0.2.9" }
        // The path option's sequence, timestamp and checksum, and a foreign option's class.
        for place in [50, 54, 58, 64, 65] { try expectLeft(.slowPath, "octet \(place)", damage: place) }
        let account = try account(dataplane)
        #expect(account.packetsReceived == 0 && account.packetsExpected == 0)
        var fragment = frame(try FastDatagram().packet(around: inner))
        fragment[20] = 0x20
        let cause = try dataplane.cause(fragment)
        #expect(cause == .notForwarded)
        try dataplane.apply(.setPort(port, role: .lan, address: portAddress))
        let outcome = try dataplane.run(frame(try FastDatagram().packet(around: inner)))
        #expect(outcome.verdict == .pass, "tunnels end at WAN ports")
    }

    @Test func `sequence numbers are accounted as the node's own window does`() throws {
        forEachSeed(6) { random in
            let dataplane = try node()
            let inner = try Packet().udp()
            var next = UInt32(truncatingIfNeeded: random.next())
            var arrived: [UInt32] = []
            var dropped = (duplicates: 0 as UInt64, late: 0 as UInt64)
            let first = next
            for _ in 0..<400 {
                var sequence = next
                if random.chance(Ratio(0.2)), next &- first > 200 {
                    sequence = next &- 1 &- UInt32(random.below(100))
                } else {
                    next &+= 1 + UInt32(random.chance(Ratio(0.1)) ? random.below(3) : 0)
                    sequence = next &- 1
                }
                let behind = next &- 1 &- sequence
                let isDuplicate = arrived.contains(sequence)
                var datagram = FastDatagram()
                datagram.sequence = sequence
                let outcome = try dataplane.run(frame(try datagram.packet(around: inner)))
                if behind >= 64 {
                    dropped.late += 1
                } else if isDuplicate {
                    dropped.duplicates += 1
                }
                let isDropped = behind >= 64 || isDuplicate
                try #require(outcome.verdict == (isDropped ? .drop : .redirect), "\(sequence), \(behind) behind")
                if !isDropped { arrived.append(sequence) }
            }
            let account = try account(dataplane)
            try #require(account.packetsReceived == UInt64(arrived.count))
            try #require(account.duplicates == dropped.duplicates)
            try #require(account.late == dropped.late)
            try #require(account.highestSequence == next &- 1)
            try #require(account.packetsExpected == UInt64(next &- (arrived.first ?? 0)))
        }
    }

    @Test func `a restarted sender is followed from its second packet on`() throws {
        let dataplane = try node()
        let inner = try Packet().udp()
        for sequence in [100, 101, 0x8000_0000, 102, 0x9000_0000, 0x9000_0001, 0x9000_0002] as [UInt32] {
            var datagram = FastDatagram()
            datagram.sequence = sequence
            let outcome = try dataplane.run(frame(try datagram.packet(around: inner)))
            #expect(outcome.verdict == .redirect)
        }
        let account = try account(dataplane)
        #expect(account.unrelated == 3)
        #expect(account.highestSequence == 0x9000_0002)
        #expect(account.packetsExpected == 5)
        #expect(account.packetsReceived == 7)
    }

    @Test func `transit is summed from the first one on, and its least is that of the last seconds`() throws {
        let dataplane = try node()
        let inner = try Packet().udp()
        let sent: UInt32 = 4_294_000_000
        for (place, transit) in [30_000, 20_000, 45_000, 40_000].enumerated() {
            // Two in the first second, two in the fifth; both clocks wrap differently.
            let departure = UInt64(place) * 1_000 + (place >= 2 ? 5_000_000 : 0)
            dataplane.time = Instant(nanoseconds: (10_000_000 + departure + UInt64(transit)) * 1_000 + 7)
            var datagram = FastDatagram()
            datagram.sequence = UInt32(place)
            datagram.timestamp = sent &+ UInt32(departure)
            _ = try dataplane.run(frame(try datagram.packet(around: inner)))
            if place == 1 {
                let account = try account(dataplane)
                #expect(account.transitMinimum == .nanoseconds(-10_000_000 + 7))
            }
        }
        let account = try account(dataplane)
        #expect(account.transitSum == .nanoseconds((0 - 10_000 + 15_000 + 10_000) * 1_000 + 28))
        #expect(account.transitMinimum == .nanoseconds(10_000_000 + 7))
        #expect(account.transitBase == 10_030_000 &- sent)
    }

    @Test func `a spread tunnel drops nothing as late, and counts it`() throws {
        let dataplane = try node { $0.isSpread = true }
        let inner = try Packet().udp()
        for sequence in [1000, 1200, 1001, 1200] as [UInt32] {
            var datagram = FastDatagram()
            datagram.sequence = sequence
            let outcome = try dataplane.run(frame(try datagram.packet(around: inner)))
            #expect(outcome.verdict == .redirect)
        }
        let account = try account(dataplane)
        #expect(account.late == 1 && account.duplicates == 1 && account.packetsReceived == 4)
    }

    @Test func `a hub takes a packet from one tunnel into another`() throws {
        let dataplane = try node()
        let far = DataplaneTunnel(
            from: try address("192.0.2.2"), to: try address("192.0.2.3"), on: port, nextHop: try address("192.0.2.3"),
            firstSequence: 500)
        try dataplane.apply(
            .setTunnel(TunnelID(9), far), .setRoute(try prefix("10.3.0.0/16"), .tunnel(TunnelID(9))),
            .setNeighbor(
                try address("192.0.2.3"), on: port, DataplaneNeighbor(nextAddress, from: portAddress)))
        let inner = try Packet("10.1.0.2", "10.3.0.2").tcp()
        let outcome = try dataplane.run(frame(try FastDatagram().packet(around: inner)))
        var onward = FastDatagram()
        onward.source = "192.0.2.2"
        onward.destination = "192.0.2.3"
        onward.number = 9
        onward.sequence = 500
        onward.timestamp = 5_000_123
        let expected = frame(try onward.packet(around: oneHopFurther(inner)), to: nextAddress, from: portAddress)
        #expect(outcome.octets.hex == expected.hex)
    }
}
