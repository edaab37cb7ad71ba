import BFD
import BGP
import Basics
import Scenario
import Simulator
import Telemetry
import Testing
import Traffic
import Wire

/// Two sites in a row with a third: `edge` and `core` are peers of the overlay, `customer` is none of them and speaks
/// BGP with `core` over a link.
@Suite struct NeighborTests {
    private static let customerLAN = IPPrefix("10.3.0.0/16")

    private static func site(_ name: String, _ number: UInt8) -> TopologyNode {
        TopologyNode(
            name: name, kind: .patronus, autonomousSystem: 65_000 + UInt32(number),
            lan: [.v4(IPv4Prefix(IPv4Address(10, number, 0, 0), length: 16))])
    }

    private static func neighbor(
        at node: Int, liveness: LivenessTiming?, _ change: (inout PeerConfiguration) -> Void = { _ in }
    ) -> BGPDeclaration {
        let unknown = IPAddress.v4(IPv4Address(bits: 0))
        var settings = PeerConfiguration(address: unknown, autonomousSystem: 0, localAddress: unknown)
        settings.families = [.ipv4Unicast, .ipv6Unicast]
        settings.importPolicy = .acceptAll
        settings.exportPolicy = .acceptAll
        settings.session.connectRetry = .seconds(1)
        settings.session.holdTime = .seconds(9)
        settings.session.followsBFD = liveness != nil
        change(&settings)
        var neighbor = BGPNeighborDeclaration(.node(node), settings: settings)
        neighbor.liveness = liveness
        var declaration = BGPDeclaration()
        declaration.neighbors = [neighbor]
        return declaration
    }

    /// Calls from behind the edge to behind the customer.
    private static func world(
        events: [ScriptedEvent] = [], duration: Interval = .seconds(30), liveness: LivenessTiming? = nil,
        _ change: (inout PeerConfiguration) -> Void = { _ in }, core: (inout TopologyNode) -> Void = { _ in },
        customer: (inout TopologyNode) -> Void = { _ in }
    ) -> Scenario {
        var nodes = [
            site("core", 1), site("edge", 2), site("customer", 3), TopologyNode(name: "isp", kind: .router),
            TopologyNode(name: "near", kind: .host, attachment: 1),
            TopologyNode(name: "far", kind: .host, attachment: 2),
        ]
        nodes[0].bgp = neighbor(at: 2, liveness: liveness, change)
        nodes[2].bgp = neighbor(at: 0, liveness: liveness)
        core(&nodes[0])
        customer(&nodes[2])
        let link = Worlds.settings { $0.delay = .milliseconds(5) }
        let topology = Topology(
            name: "row", nodes: nodes,
            links: [
                LinkDeclaration(EndDeclaration(0, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(EndDeclaration(1, port: "wan-a"), EndDeclaration(3), forward: link),
                LinkDeclaration(EndDeclaration(0, port: "ce0"), EndDeclaration(2, port: "pe0"), forward: link),
            ], overlay: OverlayConfiguration(tunnels: .pairs([NodePair(0, 1)])))
        return Scenario(
            name: "row", topology: topology, duration: duration,
            traffic: [Worlds.calls(from: 4, to: 5, start: .seconds(10))], events: events)
    }

    private static func delivered(
        _ record: RunRecord, _ direction: FlowDirection = .forward
    ) -> (sent: Int, received: Int) {
        guard let report = record.report(1, direction) else { return (0, 0) }
        return (Int(report.sent?.packets ?? 0), Int(report.received?.packets ?? 0))
    }

    /// What the core says of its session with the customer.
    private static func states(_ record: RunRecord) -> [(at: Instant, state: Telemetry.BGPSessionState)] {
        record.telemetry.compactMap { entry in
            guard entry.node == 0, case .sessionState(1, let state) = entry.record else { return nil }
            return (entry.at, state)
        }
    }

    @Test func `a neighbour's prefixes reach the overlay, and the overlay's the neighbour`() {
        let record = Worlds.record(Self.world())
        for direction in [FlowDirection.forward, .backward] {
            let (sent, received) = Self.delivered(record, direction)
            #expect(sent > 900 && received == sent, "\(direction)")
        }
    }

    @Test func `a neighbour that is not named calls from a range, is lost with the link, and calls again`() throws {
        let range = try #require(IPPrefix("100.64.0.0/10"))
        let events = [
            ScriptedEvent(
                at: .seconds(15), label: "cut", kind: .linkDown(link: 2, directions: .both, lasting: .seconds(2)))
        ]
        let scenario = Self.world(
            events: events, duration: .seconds(40),
            core: { node in
                guard let named = node.bgp?.neighbors.first else { return }
                node.bgp?.neighbors = []
                var settings = named.settings
                settings.autonomousSystem = 65_003
                node.bgp?.listeners = [BGPListenerDeclaration(range, settings: settings)]
            })
        let record = Worlds.record(scenario)
        let states = Self.states(record)
        let comings = states.filter { $0.state == .established }.map(\.at)
        #expect(comings.count == 2, "\(states)")
        #expect(states.contains { $0.state == .idle && $0.at >= .zero + .seconds(15) && $0.at < .zero + .seconds(16) })
        let (sent, received) = Self.delivered(record)
        let lost: Int = sent - received
        #expect(received > 900 && lost >= 100 && lost < 460, "\(lost) of \(sent)")
    }

    @Test func `a neighbour from outside the range, or with another number, is not taken`() throws {
        for (range, number) in [
            ("10.200.0.0/16", UInt32(65_003)), ("100.64.0.0/31", 65_003), ("100.64.0.0/10", 65_009),
        ] {
            let prefix = try #require(IPPrefix(range))
            let scenario = Self.world(core: { node in
                guard var settings = node.bgp?.neighbors.first?.settings else { return }
                settings.autonomousSystem = number
                node.bgp?.neighbors = []
                node.bgp?.listeners = [BGPListenerDeclaration(prefix, settings: settings)]
            })
            let record = Worlds.record(scenario)
            #expect(!Self.states(record).contains { $0.state == .established })
            #expect(Self.delivered(record).received == 0)
        }
    }

    @Test func `packets for an aggregate find the parts' ways behind it`() throws {
        let whole = try #require(IPPrefix("10.0.0.0/8"))
        let scenario = Self.world(core: { $0.bgp?.aggregates = [Aggregate(whole, isSummaryOnly: true)] })
        // The edge hears of 10.0.0.0/8 alone, and the core knows the longer way.
        let (sent, received) = Self.delivered(Worlds.record(scenario))
        #expect(sent > 900 && received == sent)
    }

    @Test func `without a policy a neighbour of another AS neither gives nor gets routes`() {
        let (sent, received) = Self.delivered(
            Worlds.record(
                Self.world {
                    $0.importPolicy = nil
                    $0.exportPolicy = nil
                }))
        #expect(sent > 900 && received == 0)
    }

    @Test func `a rule that denies the customer's prefix keeps it out`() throws {
        let prefix = try #require(Self.customerLAN)
        let policy = RoutePolicy(
            [PolicyRule(sequence: 10, .deny, conditions: [.prefix(prefix)])], otherwise: .permit)
        let (_, received) = Self.delivered(Worlds.record(Self.world { $0.importPolicy = policy }))
        #expect(received == 0)
    }

    @Test func `a link without carrier takes the neighbour's routes away at once, and they come back`() {
        let events = [
            ScriptedEvent(
                at: .seconds(15), label: "cut", kind: .linkDown(link: 2, directions: .both, lasting: .seconds(5)))
        ]
        let record = Worlds.record(Self.world(events: events, duration: .seconds(40)))
        let states = Self.states(record)
        let losses = states.filter { $0.state == .idle && $0.at >= .zero + .seconds(15) }
        let returns = states.filter { $0.state == .established && $0.at >= .zero + .seconds(20) }
        #expect(losses.first.map { $0.at - (.zero + .seconds(15)) < .milliseconds(10) } == true)
        #expect(returns.first.map { $0.at - (.zero + .seconds(20)) < .seconds(4) } == true)
        let (sent, received) = Self.delivered(record)
        let lost: Int = sent - received
        #expect(lost >= 250 && lost < 460, "\(lost)")
    }

    @Test func `a neighbour's prefix that comes and goes is kept out until it stays`() throws {
        let lan = PrefixSeries(try #require(Self.customerLAN))
        let events = [12, 16].map { second in
            ScriptedEvent(
                at: .seconds(second), label: "flap",
                kind: .bgp(.withdraw(node: 2, prefixes: [lan], lasting: .seconds(1))))
        }
        var damping = FlapDamping()
        damping.halfLife = .seconds(10)
        damping.suppressThreshold = 1_500
        let lost = [nil, damping].map { damping in
            let record = Worlds.record(Self.world(events: events, duration: .seconds(40)) { $0.damping = damping })
            let (sent, received) = Self.delivered(record)
            return sent - received
        }
        #expect(lost[0] >= 98 && lost[0] < 130, "\(lost[0])")
        // The second time the penalty is 1758, of which 750 are left 12.3 s later.
        #expect(lost[1] >= 50 + 12 * 50 && lost[1] < 50 + 14 * 50, "\(lost[1])")
    }

    @Test(arguments: [false, true])
    func `no route outlasts its link, though the session is to be taken up again`(hasLiveness: Bool) throws {
        let prefix = try #require(IPPrefix("2001:db8:3::/48"))
        let events = [
            ScriptedEvent(
                at: .seconds(15), label: "cut", kind: .linkDown(link: 2, directions: .both, lasting: .seconds(5)))
        ]
        let restart = GracefulRestartConfiguration()
        let scenario = Self.world(
            events: events, liveness: hasLiveness ? LivenessTiming(interval: .milliseconds(50)) : nil
        ) {
            $0.session.gracefulRestart = restart
        } customer: {
            $0.lan.append(prefix)
            $0.bgp?.neighbors[0].settings.session.gracefulRestart = restart
        }
        let record = Worlds.record(scenario)
        /// How many of the edge's best paths change within a time: those to the customer, one of each family.
        func changes(_ start: Int64, _ end: Int64) -> UInt32 {
            record.telemetry.reduce(0) { sum, entry in
                guard entry.node == 1, case .bestPathChanged(let count) = entry.record,
                    entry.at >= .zero + .seconds(start), entry.at < .zero + .seconds(end)
                else { return sum }
                return sum + count
            }
        }
        #expect(changes(14, 15) == 0 && changes(15, 16) == 2 && changes(16, 20) == 0)
        #expect(changes(20, 30) == 2)
        #expect(Self.states(record).last?.state == .established)
    }

    @Test func `BFD ends a session over a link that has fallen silent, long before its hold time`() throws {
        let silence = Worlds.settings { $0.loss = .independent(Ratio(1)) }
        let events = [
            ScriptedEvent(
                at: .seconds(15), label: "silence",
                kind: .linkSet(link: 2, directions: .both, changes: silence, over: nil))
        ]
        func end(_ liveness: LivenessTiming?) throws -> Interval {
            let record = Worlds.record(Self.world(events: events, liveness: liveness))
            let first = Self.states(record).first { $0.state == .idle && $0.at >= .zero + .seconds(15) }
            return try #require(first).at - (.zero + .seconds(15))
        }
        let quick = try end(LivenessTiming(interval: .milliseconds(50)))
        let slow = try end(nil)
        #expect(quick >= .milliseconds(100) && quick <= .milliseconds(160), "\(quick)")
        #expect(slow >= .seconds(6) && slow <= .seconds(9), "\(slow)")
    }

    @Test func `a route whose next hop is on no link is not told on`() throws {
        let elsewhere = try #require(IPAddress("192.0.2.9"))
        let policy = RoutePolicy([PolicyRule(sequence: 1, .permit, settings: [.nextHop(elsewhere)])])
        let record = Worlds.record(Self.world { $0.importPolicy = policy })
        let (sent, received) = Self.delivered(record)
        #expect(sent > 900 && received == 0)
        // The edge has no route, so that no path is chosen for the call.
        let choices = record.telemetry.filter { entry in
            guard entry.node == 1, case .pathChange = entry.record else { return false }
            return entry.at >= .zero + .seconds(10)
        }
        #expect(choices.isEmpty)
    }
}
