import Basics
import Measure
import Scenario
import Telemetry
import Testing
import Traffic

/// Flows over TCP, whose five-tuples the scenario does not know.
struct StreamTests {
    private let connection = FlowKey(0xC0FFEE)

    private func run() -> MadeRun {
        var run = MadeRun(traffic: [
            TrafficEntry(
                name: "backup", application: .fileTransfer(bytes: nil), from: MadeRun.laptop, to: MadeRun.server,
                start: .seconds(2))
        ])
        run.incident(.linkDown, MadeRun.linkA, 20_000, 35_000)
        let flow = run.addFlow(isStream: true)
        run.report(
            flow, usualGap: .milliseconds(8),
            gaps: [
                DeliveryGap(start: at(12_000), end: at(12_400)), DeliveryGap(start: at(20_004), end: at(20_812)),
                DeliveryGap(start: at(28_000), end: at(29_500)),
            ]
        ) { $0.packets = 0 }
        return run
    }

    @Test func `a stream's gap counts where its connection was on the path`() {
        var run = run()
        run.say(2_000, MadeRun.branch, .pathChange(connection, from: nil, to: MadeRun.a, .policy))
        run.say(20_600, MadeRun.branch, .pathChange(connection, from: MadeRun.a, to: MadeRun.b, .failover))
        let summary = run.summary
        #expect(summary["failover.outage.max"] == 800)
        #expect(summary["failover.outage.count"] == 1)
        #expect(summary["failover.packetsLost.max"] == 0)
        // Which flow's connection it is, and whether it had anything to send before, is not known.
        #expect(summary["failover.switchover"] == nil)
        #expect(summary["failover.failbacks"] == nil)
    }

    @Test func `a stream's gap does not count where no connection of its time was on the path`() {
        var run = run()
        // A session of the nodes themselves, older than the traffic.
        run.say(300, MadeRun.branch, .pathChange(FlowKey(0xB69), from: nil, to: MadeRun.a, .policy))
        run.say(2_000, MadeRun.branch, .pathChange(connection, from: nil, to: MadeRun.b, .policy))
        #expect(run.summary["failover.outage"] == nil)
    }

    @Test func `where the nodes say nothing, the longest gap that began in the incident's time counts`() {
        let summary = run().summary
        #expect(summary["failover.outage.max"] == 1_492)
        #expect(summary["failover.outage.count"] == 1)
    }
}
