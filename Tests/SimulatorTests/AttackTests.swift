import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

@Suite struct AttackTests {
    @Test(
        arguments: [AttackKind.synFlood, .udpFlood, .icmpFlood, .dnsAmplification], [false, true])
    func `every packet of a flood leaves, arrives at the node whole and ends there`(
        _ kind: AttackKind, _ onlyIPv6: Bool
    ) throws {
        let record = Worlds.record(
            AttackWorlds.scenario(
                duration: .seconds(3), attacks: [(.seconds(1), AttackWorlds.flood(kind))], onlyIPv6: onlyIPv6))
        let account = try #require(record.account())
        #expect(account.sent == 10_000)
        #expect(account.isBalanced)
        #expect(record.attacks[0].reachedNodes == 10_000)
        #expect(account.inFlight == 0)
        // Nothing that a parser on the way would have refused.
        switch kind {
        case .icmpFlood: #expect(account.delivered == 10_000)
        default: #expect(account.dropped(.noSocket) == 10_000)
        }
        #expect(record.violations.isEmpty)
        #expect(
            record.incidents == [
                Incident(
                    kind: .attack, event: 0, label: "attack", subject: AttackWorlds.server, start: .zero + .seconds(1),
                    end: .zero + .milliseconds(1_500), isDisruptive: false)
            ])
    }

    @Test func `what is lost on the way has reached nobody`() throws {
        let record = Worlds.record(
            AttackWorlds.scenario(
                duration: .seconds(3), attacks: [(.seconds(1), AttackWorlds.flood(.udpFlood))]
            ) { $0.loss = .independent(Ratio(0.3)) })
        let account = try #require(record.account())
        #expect(account.isBalanced)
        #expect(account.sent == 10_000)
        #expect((2_700...3_300).contains(account.dropped(.loss)))
        #expect(record.attacks[0].reachedNodes == 10_000 - account.dropped(.loss))
    }

    @Test func `each attack has an account of its own, and what others sent meanwhile is counted apart`() throws {
        let calls = TrafficEntry(
            name: "calls", application: .voip, from: AttackWorlds.laptop, to: AttackWorlds.server, flows: 4,
            start: .seconds(4))
        let record = Worlds.record(
            AttackWorlds.scenario(
                duration: .seconds(12), traffic: [calls],
                attacks: [
                    (.seconds(6), AttackWorlds.flood(.udpFlood, lasting: .seconds(2))),
                    (.seconds(7), AttackWorlds.flood(.synFlood, packetsPerSecond: 5_000, lasting: .seconds(2))),
                    (.seconds(11), AttackWorlds.flood(.icmpFlood, packetsPerSecond: 1_000, lasting: nil)),
                ]))
        let sizes = (0..<3).compactMap { record.account(ofAttack: $0)?.sent }
        #expect(sizes == [40_000, 10_000, 1_000])
        #expect(record.attacks.map(\.event) == [0, 1, 2])
        #expect(record.attacks.map(\.reachedNodes)[..<2] == [40_000, 10_000])
        #expect(record.violations.isEmpty)
        // Four calls of 50 packets a second each way for three seconds and one; probes, answers and so on beside.
        let sent = record.duringAttacks.sent
        #expect(sent > 1_600 && sent < 20_000)
        #expect(record.duringAttacks.refused == 0)
        let lost = record.flowReports.reduce(0 as UInt64) { $0 + ($1.received?.lost ?? 0) }
        #expect(lost == 0)
    }

    @Test func `an attack draws for itself: others' fates stay the same`() {
        let calls = TrafficEntry(
            name: "calls", application: .voip, from: AttackWorlds.laptop, to: AttackWorlds.server, flows: 2,
            start: .seconds(2))
        let attack = (
            Interval.seconds(3), AttackWorlds.flood(.udpFlood, from: AttackWorlds.readers, to: AttackWorlds.attacker)
        )
        func record(_ attacks: [(Interval, Attack)], seed: UInt64 = 1) -> RunRecord {
            Worlds.record(
                AttackWorlds.scenario(duration: .seconds(6), traffic: [calls], attacks: attacks, seed: seed) {
                    $0.loss = .independent(Ratio(0.02))
                    $0.jitter = .milliseconds(2)
                })
        }
        let with = record([attack])
        #expect(with.flowReports == record([]).flowReports)
        // A host behind the same router is no node: nothing met a data plane.
        #expect(with.attacks[0].reachedNodes == 0)
        #expect(with.account()?.dropped(.noSocket) == 10_000)
        #expect(with.checkpoints == record([attack]).checkpoints)
        #expect(with.checkpoints != record([attack], seed: 2).checkpoints)
    }

    @Test func `a service behind the node is attacked itself where its address is public`() throws {
        let pages = TrafficEntry(
            name: "pages", application: .web(bytes: nil), from: AttackWorlds.readers, to: AttackWorlds.server,
            flows: 20,
            start: .seconds(1), over: .seconds(2))
        let attack = AttackWorlds.flood(.synFlood, packetsPerSecond: 50_000, lasting: .seconds(2))
        let quiet = AttackWorlds.scenario(duration: .seconds(10), traffic: [pages], isPublic: true)
        let flooded = AttackWorlds.scenario(
            duration: .seconds(10), traffic: [pages], attacks: [(.seconds(4), attack)], isPublic: true)
        func pageCount(_ record: RunRecord) -> Int { record.flowReports.reduce(0) { $0 + $1.completionTimes.count } }
        let record = Worlds.record(flooded)
        let account = try #require(record.account())
        #expect(account.sent == 100_000 && record.attacks[0].reachedNodes == 100_000)
        // The listener answers until its backlog is full; the rest, and the readers with it, waits in vain.
        #expect((4_000...4_096).contains(account.delivered))
        #expect(account.dropped(.bufferFull) == 100_000 - account.delivered)
        #expect(pageCount(record) * 2 < pageCount(Worlds.record(quiet)))
        #expect(record.violations.isEmpty)
    }

    @Test func `an attack from a LAN meets the data plane of its own site first`() throws {
        let record = Worlds.record(
            AttackWorlds.scenario(
                duration: .seconds(8),
                attacks: [
                    (.seconds(6), AttackWorlds.flood(.udpFlood, from: AttackWorlds.laptop, packetsPerSecond: 1_000))
                ]))
        let account = try #require(record.account())
        #expect(account.sent == 500 && account.isBalanced)
        // There, and once more where the tunnel ends.
        #expect(record.attacks[0].reachedNodes == 1_000)
        #expect(account.dropped(.noSocket) == 500)
    }

    @Test func `a flood faster than the neighbour's answer loses what cannot wait for it`() throws {
        let record = Worlds.record(
            AttackWorlds.scenario(
                duration: .seconds(2),
                attacks: [
                    (
                        .seconds(1),
                        AttackWorlds.flood(.synFlood, packetsPerSecond: 1_000_000, lasting: .milliseconds(10))
                    )
                ]))
        let account = try #require(record.account())
        #expect(account.sent == 10_000 && account.isBalanced)
        #expect(account.dropped(.noNeighbor) > 50 && account.dropped(.noNeighbor) < 150)
    }

    @Test func `a packet of a flood costs no allocation once all is warm`() {
        var simulation = Simulation(
            AttackWorlds.scenario(
                duration: .seconds(10),
                attacks: [(.seconds(1), AttackWorlds.flood(.udpFlood, packetsPerSecond: 50_000, lasting: nil))]))
        simulation.run(until: .zero + .milliseconds(2_100))
        let hops = simulation.hopCount
        let count = allocations { simulation.run(until: .zero + .milliseconds(2_900)) }
        #expect(simulation.hopCount - hops > 80_000)
        // Telemetry and checkpoints go on.
        #expect(count < 400)
    }
}
