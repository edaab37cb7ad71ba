import Basics
import Measure
import Scenario
import Telemetry
import Testing
import Traffic

struct StrandedFlowTests {
    @Test func `a flow that never hears anything again is stranded, both directions together once`() throws {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 50_000)
        let dead = run.addFlow()
        for direction in FlowDirection.allCases {
            run.put(dead, 1_000, direction, to: MadeRun.a)
            run.packets(dead, direction) { $0 < 50_000 ? 10 : nil }
        }
        let stopped = run.addFlow()
        run.put(stopped, 1_000, to: MadeRun.a)
        run.packets(stopped, until: 50_000) { _ in 10 }
        let summary = run.summary
        #expect(summary["failover.strandedFlows"] == 1)
        // The sender was cut off from 50 s to its end at 60 s; the last arrival was at 49 990 ms.
        #expect(summary["failover.outage.max"] == 9_990)
        #expect(summary["failover.outage.count"] == 2)
        #expect(try #require(summary["failover.packetsLost.max"]) >= 499)
    }

    @Test func `a flow that stays on the backup a minute after its like went back is stranded`() {
        var run = MadeRun(end: at(200_000))
        run.incident(.linkDown, MadeRun.linkA, 20_000, 30_000)
        for number in 0..<3 {
            let flow = run.addFlow()
            run.put(flow, 1_000, to: MadeRun.a)
            run.put(flow, 20_100, from: MadeRun.a, to: MadeRun.b, .failover)
            if number == 0 { run.put(flow, 90_000, from: MadeRun.b, to: MadeRun.a, .failback) }
            if number == 1 { run.put(flow, 149_000, from: MadeRun.b, to: MadeRun.a, .failback) }
            var sent = SentReport(packets: 9_000, bytes: 900_000, firstAt: at(1_000), lastAt: at(199_000))
            sent.windows = []
            var received = ReceivedReport(packets: 9_000, bytes: 900_000, lost: 0)
            received.expected = 9_000
            received.measuredAt = at(200_000)
            received.lastArrival = at(199_010)
            run.add(
                FlowReport(flow: flow, direction: .forward, application: "voip", sent: sent, received: received))
        }
        let summary = run.summary
        #expect(summary["failover.strandedFlows"] == 1)
        #expect(summary.failovers.first?.impacts.map(\.isStranded) == [false, false, true])
    }
}
