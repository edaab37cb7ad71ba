import Basics
import Measure
import Scenario
import Telemetry
import Testing

struct SecurityTests {
    private static let attacked = "security.attackPacketsDropped"
    private static let legitimate = "security.legitimatePacketsDropped"
    private static let policed = "security.legitimatePacketsPoliced"

    private static func account(
        _ key: UInt64, sent: UInt64, _ dropped: KeyValuePairs<DropCause, UInt64> = [:]
    ) -> ConservationAccount {
        var causes = [UInt64](repeating: 0, count: DropCause.allCases.count)
        for (cause, count) in dropped { causes[Int(cause.rawValue)] = count }
        return ConservationAccount(
            key: FlowKey(key), sent: sent, duplicated: 0, delivered: sent - causes.reduce(0, +), inFlight: 0,
            dropped: dropped.isEmpty ? [] : causes)
    }

    private static func run(_ names: [String] = [attacked, legitimate, policed]) -> MadeRun {
        var run = MadeRun(expectations: names.map { wanted($0, .atLeast(0)) })
        run.record.isPoliced = true
        return run
    }

    @Test func `of the attack counts what reached a node, of the others what was sent meanwhile`() {
        var run = Self.run()
        // A tenth is lost on the way; what the node lets pass finds no socket.
        run.record.conservation = [
            Self.account(0, sent: 500, [.denied: 1]),
            Self.account(
                7, sent: 100_000, [.queueFull: 9_000, .loss: 1_000, .policed: 88_000, .denied: 1_500, .noSocket: 500]),
            Self.account(8, sent: 20_000, [.policed: 12, .loss: 40]),
        ]
        run.record.attacks = [AttackAccount(event: 0, key: FlowKey(7), reachedNodes: 90_000)]
        run.record.duringAttacks = LegitimateAccount(sent: 10_000, refused: 4)
        let summary = run.summary
        #expect(summary[Self.attacked] == 89_500.0 / 90_000)
        #expect(summary[Self.legitimate] == 0.0004)
        #expect(summary[Self.policed] == 13)
        #expect(summary.status == .passed)
        let figures = AttackFigures.all(of: run.record)
        #expect(figures.count == 1)
        #expect(figures[0].event == 0 && figures[0].sent == 100_000 && figures[0].reachedNodes == 90_000)
        #expect(figures[0].policed == 88_000 && figures[0].denied == 1_500)
    }

    @Test func `several attacks are one figure, by packets`() {
        var run = Self.run()
        run.record.conservation = [
            Self.account(1, sent: 1_000, [.policed: 1_000]), Self.account(2, sent: 3_000, [.policed: 2_000]),
        ]
        run.record.attacks = [
            AttackAccount(event: 0, key: FlowKey(1), reachedNodes: 1_000),
            AttackAccount(event: 4, key: FlowKey(2), reachedNodes: 3_000),
        ]
        run.record.duringAttacks = LegitimateAccount(sent: 10, refused: 0)
        #expect(run.summary[Self.attacked] == 0.75)
        #expect(run.summary[Self.legitimate] == 0)
        #expect(run.summary[Self.policed] == 0)
        #expect(AttackFigures.all(of: run.record).map(\.shareRefused) == [1, 2.0 / 3])
    }

    @Test func `without an attack nothing was exercised, and the expectation fails`() {
        var run = Self.run()
        run.record.conservation = [Self.account(1, sent: 1_000)]
        let summary = run.summary
        #expect(summary.status == .failed)
        #expect(summary.expectations.map(\.passed) == [false, false, true])
        #expect(
            summary.expectations.map(\.reason) == [
                "nobody attacked in this run, so nothing was exercised",
                "nobody attacked in this run, so nothing was exercised", nil,
            ])
    }

    @Test func `an attack that never got to a node exercised nothing`() {
        var run = Self.run([Self.attacked, Self.legitimate])
        run.record.conservation = [Self.account(3, sent: 1_000, [.linkDown: 1_000])]
        run.record.attacks = [AttackAccount(event: 0, key: FlowKey(3), reachedNodes: 0)]
        run.record.duringAttacks = LegitimateAccount(sent: 10, refused: 0)
        let summary = run.summary
        #expect(summary.expectations.map(\.passed) == [false, false])
        #expect(
            summary.expectations.allSatisfy {
                $0.reason == "no packet of an attack reached a node, so nothing was exercised"
            })
    }

    @Test func `where no node polices, nothing is said of whom it spares`() {
        var run = Self.run()
        run.record.isPoliced = false
        run.record.conservation = [Self.account(1, sent: 100), Self.account(2, sent: 50)]
        run.record.attacks = [AttackAccount(event: 0, key: FlowKey(1), reachedNodes: 100)]
        run.record.duringAttacks = LegitimateAccount(sent: 50, refused: 0)
        let results = run.summary.expectations
        #expect(results.map(\.value) == [0, nil, nil])
        #expect(results.map(\.passed) == [true, false, false])
        #expect(results[1...].allSatisfy { $0.reason == "no node policed what came in, so nothing was exercised" })
    }

    @Test func `a scripted attack that had not begun is none`() {
        var run = Self.run([Self.attacked])
        run.record.conservation = [Self.account(3, sent: 0)]
        run.record.attacks = [AttackAccount(event: 0, key: FlowKey(3), reachedNodes: 0)]
        #expect(run.summary.expectations[0].reason == "nobody attacked in this run, so nothing was exercised")
    }

    @Test func `an attack while nobody else sends says nothing of the others`() {
        var run = Self.run([Self.attacked, Self.legitimate])
        run.record.conservation = [Self.account(3, sent: 100, [.policed: 100])]
        run.record.attacks = [AttackAccount(event: 0, key: FlowKey(3), reachedNodes: 100)]
        let results = run.summary.expectations
        #expect(results.map(\.passed) == [true, false])
        #expect(results[1].reason == "nobody else sent anything during the attack, so nothing was exercised")
    }

    @Test func `an attack is in the run's story, and is no failover`() {
        var run = MadeRun()
        run.incident(.attack, MadeRun.server, 20_000, 30_000, isDisruptive: false)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 21_000, from: MadeRun.a, to: MadeRun.b, .failover)
        run.report(flow)
        let summary = run.summary
        #expect(summary.failovers.isEmpty)
        #expect(
            summary.timeline.filter { $0.kind == "event" } == [
                TimelineEntry(at: at(20_000), kind: "event", subject: "server", text: "attack 4"),
                TimelineEntry(at: at(30_000), kind: "event", subject: "server", text: "attack 4 is over"),
            ])
    }
}
