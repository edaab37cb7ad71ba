import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// What the nodes' data planes do with the packets of a running overlay.
@Suite struct DataplaneTests {
    private typealias Dual = Worlds.Dual

    /// Two sites and four calls both ways for 15 s, with events.
    private static func run(_ events: [ScriptedEvent] = [], failbackDelay: Interval = .seconds(5)) -> RunRecord {
        Worlds.record(
            Worlds.dualProvider(
                duration: .seconds(25), traffic: [Worlds.calls(4)], events: events, failbackDelay: failbackDelay,
                usesDataplane: true))
    }

    private static func packets(_ record: RunRecord, _ node: Int, _ cause: String) -> UInt64 {
        record.dataplanes.first { $0.node == node && $0.cause == cause }?.packets ?? 0
    }

    /// The branch's calls from one tunnel to another.
    private static func movesOfCalls(_ record: RunRecord) -> [TimedRecord] {
        let calls = record.flows.map(\.forwardKey)
        return record.telemetry.filter { told in
            guard case .pathChange(let key, from: .some, to: .some, _) = told.record else { return false }
            return told.node == Dual.branch && calls.contains(key)
        }
    }

    /// Packets that calls sent at a site.
    private static func sent(_ record: RunRecord, _ direction: FlowDirection) -> UInt64 {
        record.flowReports.filter { $0.direction == direction }.reduce(0) { $0 + ($1.sent?.packets ?? 0) }
    }

    @Test func `it carries a flow from its second packet on, in and out of the tunnel`() throws {
        let record = Self.run()
        for (node, far, direction) in [
            (Dual.branch, Dual.hq, FlowDirection.forward), (Dual.hq, Dual.branch, .backward),
        ] {
            let sent = Self.sent(record, direction)
            try #require(sent > 3_000)
            let encapsulated = Self.packets(record, node, "encapsulated")
            // The first packet of each of four calls is the node's, and those that waited for a neighbour.
            #expect(encapsulated <= sent - 4 && encapsulated >= sent - 16)
            let delivered = Self.packets(record, far, "delivered")
            #expect(delivered >= encapsulated - 8 && delivered <= encapsulated)
        }
        #expect(record.flowReports.allSatisfy { $0.received?.lost == 0 })
        #expect(record.violations.isEmpty, "\(record.violations)")
    }

    @Test func `every frame that reaches a node has one verdict`() {
        let record = Self.run()
        for node in [Dual.branch, Dual.hq] {
            let verdicts = record.dataplanes.filter { $0.node == node && $0.verdict != nil }
            let arrived = record.links.filter { account in
                record.scenario.topology.links[account.link].target(account.direction).node == node
            }.reduce(0) { $0 + $1.delivered }
            #expect(verdicts.reduce(0) { $0 + $1.packets } == arrived)
        }
    }

    @Test func `nothing of an overlay is policed`() {
        let record = Self.run()
        #expect(!record.dataplanes.contains { $0.verdict == "drop" })
    }

    @Test func `a flow leaves a tunnel that is down, and is carried through the other one`() throws {
        let cut = Worlds.event(.seconds(15), .linkDown(link: Dual.branchToA, directions: .both, lasting: nil))
        let record = Self.run([cut])
        let sent = Self.sent(record, .forward)
        let encapsulated = Self.packets(record, Dual.branch, "encapsulated")
        #expect(encapsulated >= sent - 40)
        let moves = Self.movesOfCalls(record)
        // Each call moved once: its next packet came to the node.
        #expect(moves.count == 4)
        #expect(moves.allSatisfy { $0.at - (.zero + .seconds(15)) < .milliseconds(60) })
    }

    @Test func `a flow returns to the better tunnel though the node has not seen its packets`() {
        let cut = Worlds.event(
            .seconds(12), .linkDown(link: Dual.branchToA, directions: .both, lasting: .seconds(2)))
        let record = Self.run([cut], failbackDelay: .seconds(3))
        let moves = Self.movesOfCalls(record)
        #expect(moves.count == 8)
        #expect(moves.suffix(4).allSatisfy { $0.at > .zero + .seconds(17) && $0.at < .zero + .seconds(18) })
    }

    @Test(arguments: [AttackKind.synFlood, .udpFlood, .icmpFlood, .dnsAmplification])
    func `a flood is policed, and who reads from the attacked server notices nothing`(_ kind: AttackKind) throws {
        let pages = TrafficEntry(
            name: "pages", application: .web(bytes: nil), from: AttackWorlds.readers, to: AttackWorlds.server,
            flows: 20, start: .seconds(1), over: .seconds(2))
        func record(_ attacks: [(at: Interval, attack: Attack)]) -> RunRecord {
            Worlds.record(
                AttackWorlds.scenario(
                    duration: .seconds(10), traffic: [pages], attacks: attacks, isPublic: true, usesDataplane: true))
        }
        func pageCount(_ record: RunRecord) -> Int { record.flowReports.reduce(0) { $0 + $1.completionTimes.count } }
        let flood = AttackWorlds.flood(kind, packetsPerSecond: 100_000, lasting: .seconds(2))
        let flooded = record([(.seconds(4), flood)])
        let account = try #require(flooded.account())
        #expect(account.isBalanced && flooded.attacks[0].reachedNodes == 200_000)
        // What the guard grants to a destination for two seconds, and what it takes for pressure.
        #expect(account.dropped(.policed) >= 197_500)
        #expect(flooded.duringAttacks.sent > 1_000)
        #expect(flooded.duringAttacks.refused * 1_000 <= flooded.duringAttacks.sent)
        #expect(pageCount(flooded) * 100 >= pageCount(record([])) * 95)
        #expect(flooded.violations.isEmpty)
    }

    @Test func `a node that starts again begins with an empty data plane`() {
        let restart = [
            Worlds.event(.seconds(14), .nodeKill(node: Dual.branch)),
            Worlds.event(.seconds(16), .nodeRestart(node: Dual.branch, after: .zero)),
        ]
        let record = Self.run(restart)
        #expect(record.flowReports.allSatisfy { ($0.received?.packets ?? 0) > 400 })
        #expect(record.violations.isEmpty, "\(record.violations)")
    }
}
