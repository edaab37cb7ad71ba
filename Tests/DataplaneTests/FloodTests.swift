import Basics
import Dataplane
import Telemetry
import TestKit
import Testing
import Wire

/// The firewall's lists, and what a flood costs whom, packet by packet on virtual time.
@Suite(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
struct FloodTests {
    /// Packets of one kind: how many were sent, and how many of these were dropped.
    private struct Tally {
        var sent = 0
        var dropped = 0

        var droppedRatio: Double { sent == 0 ? 0 : Double(dropped) / Double(sent) }

        mutating func count(_ outcome: Outcome) {
            sent += 1
            if outcome.verdict == .drop { dropped += 1 }
        }
    }

    /// A server at 10.1.0.1 whose answers are seen, as those of a LAN host are.
    private struct Server {
        let dataplane: KernelDataplane
        var attack = Tally()
        var legitimate = Tally()

        private func packet(_ source: String, _ port: UInt16) -> Packet {
            var packet = Packet(source, "10.1.0.1")
            packet.sourcePort = port
            return packet
        }

        private func answer(_ source: String, _ port: UInt16) -> Packet {
            var packet = Packet("10.1.0.1", source)
            packet.sourcePort = 80
            packet.destinationPort = port
            return packet
        }

        mutating func attack(_ octets: [UInt8]) throws {
            attack.count(try dataplane.run(frame(octets)))
        }

        mutating func synchronize(_ source: String, _ port: UInt16) throws -> DataplaneVerdict? {
            let outcome = try dataplane.run(frame(try packet(source, port).tcp(.synchronize, sequence: 5)))
            legitimate.count(outcome)
            return outcome.verdict
        }

        /// The second and third segment of the handshake.
        mutating func finishHandshake(_ source: String, _ port: UInt16) throws {
            let reply = try answer(source, port).tcp([.synchronize, .acknowledge], sequence: 70, acknowledgment: 6)
            legitimate.count(try dataplane.run(frame(reply)))
            try data(source, port)
        }

        mutating func connect(_ source: String, _ port: UInt16) throws {
            if try synchronize(source, port) != .drop { try finishHandshake(source, port) }
        }

        mutating func data(_ source: String, _ port: UInt16) throws {
            let segment = try packet(source, port).tcp(.acknowledge, sequence: 6, acknowledgment: 71)
            legitimate.count(try dataplane.run(frame(segment)))
        }
    }

    private func spoofed(_ random: inout SeededRandom) -> String {
        IPv4Address(bits: 0x2D00_0000 | UInt32(truncatingIfNeeded: random.next()) >> 8).description
    }

    private func server() throws -> Server {
        let dataplane = try KernelDataplane()
        try dataplane.apply(.setPort(port, role: .wan, address: portAddress), .setSeed(0x1234_5678_9ABC_DEF0))
        dataplane.time = Instant(nanoseconds: 1_000_000_000_000)
        return Server(dataplane: dataplane)
    }

    /// Two seconds at 100,000 packets a second; `body` is told the millisecond, once in each.
    private func attack(
        _ server: inout Server, _ packet: (inout SeededRandom) throws -> [UInt8],
        meanwhile: (inout Server, Int) throws -> Void = { _, _ in }
    ) throws {
        var random = SeededRandom(seed: 9)
        for step in 0..<200_000 {
            // Ten packets share an instant, so that setting the time costs less than the packets do.
            if step % 10 == 0 { server.dataplane.time += .microseconds(100) }
            try server.attack(try packet(&random))
            if step % 100 == 0 { try meanwhile(&server, step / 100) }
        }
    }

    @Test func `the longest prefix decides, and allow wins over deny for one prefix`() throws {
        let dataplane = try KernelDataplane()
        func verdict(_ source: String) throws -> DataplaneVerdict? {
            let isIPv4 = try address(source).isIPv4
            return try dataplane.run(frame(try Packet(source, isIPv4 ? "10.1.0.1" : "2001:db8::1").udp())).verdict
        }
        try dataplane.apply(
            .list(try prefix("198.51.0.0/16"), .deny), .list(try prefix("198.51.100.0/24"), .allow),
            .list(try prefix("198.51.100.9/32"), .deny), .list(try prefix("203.0.113.0/24"), .deny),
            .list(try prefix("203.0.113.0/24"), .allow), .list(try prefix("2001:db8:bad::/48"), .deny),
            .list(try prefix("2001:db8:bad:1::/64"), .allow))
        let expected: KeyValuePairs<String, DataplaneVerdict> = [
            "198.51.1.1": .drop, "198.51.100.1": .pass, "198.51.100.9": .drop, "203.0.113.5": .pass,
            "198.52.0.1": .pass, "2001:db8:bad::1": .drop, "2001:db8:bad:1::1": .pass, "2001:db8:bae::1": .pass,
        ]
        for (source, wanted) in expected {
            let got = try verdict(source)
            #expect(got == wanted, "\(source)")
        }
        try dataplane.apply(.unlist(try prefix("203.0.113.0/24"), .allow))
        let then = try verdict("203.0.113.5")
        #expect(then == .drop, "a flow that is known looks again")
        try dataplane.apply(
            .unlist(try prefix("203.0.113.0/24"), .deny), .unlist(try prefix("198.51.100.9/32"), .deny))
        let last = [try verdict("203.0.113.5"), try verdict("198.51.100.9")]
        #expect(last == [.pass, .pass])
        let denied = try dataplane.read { try $0.counters()[.denied].packets }
        #expect(denied == 4)
    }

    @Test func `a flood of SYNs from anywhere costs flows that are known nothing`() throws {
        var server = try server()
        for client in 1...20 as ClosedRange<UInt16> { try server.connect("192.0.2.\(client)", 3000) }
        #expect(server.legitimate.dropped == 0)
        server.legitimate = Tally()
        try attack(&server) { random in
            var packet = Packet(spoofed(&random), "10.1.0.1")
            packet.sourcePort = UInt16(truncatingIfNeeded: random.next())
            return try packet.tcp(.synchronize, sequence: UInt32(truncatingIfNeeded: random.next()))
        } meanwhile: { server, millisecond in
            let client = UInt16(millisecond % 20 + 1)
            try server.data("192.0.2.\(client)", 3000)
            // Clients that were here before connect again; so do allowed ones and clients of another server.
            if millisecond % 10 == 0 { try server.connect("192.0.2.\(client)", 4000 + UInt16(millisecond)) }
        }
        #expect(server.attack.droppedRatio >= 0.99)
        #expect(server.legitimate.dropped == 0 && server.legitimate.sent > 2500)
        let counters = try server.dataplane.read { try $0.counters() }
        #expect(counters[.synchronizeFloodToDestination].packets > 190_000)
        #expect(counters[.flowAdded].packets < 2000)
    }

    @Test func `during a flood a new client gets in at its second try, an allowed one at once`() throws {
        var server = try server()
        try server.dataplane.apply(.list(try prefix("198.18.0.0/15"), .allow))
        var first = Tally()
        var second = Tally()
        try attack(&server) { random in
            var packet = Packet(spoofed(&random), "10.1.0.1")
            packet.sourcePort = UInt16(truncatingIfNeeded: random.next())
            return try packet.tcp(.synchronize, sequence: UInt32(truncatingIfNeeded: random.next()))
        } meanwhile: { server, millisecond in
            let client = "203.0.113.\(millisecond % 250)"
            if (500..<750).contains(millisecond) {
                first.count(Outcome(verdict: try server.synchronize(client, 5000), octets: []))
                let allowed = try server.synchronize("198.18.0.\(millisecond % 250)", 5000)
                #expect(allowed == .pass)
            }
            // The retransmission after one second (RFC 6298 §2).
            if (1500..<1750).contains(millisecond) {
                second.count(Outcome(verdict: try server.synchronize(client, 5000), octets: []))
            }
        }
        #expect(first.droppedRatio > 0.9)
        #expect(second.droppedRatio < 0.4)
        #expect(server.attack.droppedRatio >= 0.99)
    }

    @Test func `a crowd of new clients is let in, and one that grows with its answers is too`() throws {
        var server = try server()
        var waiting: [(due: Int, source: String)] = []
        for millisecond in 0..<4000 {
            server.dataplane.time += .milliseconds(1)
            // Five hundred clients a second, then two thousand; each handshake takes 100 ms.
            let count = millisecond < 2000 ? (millisecond % 2) : 2
            for place in 0..<count {
                let source = "172.\(millisecond >> 8).\(millisecond & 255).\(place + 1)"
                _ = try server.synchronize(source, 2000)
                waiting.append((millisecond + 100, source))
            }
            while let next = waiting.first, next.due <= millisecond {
                waiting.removeFirst()
                try server.finishHandshake(next.source, 2000)
            }
        }
        #expect(server.legitimate.dropped == 0 && server.legitimate.sent > 14_000)
        let counters = try server.dataplane.read { try $0.counters() }
        #expect(counters[.handshake].packets > 4500)
    }

    @Test func `a flood from one source is dropped, whatever it is made of`() throws {
        let floods: [(String, (inout SeededRandom) throws -> [UInt8])] = [
            ("SYNs of one port", { _ in try Packet("192.0.2.66", "10.1.0.1").tcp(.synchronize) }),
            ("one UDP flow", { _ in try Packet("192.0.2.66", "10.1.0.1").udp() }),
            ("echoes", { _ in try Packet("192.0.2.66", "10.1.0.1").icmp() }),
            (
                "UDP of many ports",
                { random in
                    var packet = Packet("192.0.2.66", "10.1.0.1")
                    packet.sourcePort = UInt16(truncatingIfNeeded: random.next())
                    return try packet.udp()
                }
            ),
        ]
        for (name, packet) in floods {
            var server = try server()
            try server.connect("192.0.2.5", 3000)
            server.legitimate = Tally()
            try attack(&server, packet) { server, millisecond in
                try server.data("192.0.2.5", 3000)
                if millisecond % 100 == 50 { try server.connect("192.0.2.6", 3000 + UInt16(millisecond)) }
            }
            #expect(server.attack.droppedRatio >= 0.985, "\(name): \(server.attack)")
            #expect(server.legitimate.dropped == 0, "\(name): \(server.legitimate)")
        }
    }

    @Test func `a flood of spoofed UDP, echoes or acknowledgments spares TCP and the flows that are answered`() throws {
        let floods: [(String, (inout SeededRandom) throws -> [UInt8])] = [
            (
                "UDP",
                { random in
                    var packet = Packet(spoofed(&random), "10.1.0.1")
                    packet.sourcePort = UInt16(truncatingIfNeeded: random.next())
                    return try packet.udp()
                }
            ), ("echo", { random in try Packet(spoofed(&random), "10.1.0.1").icmp() }),
            ("ACK", { random in try Packet(spoofed(&random), "10.1.0.1").tcp(.acknowledge) }),
        ]
        for (name, packet) in floods {
            var server = try server()
            try server.connect("192.0.2.5", 3000)
            var voice = Packet("192.0.2.7", "10.1.0.1")
            voice.sourcePort = 5004
            var reply = Packet("10.1.0.1", "192.0.2.7")
            (reply.sourcePort, reply.destinationPort) = (80, 5004)
            let frames = [frame(try voice.udp()), frame(try reply.udp())]
            for octets in frames + frames { try server.dataplane.run(octets) }
            server.legitimate = Tally()
            try attack(&server, packet) { server, millisecond in
                try server.data("192.0.2.5", 3000)
                for octets in frames { server.legitimate.count(try server.dataplane.run(octets)) }
                if millisecond % 100 == 50 { try server.connect("192.0.2.6", 3000 + UInt16(millisecond)) }
            }
            #expect(server.attack.droppedRatio >= 0.98, "\(name): \(server.attack)")
            #expect(server.legitimate.dropped == 0, "\(name): \(server.legitimate)")
        }
    }

    @Test func `datagrams of a tunnel are not policed, nor is what a trusted port or a steered flow brings`() throws {
        var server = try server()
        let tunnel = DataplaneTunnel(
            from: try address("192.0.2.2"), to: try address("192.0.2.1"), on: port, nextHop: try address("192.0.2.1"),
            firstSequence: 1)
        try server.dataplane.apply(
            .setTunnel(TunnelID(7), tunnel),
            .steer(
                FiveTuple(
                    source: try address("192.0.2.66"), destination: try address("10.1.0.1"), protocolNumber: 17,
                    sourcePort: 1000, destinationPort: 80), .pass))
        let inner = try Packet("10.3.0.1", "10.1.0.1").tcp(.synchronize)
        try server.dataplane.apply(.setPort(port, role: [.lan, .wan], address: portAddress))
        for sequence in 0..<20_000 as Range<UInt32> {
            var datagram = FastDatagram()
            datagram.sequence = sequence
            try server.attack(try datagram.packet(around: inner))
            datagram.flags = []
            try server.attack(try datagram.packet(around: inner))
            try server.attack(try Packet("192.0.2.66", "10.1.0.1").udp())
        }
        #expect(server.attack.dropped == 0)
        try server.dataplane.apply(.setPort(port, role: [.lan, .trusted], address: portAddress))
        for _ in 0..<2000 { try server.attack(try Packet().tcp(.synchronize)) }
        #expect(server.attack.dropped == 0)
    }

    @Test func `too many new flows are forwarded without an entry, and none is dropped for that`() throws {
        var limits = FloodGuardLimits.none
        limits.newFlows = FloodLimit(100, burst: 50)
        let dataplane = try KernelDataplane(limits: limits)
        dataplane.time = Instant(nanoseconds: 1_000_000_000)
        for flow in 0..<300 as Range<UInt16> {
            var packet = Packet()
            packet.sourcePort = 2000 + flow
            let outcome = try dataplane.run(frame(try packet.udp()))
            try #require(outcome.verdict == .pass)
        }
        let counters = try dataplane.read { try $0.counters() }
        #expect(counters[.flowAdded].packets == 50 && counters[.flowRefused].packets == 250)
        let flows = try dataplane.read { try $0.flows() }
        #expect(flows.count == 50)
    }
}
