import Basics
import Measure
import Scenario
import Telemetry
import Testing
import Traffic

/// Which incident trouble belongs to.
struct IncidentTests {
    @Test func `where nothing failed, an expectation of a failover fails and says so`() throws {
        var run = MadeRun(expectations: [wanted("failover.outage.max", .below(300))])
        run.incident(.linkChanged, MadeRun.linkA, 20_000, isDisruptive: false)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_000, from: MadeRun.a, to: MadeRun.b, .failover)
        run.report(flow, gaps: [DeliveryGap(start: at(19_990), end: at(20_330), packetsLost: 15)])
        let summary = run.summary
        #expect(!summary.metrics.all.contains { $0.name.hasPrefix("failover.") })
        #expect(summary.failovers.isEmpty)
        let result = try #require(summary.expectations.first)
        #expect(!result.passed)
        #expect(result.value == nil)
        #expect(result.unit == .milliseconds)
        #expect(result.reason == "nothing failed in this run, so there was no failover to measure")
        #expect(summary.status == .failed)
    }

    @Test func `an incident that hit nothing is told from one that was not there`() throws {
        var run = MadeRun(expectations: [wanted("failover.switchover.max", .below(300))])
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.b)
        run.report(flow)
        let summary = run.summary
        #expect(!summary.metrics.all.contains { $0.name.hasPrefix("failover.") })
        let outcome = try #require(summary.failovers.first)
        #expect(!outcome.wasExercised)
        let result = try #require(summary.expectations.first)
        #expect(!result.passed)
        #expect(result.reason == "what failed hit no flow and no path, so there was no failover to measure")
    }

    @Test func `a failure that was noticed but moved nothing is no switchover`() throws {
        var run = MadeRun(
            expectations: ["failover.switchover.max", "failover.outage", "failover.detection"].map {
                wanted($0, .below(300))
            })
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        run.say(20_100, MadeRun.branch, .tunnelState(MadeRun.a, .down, .portDown))
        let summary = run.summary
        #expect(summary.expectations.map(\.passed) == [false, false, true])
        #expect(
            summary.expectations.map(\.reason) == [
                "no flow was moved to another path, so there was no failover to measure",
                "what failed hit no flow, so there was no failover to measure", nil,
            ])
        #expect(summary["failover.strandedFlows"] == 0)
    }

    @Test func `of two incidents in a row each has the gap, the verdict and the move on its own path`() throws {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        run.incident(.linkDown, MadeRun.linkB, 20_700, 22_000)
        run.say(20_100, MadeRun.branch, .tunnelState(MadeRun.a, .down, .portDown))
        run.say(20_950, MadeRun.branch, .tunnelState(MadeRun.b, .down, .detectionExpired))
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_120, from: MadeRun.a, to: MadeRun.b, .failover)
        run.put(flow, 20_960, from: MadeRun.b, to: nil, .failover)
        run.put(flow, 22_500, to: MadeRun.b, .sessionUp)
        run.report(
            flow,
            gaps: [
                DeliveryGap(start: at(19_990), end: at(20_150), packetsLost: 6),
                DeliveryGap(start: at(20_720), end: at(22_530), packetsLost: 13),
            ])
        let outcomes = run.summary.failovers
        try #require(outcomes.count == 2)
        #expect(outcomes[0].detections == [.milliseconds(100)])
        #expect(outcomes[1].detections == [.milliseconds(250)])
        #expect(outcomes[0].switchovers == [.milliseconds(120)])
        #expect(outcomes[1].switchovers.isEmpty)
        #expect(outcomes.map { $0.impacts.map(\.outage) } == [[.milliseconds(140)], [.milliseconds(1_790)]])
        #expect(outcomes.map { $0.impacts.map(\.packetsLost) } == [[6], [13]])
    }

    @Test func `a gap that a second incident finds under way stays the first one's`() throws {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        run.incident(.linkDown, 2, 20_200)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_300, from: MadeRun.a, to: MadeRun.b, .failover)
        run.report(flow, gaps: [DeliveryGap(start: at(19_990), end: at(20_330), packetsLost: 15)])
        let outcomes = run.summary.failovers
        #expect(outcomes.map { $0.impacts.map(\.outage) } == [[.milliseconds(320)], [.zero]])
        #expect(outcomes.map { $0.impacts.map(\.packetsLost) } == [[15], [0]])
        // Both hit the path that was left; the later one is the one answered.
        #expect(outcomes.map(\.switchovers) == [[], [.milliseconds(100)]])
    }

    @Test func `a flap hits a flow each time that it is on the path, and failback happens once`() {
        var run = MadeRun()
        for number in 0..<5 as Range<Int64> {
            run.incident(.linkDown, MadeRun.linkA, 20_000 + 2_500 * number, 20_500 + 2_500 * number)
        }
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_300, from: MadeRun.a, to: MadeRun.b, .failover)
        run.put(flow, 24_900, from: MadeRun.b, to: MadeRun.a, .failback)
        run.put(flow, 25_200, from: MadeRun.a, to: MadeRun.b, .failover)
        run.put(flow, 50_000, from: MadeRun.b, to: MadeRun.a, .failback)
        run.report(
            flow,
            gaps: [
                DeliveryGap(start: at(19_990), end: at(20_330), packetsLost: 15),
                DeliveryGap(start: at(24_990), end: at(25_230), packetsLost: 10),
            ])
        let summary = run.summary
        #expect(summary.failovers.map { $0.impacts.count } == [1, 0, 1, 0, 0])
        #expect(summary["failover.outage.min"] == 220)
        #expect(summary["failover.outage.max"] == 320)
        #expect(summary["failover.switchover.count"] == 2)
        #expect(summary.failovers.map(\.failbackCounts) == [[1], [], [1], [], []])
        #expect(summary["failover.failbacks.max"] == 1)
    }

    @Test func `a flow that goes to and fro after one incident has more than one failback`() {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000, 21_000)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_300, from: MadeRun.a, to: MadeRun.b, .failover)
        for second in 0..<3 as Range<Int64> {
            run.put(flow, 30_000 + 4_000 * second, from: MadeRun.b, to: MadeRun.a, .failback)
            run.put(flow, 32_000 + 4_000 * second, from: MadeRun.a, to: MadeRun.b, .slaViolated)
        }
        run.report(flow)
        let summary = run.summary
        #expect(summary["failover.failbacks.max"] == 3)
        #expect(summary["failover.switchover.count"] == 1)
        #expect(summary.failovers.map(\.failbacks) == [1])
    }

    @Test func `a node's kill hits its tunnels and its site's flows, and the dead detect nothing`() throws {
        var run = MadeRun()
        run.incident(.nodeKilled, MadeRun.headquarters, 30_000, 32_000)
        run.say(30_300, MadeRun.branch, .tunnelState(MadeRun.a, .down, .detectionExpired))
        run.say(30_310, MadeRun.branch, .tunnelState(MadeRun.b, .down, .detectionExpired))
        run.say(32_200, MadeRun.headquarters, .tunnelState(MadeRun.a, .down, .neighborSignaled))
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 30_300, from: MadeRun.a, to: MadeRun.b, .failover)
        run.put(flow, 30_320, from: MadeRun.b, to: nil, .failover)
        run.report(flow, gaps: [DeliveryGap(start: at(29_990), end: at(33_010), packetsLost: 150)])
        let reverse = MadeRun.key(flow, .backward)
        run.say(1_000, MadeRun.headquarters, .pathChange(reverse, from: nil, to: MadeRun.a, .policy))
        run.say(32_500, MadeRun.headquarters, .pathChange(reverse, from: nil, to: MadeRun.a, .policy))
        run.report(flow, .backward, gaps: [DeliveryGap(start: at(29_995), end: at(32_515), packetsLost: 125)])
        let outcome = try #require(run.summary.failovers.first)
        #expect(outcome.detections == [.milliseconds(300)])
        #expect(outcome.reactions == [.zero])
        #expect(outcome.impacts.map(\.outage) == [.milliseconds(3_000), .milliseconds(2_500)])
        #expect(outcome.impacts.map(\.packetsLost) == [150, 125])
        #expect(outcome.impacts.map(\.switchover) == [.milliseconds(300), nil])
    }

    @Test func `a link inside the underlay hits the tunnels whose way leads over it, and no others`() throws {
        // Nodes: x, y, z, then the routers n, s, e; tunnels x>y, x>z, y>z.
        var run = MadeRun(
            Scenario(
                name: "core", topology: MadeRun.triangle, duration: .seconds(60),
                traffic: [
                    TrafficEntry(name: "xy", application: .voip, from: 6, to: 7),
                    TrafficEntry(name: "xz", application: .voip, from: 6, to: 8),
                    TrafficEntry(name: "yz", application: .voip, from: 7, to: 8),
                ]))
        #expect(run.record.tunnels.map(\.name) == ["x:eth0>y:eth0", "x:eth0>z:eth0", "y:eth0>z:eth0"])
        run.incident(.linkChanged, 3, 25_000, 35_000)
        run.incident(.nodeKilled, 5, 40_000, 41_000)
        for tunnel in 0..<3 {
            let flow = run.addFlow(tunnel)
            let node = tunnel == 2 ? 1 : 0
            let id = TunnelID(place: tunnel)
            run.say(1_000, node, .pathChange(MadeRun.key(flow, .forward), from: nil, to: id, .policy))
            run.say(25_300 + Int64(tunnel), node, .tunnelState(id, .down, .detectionExpired))
            run.report(
                flow,
                gaps: [
                    DeliveryGap(start: at(24_990), end: at(25_990), packetsLost: 50),
                    DeliveryGap(start: at(39_990), end: at(40_490), packetsLost: 25),
                ])
        }
        let outcomes = run.summary.failovers
        #expect(outcomes.map { $0.impacts.map(\.flow) } == [[1, 3], [2, 3]])
        #expect(outcomes[0].detections == [.milliseconds(300), .milliseconds(302)])
        #expect(outcomes[1].impacts.map(\.packetsLost) == [25, 25])
    }

    @Test func `a host's own link hits its flows on whatever path they are`() throws {
        var run = MadeRun()
        let link = try #require(run.record.scenario.topology.links.firstIndex { $0.first.node == MadeRun.laptop })
        run.incident(.linkDown, link, 20_000, 21_000)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.b)
        run.report(flow, gaps: [DeliveryGap(start: at(19_990), end: at(21_010), packetsLost: 50)])
        let summary = run.summary
        #expect(summary["failover.outage.max"] == 1_000)
        #expect(summary["failover.detection"] == nil)
    }
}
