import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// What simulated kernels answer to frames that a test puts on their links.
@Suite struct KernelTests {
    private static let left = IPv4Address(100, 64, 0, 0)
    private static let right = IPv4Address(100, 64, 0, 5)

    /// left - r0 - r1 - right, the first link captured.
    private static func world() -> Simulation {
        var scenario = Worlds.chain(
            routers: 2, Worlds.settings { $0.delay = .milliseconds(1) }, duration: .seconds(5), traffic: [])
        scenario.record.capturedLinks = [0]
        return Simulation(scenario)
    }

    /// An IPv4 packet in a frame for the first router.
    private static func frame(
        to destination: IPv4Address, _ protocolNumber: UInt8, _ payload: [UInt8], timeToLive: UInt8 = 64
    ) -> [UInt8] {
        var arena = ByteArena(capacity: 2_048)
        EthernetHeader(
            destination: MACAddress(locallyAdministered: 2), source: MACAddress(locallyAdministered: 1),
            etherType: EtherType.ipv4
        ).append(to: &arena)
        IPv4Header(
            source: left, destination: destination, protocolNumber: protocolNumber, payloadByteCount: payload.count,
            timeToLive: timeToLive
        ).append(to: &arena)
        arena.append(payload.span.bytes)
        return arena.bytes(ByteRange(start: 0, count: arena.count)).withUnsafeBytes { Array($0) }
    }

    private static func echoRequest() -> [UInt8] {
        var message: [UInt8] = [8, 0, 0, 0, 0x12, 0x34, 0, 1] + Array("are you there?".utf8)
        var sum = Checksum()
        sum.add(message.span.bytes)
        message[2] = UInt8(sum.value >> 8)
        message[3] = UInt8(sum.value & 255)
        return message
    }

    /// The ICMP messages that arrive at `left`, as (source, type, code).
    private static func answers(to frame: [UInt8]) -> [(source: IPv4Address, type: UInt8, code: UInt8)] {
        var simulation = world()
        simulation.offer(frame.span.bytes, toLink: 0, .forward)
        simulation.run(until: .zero + .seconds(5))
        var found: [(source: IPv4Address, type: UInt8, code: UInt8)] = []
        simulation.drainCapture { buffer in
            for frame in buffer.frames {
                let bytes = buffer.bytes(frame)
                let packet = bytes.extracting(min(14, bytes.byteCount)..<bytes.byteCount)
                guard let header = try? IPv4Header(parsing: packet), header.destination == left,
                    header.protocolNumber == ProtocolNumber.icmp,
                    let message = try? ICMPHeader(
                        parsing: packet.extracting(header.headerLength..<header.totalLength))
                else { continue }
                found.append((header.source, message.type, message.code))
            }
        }
        return found
    }

    @Test func `an echo is answered by a router and by the far host`() {
        for target in [IPv4Address(100, 64, 0, 1), Self.right] {
            let answers = Self.answers(to: Self.frame(to: target, ProtocolNumber.icmp, Self.echoRequest()))
            #expect(answers.count == 1)
            #expect(answers.first?.source == target)
            #expect(answers.first?.type == ICMPv4.echoReply)
        }
    }

    @Test(arguments: [1, 2] as [UInt8])
    func `the router at which the time to live runs out says so`(timeToLive: UInt8) {
        let answers = Self.answers(
            to: Self.frame(to: Self.right, ProtocolNumber.icmp, Self.echoRequest(), timeToLive: timeToLive))
        #expect(answers.count == 1)
        #expect(answers.first?.type == ICMPv4.timeExceeded)
        let routers = [IPv4Address(100, 64, 0, 1), IPv4Address(100, 64, 0, 3)]
        #expect(answers.first?.source == routers[Int(timeToLive) - 1])
    }

    @Test func `what cannot be reached is said to be so`() {
        let network = Self.answers(
            to: Self.frame(to: IPv4Address(192, 0, 2, 1), ProtocolNumber.icmp, Self.echoRequest()))
        #expect(network.first?.type == ICMPv4.unreachable)
        #expect(network.first?.code == ICMPv4.networkUnreachableCode)
        // A datagram without checksum to a port where nobody listens.
        let datagram: [UInt8] = [0, 7, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4]
        let port = Self.answers(to: Self.frame(to: Self.right, ProtocolNumber.udp, datagram))
        #expect(port.first?.type == ICMPv4.unreachable)
        #expect(port.first?.code == ICMPv4.portUnreachableCode)
    }

    @Test func `a packet with a wrong checksum, or for another, is dropped and counted`() {
        var damaged = Self.frame(to: Self.right, ProtocolNumber.icmp, Self.echoRequest())
        damaged[24] ^= 1
        var foreign = Self.frame(to: Self.right, ProtocolNumber.icmp, Self.echoRequest())
        foreign[5] ^= 0x40
        for (frame, cause) in [(damaged, DropCause.badChecksum), (foreign, DropCause.notForUs)] {
            var simulation = Self.world()
            simulation.offer(frame.span.bytes, toLink: 0, .forward)
            simulation.run(until: .zero + .seconds(1))
            let record = simulation.finish()
            #expect(record.conservation.first?.dropped[Int(cause.rawValue)] == 1)
        }
    }

    @Test func `a path with a smaller packet size is found by the sender`() throws {
        var scenario = Worlds.chain(
            routers: 2, Worlds.settings { $0.delay = .milliseconds(1) }, duration: .seconds(5),
            traffic: [
                TrafficEntry(
                    name: "file", application: .fileTransfer(bytes: ByteCount(500_000)), from: 0, to: 3,
                    start: .seconds(1))
            ])
        var links = [LinkDeclaration(EndDeclaration(0), EndDeclaration(1))]
        links.append(
            LinkDeclaration(
                EndDeclaration(1), EndDeclaration(2),
                forward: Worlds.settings { $0.maximumTransmissionUnit = 1_280 }))
        links.append(LinkDeclaration(EndDeclaration(2), EndDeclaration(3)))
        scenario.topology = Topology(name: "narrow", nodes: scenario.topology.nodes, links: links)
        let record = Worlds.record(scenario)
        let report = try #require(record.report()?.received)
        #expect(report.bytes == 500_000)
        #expect(report.completionTimes.count == 1)
        let tooBig = record.conservation.reduce(0 as UInt64) {
            $0 + ($1.dropped.isEmpty ? 0 : $1.dropped[Int(DropCause.tooBig.rawValue)])
        }
        #expect(tooBig > 0)
    }

    @Test func `IPv6 is forwarded, and neighbours are found by solicitation`() throws {
        let nodes = [
            TopologyNode(name: "left", kind: .host), TopologyNode(name: "r", kind: .router),
            TopologyNode(name: "right", kind: .host),
        ]
        func end(_ node: Int, _ subnet: UInt64, _ host: UInt64) -> EndDeclaration {
            EndDeclaration(
                node,
                addresses: [
                    PortAddress(.v6(IPv6Address(high: 0x2001_0DB8 << 32 | subnet, low: host)), prefixLength: 64)
                ])
        }
        var topology = Topology(
            name: "v6", nodes: nodes,
            links: [LinkDeclaration(end(0, 1, 1), end(1, 1, 2)), LinkDeclaration(end(1, 2, 1), end(2, 2, 2))])
        topology.removeIPv4()
        let record = Worlds.record(
            Scenario(
                name: "v6", topology: topology, duration: .seconds(3),
                traffic: [
                    Worlds.constantRate(.megabits(1), from: 0, to: 2, start: .seconds(1)),
                    TrafficEntry(
                        name: "file", application: .fileTransfer(bytes: ByteCount(200_000)), from: 0, to: 2,
                        start: .seconds(1)),
                ]))
        let report = try #require(record.report())
        #expect(report.sent?.packets == report.received?.packets)
        let file = try #require(record.report(2)?.received)
        #expect(file.bytes == 200_000)
        #expect(record.violations.isEmpty)
    }

    @Test func `random frames trap nobody and are all accounted for`() {
        forEachSeed(20) { random in
            var simulation = Self.world()
            for _ in 0..<300 {
                var frame = Self.frame(to: Self.right, ProtocolNumber.icmp, Self.echoRequest())
                if random.chance(Ratio(0.3)) {
                    frame = (0..<Int(random.below(UInt64(simulation.largestFrame)))).map { _ in
                        UInt8(truncatingIfNeeded: random.next())
                    }
                } else {
                    for _ in 0..<random.below(4) {
                        frame[Int(random.below(UInt64(frame.count)))] = UInt8(truncatingIfNeeded: random.next())
                    }
                    frame = Array(frame.prefix(Int(random.below(UInt64(frame.count + 1)))))
                }
                let direction: LinkDirection = random.chance(Ratio(0.5)) ? .forward : .reverse
                simulation.offer(frame.span.bytes, toLink: Int(random.below(3)), direction)
            }
            simulation.run(until: .zero + .seconds(5))
            let record = simulation.finish()
            try #require(record.conservation.allSatisfy { $0.isBalanced })
        }
    }
}
