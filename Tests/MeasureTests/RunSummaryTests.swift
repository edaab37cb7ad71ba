import Basics
import Measure
import Scenario
import Telemetry
import TestKit
import Testing
import Traffic

struct RunSummaryTests {
    /// Whether 4, 5 and 6 meet each condition.
    private static let conditions: [(condition: Condition, met: [Bool])] = [
        (.below(5), [true, false, false]),
        (.atMost(5), [true, true, false]),
        (.atLeast(5), [false, true, true]),
        (.above(5), [false, false, true]),
        (.equals(5), [false, true, false]),
        (.between(4, 6), [true, true, true]),
        (.between(4.5, 5.5), [false, true, false]),
        (.between(6, 4), [false, false, false]),
    ]

    @Test(arguments: conditions.indices)
    func `an expectation holds up to its limit`(index: Int) throws {
        let row = Self.conditions[index]
        var run = MadeRun(expectations: [wanted("run.packetHops", row.condition)])
        for (value, isMet) in zip(4...6 as ClosedRange<UInt64>, row.met) {
            run.record.packetHops = value
            let summary = run.summary
            let result = try #require(summary.expectations.first)
            #expect(result.passed == isMet)
            #expect(result.value == Double(value))
            #expect(result.unit == .count)
            #expect(result.reason == nil)
            #expect(summary.status == (isMet ? .passed : .failed))
        }
    }

    @Test func `a metric that the run did not produce fails, whatever is expected of it`() {
        let conditions: [Condition] = [.below(1), .atMost(1), .atLeast(0), .above(-1), .equals(0), .between(0, 1)]
        var run = MadeRun(expectations: conditions.map { wanted("traffic.calls.mos.p5", $0) })
        let flow = run.addFlow()
        run.report(flow)
        let summary = run.summary
        #expect(summary.expectations.count == 6)
        for result in summary.expectations {
            #expect(!result.passed)
            #expect(result.value == nil)
            #expect(result.unit == .opinionScore)
            #expect(result.reason == "the run did not produce this metric")
        }
        #expect(summary.status == .failed)
    }

    @Test func `a run that expects nothing passes, and one that broke a rule fails`() {
        var run = MadeRun()
        #expect(run.summary.status == .passed)
        #expect(run.summary["invariants.violations"] == 0)
        run.record.violations = [
            InvariantViolation(kind: .conservation, at: at(60_000), text: "flow 2: 10 sent is not 9 delivered")
        ]
        #expect(run.summary.status == .failed)
        #expect(run.summary["invariants.violations"] == 1)
    }

    @Test func `one failed expectation among others fails the run`() {
        var run = MadeRun(expectations: [
            wanted("invariants.violations", .equals(0)), wanted("run.events", .atLeast(1)),
        ])
        #expect(run.summary.expectations.map(\.passed) == [true, false])
        #expect(run.summary.status == .failed)
        run.record.eventCount = 1
        #expect(run.summary.status == .passed)
    }

    @Test func `convergence is counted from what happened last before it, its repair included`() {
        var run = MadeRun()
        run.say(500, 0, .bestPathChanged(prefixCount: 1))
        run.incident(.linkDown, MadeRun.linkA, 20_000, 30_000)
        run.incident(.sessionReset, MadeRun.branch, 40_000, 40_000, isDisruptive: false)
        run.incident(.linkDown, MadeRun.linkB, 50_000, 90_000)
        for (at, node) in [(20_300, 0), (20_450, 1), (31_000, 0), (40_025, 1)] as [(Int64, Int)] {
            run.say(at, node, .bestPathChanged(prefixCount: 2))
        }
        let summary = run.summary
        #expect(summary["bgp.convergence.count"] == 3)
        #expect(summary["bgp.convergence.min"] == 25)
        #expect(summary["bgp.convergence.p50"] == 450)
        #expect(summary["bgp.convergence.max"] == 1_000)
    }

    @Test func `an event that changes nothing has no convergence, and an expectation on it says so`() {
        func reason(_ run: MadeRun) -> String? { run.summary.expectations[0].reason }
        var run = MadeRun(expectations: [wanted("bgp.convergence.max", .below(100))])
        run.say(500, 0, .bestPathChanged(prefixCount: 1))
        #expect(reason(run) == "nothing happened in this run, so there was no convergence to measure")
        run.incident(.prefixesAnnounced, MadeRun.branch, 20_000, isDisruptive: false)
        #expect(
            reason(run)
                == "nothing that happened in this run changed any best path, so there was no convergence to measure")
        run.say(20_040, 0, .bestPathChanged(prefixCount: 1))
        run.say(20_080, 1, .bestPathChanged(prefixCount: 1))
        #expect(run.summary.expectations[0].value == 80)
        // What comes after the next event is that one's.
        run.incident(.prefixesWithdrawn, MadeRun.branch, 20_060, isDisruptive: false)
        #expect(run.summary["bgp.convergence.count"] == 2)
        #expect(run.summary["bgp.convergence.min"] == 20 && run.summary["bgp.convergence.max"] == 40)
        #expect(run.summary.status == .passed)
    }

    @Test func `a session is down from when it was lost until it stands again, at each end`() {
        func reason(_ run: MadeRun) -> String? { run.summary.expectations[0].reason }
        var run = MadeRun(expectations: [wanted("bgp.sessionDowntime.max", .below(100))])
        for (at, state) in [(100, .connect), (200, .established)] as [(Int64, BGPSessionState)] {
            for node in [0, 1] { run.say(at, node, .sessionState(peer: 0, state)) }
        }
        #expect(reason(run) == "no session ended in this run")
        run.say(20_000, 0, .sessionState(peer: 0, .idle))
        run.say(20_010, 0, .sessionState(peer: 0, .connect))
        #expect(reason(run) == "no session that ended in this run was established again")
        run.say(20_070, 0, .sessionState(peer: 0, .established))
        run.say(20_015, 1, .sessionState(peer: 0, .idle))
        run.say(20_065, 1, .sessionState(peer: 0, .established))
        run.say(30_000, 1, .sessionState(peer: 1, .established))
        #expect(run.summary["bgp.sessionDowntime.count"] == 2)
        #expect(run.summary["bgp.sessionDowntime.min"] == 50 && run.summary["bgp.sessionDowntime.max"] == 70)
        // Who is killed tells of it in its next life, and the other end when it finds out.
        run.incident(.nodeKilled, 1, 25_000, 26_000)
        run.incident(.nodeKilled, 1, 40_000, 45_000)
        run.say(40_300, 0, .sessionState(peer: 0, .idle))
        run.say(45_100, 1, .sessionState(peer: 1, .connect))
        for (node, peer) in [(0, 0), (1, 1)] as [(Int, UInt32)] {
            run.say(45_200, node, .sessionState(peer: peer, .established))
        }
        #expect(run.summary["bgp.sessionDowntime.count"] == 4)
        #expect(run.summary["bgp.sessionDowntime.max"] == 5_200)
        #expect(run.summary["bgp.sessionDowntime.mean"] == 2_555)
    }

    @Test func `what a run cost is there only where the clock was looked at`() {
        var record = MadeRun().record
        record.eventCount = 7
        #expect(RunSummary(record, wallSeconds: nil)["run.speedup"] == nil)
        let summary = RunSummary(record, wallSeconds: 0.5)
        #expect(summary["run.wallSeconds"] == 0.5)
        #expect(summary["run.speedup"] == 120)
        #expect(summary["run.events"] == 7)
        #expect(summary.metrics.all.filter(\.isCost).map(\.name) == ["run.wallSeconds", "run.speedup"])
    }

    @Test func `every metric that a run produces is in the catalogue with the same unit`() {
        var run = FailoverTests.cleanFailover()
        let flow = run.addFlow()
        run.report(flow) {
            $0.meanOpinionScores = [4]
            $0.completionTimes = [.milliseconds(3)]
        }
        run.say(21_000, 0, .bestPathChanged(prefixCount: 2))
        let metrics = run.summary.metrics.all
        #expect(metrics.count == 1 + 14 * 9 - 9 + 3)
        for metric in metrics {
            let known = MetricCatalogue.unit(of: metric.name, trafficNames: ["calls"])
            #expect(known == metric.unit, "\(metric.name)")
        }
    }

    @Test func `the timeline tells what was scripted, what the nodes concluded, and what went wrong`() throws {
        var run = FailoverTests.cleanFailover()
        run.incident(.nodeKilled, MadeRun.headquarters, 50_000)
        run.incident(.linkChanged, MadeRun.linkB, 55_000, 70_000)
        run.say(500, MadeRun.branch, .sessionState(peer: 0, .connect))
        run.say(900, MadeRun.branch, .sessionState(peer: 0, .established))
        run.say(50_300, MadeRun.branch, .sessionState(peer: 0, .idle))
        run.say(50_300, MadeRun.branch, .bestPathChanged(prefixCount: 1))
        run.put(1, 50_310, from: MadeRun.a, to: nil, .failover)
        run.say(50_320, MadeRun.branch, .tunnelState(TunnelID(9), .degraded, .slaViolated))
        run.record.violations = [
            InvariantViolation(kind: .blackhole, at: at(50_000), node: 1, text: "dropped 3 packets"),
            InvariantViolation(kind: .conservation, at: at(60_000), text: "flow 2: 10 sent is not 9 delivered"),
        ]
        let lines = run.summary.timeline.map { entry in
            "\((entry.at - .zero).inMilliseconds) \(entry.kind) \(entry.subject): \(entry.text)\n"
        }
        try expectGolden(lines.joined(), named: "timeline.txt")
    }
}
