import BGP
import Basics
import Machine
import Scenario
import Simulator
import Telemetry
import Testing
import Traffic
import Wire

/// `core` and `edge` are peers of the overlay; `customer` is none of them, and has two links to `core`, with a session
/// over each.
@Suite struct MultipathTests {
    private static func site(_ name: String, _ number: UInt8, _ lan: [IPPrefix]) -> TopologyNode {
        TopologyNode(name: name, kind: .patronus, autonomousSystem: 65_000 + UInt32(number), lan: lan)
    }

    /// An address at the end of one of the links to the customer.
    private static func address(_ link: UInt8, _ host: UInt8, isIPv4: Bool) -> IPAddress {
        isIPv4
            ? .v4(IPv4Address(192, 0, 2 + link, host))
            : .v6(IPv6Address(high: 0x2001_0DB8_00FF_0000 | UInt64(link), low: UInt64(host)))
    }

    private static func end(_ node: Int, _ port: String, _ link: UInt8, _ host: UInt8) -> EndDeclaration {
        EndDeclaration(
            node, port: "\(port)\(link)",
            addresses: [
                PortAddress(address(link, host, isIPv4: true), prefixLength: 24),
                PortAddress(address(link, host, isIPv4: false), prefixLength: 64),
            ])
    }

    private static func declaration(_ host: UInt8, maximumPaths: Int) -> BGPDeclaration {
        var declaration = BGPDeclaration()
        declaration.maximumPaths = maximumPaths
        declaration.neighbors = ([0, 1] as [UInt8]).map { link in
            let unknown = IPAddress.v4(IPv4Address(bits: 0))
            var settings = PeerConfiguration(address: unknown, autonomousSystem: 0, localAddress: unknown)
            settings.families = [.ipv4Unicast, .ipv6Unicast]
            settings.nextHopSelf = true
            settings.importPolicy = .acceptAll
            settings.exportPolicy = .acceptAll
            settings.session.connectRetry = .seconds(1)
            settings.session.holdTime = .seconds(9)
            return BGPNeighborDeclaration(.address(address(link, host, isIPv4: true)), settings: settings)
        }
        return declaration
    }

    /// Sixteen calls from behind the edge to behind the customer.
    private static func world(
        isIPv4: Bool = true, maximumPaths: Int = 2, events: [ScriptedEvent] = [], usesDataplane: Bool = false
    ) throws -> Scenario {
        let lans = try (1...3).map { number in
            let text = isIPv4 ? "10.\(number).0.0/16" : "2001:db8:\(number)::/48"
            return [try #require(IPPrefix(text))]
        }
        var nodes = [
            site("core", 1, lans[0]), site("edge", 2, lans[1]), site("customer", 3, lans[2]),
            TopologyNode(name: "isp", kind: .router), TopologyNode(name: "near", kind: .host, attachment: 1),
            TopologyNode(name: "far", kind: .host, attachment: 2),
        ]
        nodes[0].bgp = declaration(2, maximumPaths: maximumPaths)
        nodes[2].bgp = declaration(1, maximumPaths: maximumPaths)
        let link = Worlds.settings { $0.delay = .milliseconds(5) }
        let topology = Topology(
            name: "parallel", nodes: nodes,
            links: [
                LinkDeclaration(EndDeclaration(0, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(EndDeclaration(1, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(end(0, "ce", 0, 1), end(2, "pe", 0, 2), forward: link),
                LinkDeclaration(end(0, "ce", 1, 1), end(2, "pe", 1, 2), forward: link),
            ], overlay: OverlayConfiguration(tunnels: .pairs([NodePair(0, 1)]), usesDataplane: usesDataplane))
        return Scenario(
            name: "parallel", topology: topology, duration: .seconds(30),
            traffic: [Worlds.calls(16, from: 4, to: 5, start: .seconds(10))], events: events)
    }

    /// Calls from behind the core to behind the customer, whose prefix the edge announces as well, by as long a path.
    private static func contested(customerIsFirst: Bool) throws -> Scenario {
        var scenario = try world()
        let topology = scenario.topology
        let (customer, edge) = customerIsFirst ? (1, 2) : (2, 1)
        var nodes = topology.nodes
        nodes[edge] = topology.nodes[1]
        nodes[customer] = topology.nodes[2]
        nodes[4].attachment = 0
        nodes[5].attachment = customer
        nodes[0].bgp?.spreadsOverNeighbors = true
        nodes[0].bgp?.maximumPaths = 3
        var announced = BGPDeclaration()
        announced.networks = topology.nodes[2].lan
        nodes[edge].bgp = announced
        let link = Worlds.settings { $0.delay = .milliseconds(5) }
        scenario.topology = Topology(
            name: "contested", nodes: nodes,
            links: [
                LinkDeclaration(EndDeclaration(0, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(EndDeclaration(edge, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(end(0, "ce", 0, 1), end(customer, "pe", 0, 2), forward: link),
                LinkDeclaration(end(0, "ce", 1, 1), end(customer, "pe", 1, 2), forward: link),
            ],
            overlay: OverlayConfiguration(tunnels: .pairs([NodePair(0, edge)]), usesDataplane: false))
        return scenario
    }

    private static func counts(_ record: RunRecord) -> (sent: Int, received: Int) {
        record.flowReports.reduce(into: (0, 0)) { sum, report in
            sum.0 += Int(report.sent?.packets ?? 0)
            sum.1 += Int(report.received?.packets ?? 0)
        }
    }

    /// How many octets went over each of the two links.
    private static func carried(_ record: RunRecord, _ direction: LinkDirection) -> [UInt64] {
        [2, 3].map { link in
            record.links.first { $0.link == link && $0.direction == direction }?.deliveredBytes ?? 0
        }
    }

    @Test(arguments: [true, false], [true, false])
    func `flows use both links, in both directions, and none is lost`(isIPv4: Bool, usesDataplane: Bool) throws {
        let record = Worlds.record(try Self.world(isIPv4: isIPv4, usesDataplane: usesDataplane))
        let (sent, received) = Self.counts(record)
        #expect(sent > 25_000 && received == sent, "\(sent) \(received)")
        for direction in LinkDirection.allCases {
            let carried = Self.carried(record, direction)
            let all = carried[0] + carried[1]
            #expect(carried.allSatisfy { $0 > all / 5 }, "\(direction) \(carried)")
        }
        #expect(record.violations.isEmpty)
    }

    @Test func `with one path all flows take the same link`() throws {
        let record = Worlds.record(try Self.world(maximumPaths: 1))
        let (sent, received) = Self.counts(record)
        #expect(sent > 25_000 && received == sent)
        for direction in LinkDirection.allCases {
            let carried = Self.carried(record, direction)
            #expect(carried.contains { $0 < (carried[0] + carried[1]) / 50 }, "\(direction) \(carried)")
        }
    }

    @Test(arguments: [2, 3])
    func `without carrier on one link all flows take the other, and come back`(link: Int) throws {
        func cut(_ duration: Interval?) -> [ScriptedEvent] {
            [
                ScriptedEvent(
                    at: .seconds(15), label: "cut", kind: .linkDown(link: link, directions: .both, lasting: duration))
            ]
        }
        let whole = Self.carried(Worlds.record(try Self.world()), .forward)[link - 2]
        for duration in [nil, .seconds(5)] as [Interval?] {
            let record = Worlds.record(try Self.world(events: cut(duration)))
            let (sent, received) = Self.counts(record)
            // What was on the link when it was cut: 5 ms of at most 16 calls with 50 packets a second each way.
            #expect(sent > 25_000 && sent - received <= 2 * 16, "\(sent - received)")
            let carried = Self.carried(record, .forward)[link - 2]
            // Calls go from 10 s to 30 s.
            let share = Double(carried) / Double(whole)
            #expect(duration == nil ? (0.2..<0.35).contains(share) : (0.5..<0.85).contains(share), "\(share)")
        }
    }

    @Test(arguments: [true, false])
    func `the kind of the best path decides whether as good ones of the other kind are used`(
        customerIsFirst: Bool
    ) throws {
        let record = Worlds.record(try Self.contested(customerIsFirst: customerIsFirst))
        let reports = record.flowReports.filter { $0.direction == .forward }
        let sent = reports.reduce(0) { $0 + ($1.sent?.packets ?? 0) }
        let received = reports.reduce(0) { $0 + ($1.received?.packets ?? 0) }
        let carried = Self.carried(record, .forward)
        // Behind the edge there is nothing; of equally long paths the one by the lower identifier is the best.
        #expect(sent > 12_000 && received == (customerIsFirst ? sent : 0), "\(sent) \(received)")
        #expect(carried.allSatisfy { $0 > 500_000 } == customerIsFirst, "\(carried)")
    }

    @Test func `the same seed spreads the same flows over the same links`() throws {
        let events = [
            ScriptedEvent(
                at: .seconds(15), label: "cut", kind: .linkDown(link: 2, directions: .both, lasting: .seconds(5)))
        ]
        let runs = try (0..<2).map { _ in Worlds.record(try Self.world(events: events)).checkpoints }
        #expect(runs[0].count == 30 && runs[0] == runs[1])
    }
}
