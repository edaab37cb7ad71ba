import Basics
import Plan
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// Sessions that are reset and prefixes that are announced by those whose they are not, and what packets make of it.
@Suite struct RoutingEventTests {
    private enum Site {
        static let hq = 0
        static let branch = 1
        static let partner = 2
        static let server = 4
        static let laptop = 5
        static let kiosk = 6
    }

    /// Three sites on one provider; calls between the first two, and from the third to the second.
    private static func scenario(
        _ events: [ScriptedEvent], seed: UInt64 = 1, usesDataplane: Bool = true
    ) -> Scenario {
        var nodes = ["hq", "branch", "partner"].enumerated().map { number, name in
            TopologyNode(
                name: name, kind: .patronus, autonomousSystem: 65_001 + UInt32(number),
                lan: [.v4(IPv4Prefix(IPv4Address(10, UInt8(number + 1), 0, 0), length: 16))])
        }
        nodes.append(TopologyNode(name: "isp", kind: .router))
        nodes += ["server", "laptop", "kiosk"].enumerated().map { number, name in
            TopologyNode(name: name, kind: .host, attachment: number)
        }
        let links = (0..<3).map { site in
            LinkDeclaration(
                EndDeclaration(site, port: "wan-a"), EndDeclaration(3),
                forward: Worlds.settings {
                    $0.rate = .megabits(50)
                    $0.delay = .milliseconds(5)
                })
        }
        let topology = Topology(
            name: "three", nodes: nodes, links: links, overlay: OverlayConfiguration(usesDataplane: usesDataplane))
        var bystanders = Worlds.calls(2, from: Site.kiosk, to: Site.laptop)
        bystanders.name = "bystanders"
        return Scenario(
            name: "three", topology: topology, seed: seed, duration: .seconds(25),
            traffic: [Worlds.calls(3, from: Site.laptop, to: Site.server), bystanders], events: events)
    }

    private static func announcement(
        _ node: Int, _ text: String, at: Interval, lasting: Interval?
    ) throws -> ScriptedEvent {
        let series = try #require(PrefixSeries(text))
        return Worlds.event(at, .bgp(.announce(node: node, prefixes: [series], lasting: lasting)))
    }

    /// When each node's best paths changed after the start.
    private static func changes(_ record: RunRecord, since start: Instant) -> [(node: Int, at: Instant)] {
        record.telemetry.compactMap { entry in
            guard entry.at >= start, case .bestPathChanged = entry.record else { return nil }
            return (entry.node, entry.at)
        }
    }

    @Test(arguments: [true, false])
    func `hijacked packets are dropped by the node that announced, and nobody else's`(usesDataplane: Bool) throws {
        let record = Worlds.record(
            Self.scenario(
                [try Self.announcement(Site.partner, "10.1.0.0/17", at: .seconds(14), lasting: .seconds(4))],
                usesDataplane: usesDataplane))
        #expect(record.isBalanced && record.violations.isEmpty)
        for flow in 1...3 as ClosedRange<UInt32> {
            let there = try #require(record.report(flow, .forward)?.received)
            let back = try #require(record.report(flow, .backward)?.received)
            // 50 packets a second, for four seconds.
            #expect((199...201).contains(there.lost) && back.lost == 0)
            #expect(record.arrivesToTheEnd(flow, .forward) && record.arrivesToTheEnd(flow, .backward))
        }
        for flow in 4...5 as ClosedRange<UInt32> {
            #expect(record.report(flow, .forward)?.received?.lost == 0)
            #expect(record.report(flow, .backward)?.received?.lost == 0)
        }
        let lost = record.flowReports.reduce(0 as UInt64) { $0 + ($1.received?.lost ?? 0) }
        #expect(record.dropped(.noRoute) == lost)
        #expect(record.telemetry.allSatisfy { $0.node == Site.partner || $0.record != .dropped(.noRoute) })
        // Both peers hear of it after 10 ms, and of its end.
        let told = Self.changes(record, since: .zero + .seconds(14))
        #expect(told.map(\.node).sorted() == [0, 0, 1, 1])
        #expect(told.allSatisfy { $0.at < .zero + .milliseconds($0.at < .zero + .seconds(16) ? 14_020 : 18_020) })
    }

    @Test func `a session reset loses no packet and changes no best path`() {
        let pair = NodePair(Site.branch, Site.hq)
        let record = Worlds.record(Self.scenario([Worlds.event(.seconds(14), .bgp(.sessionReset(pair)))]))
        #expect(record.isBalanced && record.violations.isEmpty)
        #expect(record.flowReports.allSatisfy { $0.received?.lost == 0 })
        #expect(Self.changes(record, since: .zero + .seconds(14)).isEmpty)
        let states = record.telemetry.filter { entry in
            if case .sessionState(_, .established) = entry.record { entry.at > .zero + .seconds(14) } else { false }
        }
        #expect(states.map(\.node).sorted() == [Site.hq, Site.branch])
    }

    @Test func `a LAN that is withdrawn is out of reach until it is announced again`() throws {
        let lan = try #require(PrefixSeries("10.1.0.0/16"))
        let record = Worlds.record(
            Self.scenario([
                Worlds.event(
                    .seconds(14), .bgp(.withdraw(node: Site.hq, prefixes: [lan], lasting: .seconds(4))))
            ]))
        #expect(record.isBalanced && record.violations.isEmpty)
        let lost = try (1...3 as ClosedRange<UInt32>).map { try #require(record.report($0, .forward)?.received?.lost) }
        #expect(lost.allSatisfy { (199...201).contains($0) }, "\(lost)")
        #expect(record.report(4, .forward)?.received?.lost == 0)
    }

    @Test func `whatever is announced and reset, packets are accounted for and routes agree`() {
        forEachSeed(6) { random in
            var events: [ScriptedEvent] = []
            for _ in 0..<6 {
                let at = random.interval(in: .seconds(9)...(.seconds(20)))
                let node = Int(random.below(3))
                let length = 14 + Int(random.below(6))
                let block = IPPrefix(.v4(IPv4Address(10, UInt8(1 + random.below(3)), 0, 0)), length: length - 1)
                let series = try #require(PrefixSeries(count: 1 + Int(random.below(2)), length: length, in: block))
                let lasting = random.chance(Ratio(0.7)) ? random.interval(in: .zero...(.seconds(5))) : nil
                switch random.below(4) {
                case 0: events.append(Worlds.event(at, .bgp(.sessionReset(NodePair(node, (node + 1) % 3)))))
                case 1:
                    events.append(
                        Worlds.event(at, .bgp(.withdraw(node: node, prefixes: [series], lasting: lasting))))
                default:
                    events.append(
                        Worlds.event(at, .bgp(.announce(node: node, prefixes: [series], lasting: lasting))))
                }
            }
            let record = Worlds.record(Self.scenario(events, seed: random.next()))
            try #require(record.isBalanced)
            // What is announced by several may go round, which is told as what it is.
            let others = record.violations.filter { $0.kind != .forwardingLoop }
            try #require(others.isEmpty, "\(others)")
        }
    }
}
