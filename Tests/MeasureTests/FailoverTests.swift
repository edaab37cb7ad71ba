import Basics
import Measure
import Scenario
import Telemetry
import Testing
import Traffic

/// One incident, and what the flows on the path felt.
struct FailoverTests {
    /// Four calls on a; its carrier is gone from 20 s to 35 s, and flow n is moved 20 ms after flow n - 1.
    static func cleanFailover() -> MadeRun {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000, 35_000)
        run.say(20_050, MadeRun.branch, .tunnelState(MadeRun.a, .down, .portDown))
        run.say(20_070, MadeRun.headquarters, .tunnelState(MadeRun.a, .down, .neighborSignaled))
        run.say(20_090, MadeRun.headquarters, .tunnelState(MadeRun.a, .down, .detectionExpired))
        run.say(36_000, MadeRun.branch, .tunnelState(MadeRun.a, .up, .sessionUp))
        for number in 0..<4 as Range<Int64> {
            let flow = run.addFlow()
            for (direction, first) in [(FlowDirection.forward, Int64(20_100)), (.backward, 20_120)] {
                let moved = first + 20 * number
                run.put(flow, 1_000, direction, to: MadeRun.a)
                run.put(flow, moved, direction, from: MadeRun.a, to: MadeRun.b, .failover)
                run.put(flow, 40_000, direction, from: MadeRun.b, to: MadeRun.a, .failback)
                run.packets(flow, direction) { sentAt in
                    if sentAt >= 20_000, sentAt < moved { return nil }
                    return sentAt >= moved && sentAt < 40_000 ? 30 : 10
                }
            }
        }
        return run
    }

    @Test func `a clean failover is measured to the millisecond`() {
        let summary = Self.cleanFailover().summary
        // The last packet before came at 19 990 ms, the first by b comes 30 ms after its flow was moved.
        let forward: [Double] = [120, 140, 160, 180]
        let outages = forward + forward.map { $0 + 20 }
        #expect(summary["failover.outage.min"] == 120)
        #expect(summary["failover.outage.max"] == 200)
        #expect(summary["failover.outage"] == outages.reduce(0, +) / 8)
        #expect(summary["failover.outage.count"] == 8)
        #expect(summary["failover.detection.min"] == 50)
        #expect(summary["failover.detection.max"] == 70)
        #expect(summary["failover.detection.count"] == 2)
        #expect(summary["failover.reaction.min"] == 50)
        #expect(summary["failover.reaction.max"] == 50)
        #expect(summary["failover.switchover.min"] == 100)
        #expect(summary["failover.switchover.max"] == 180)
        #expect(summary["failover.switchover.count"] == 8)
        #expect(summary["failover.packetsLost.min"] == 5)
        #expect(summary["failover.packetsLost.max"] == 9)
        #expect(summary["failover.failbacks.min"] == 1)
        #expect(summary["failover.failbacks.max"] == 1)
        #expect(summary["failover.failbacks.count"] == 8)
        #expect(summary["failover.strandedFlows"] == 0)
        #expect(summary.status == .passed)
    }

    @Test func `the outcome names each flow's direction with its own figures`() throws {
        let outcome = try #require(Self.cleanFailover().summary.failovers.first)
        let impact = try #require(outcome.impacts.first { $0.flow == 3 && $0.direction == .backward })
        #expect(impact.outage == .milliseconds(180))
        #expect(impact.packetsLost == 8)
        #expect(impact.switchover == .milliseconds(160))
        #expect(!impact.isStranded)
        #expect(outcome.failbacks == 8)
        #expect(outcome.detections == [.milliseconds(50), .milliseconds(70)])
        #expect(outcome.reactions == [.milliseconds(50), .milliseconds(50)])
    }

    @Test func `only losses from just before the incident until a second after the switch are its own`() throws {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000, 35_000)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_100, from: MadeRun.a, to: MadeRun.b, .failover)
        // 20 500 ms is within a second of the switch; the others are other things' work.
        let single: Set<Int64> = [5_000, 19_900, 20_500, 21_300, 50_000]
        run.packets(flow) { sentAt in
            single.contains(sentAt) || (sentAt >= 20_000 && sentAt < 20_100) ? nil : 10
        }
        let summary = run.summary
        #expect(summary["failover.packetsLost.max"] == 6)
        #expect(summary["failover.packetsLost.count"] == 1)
        #expect(try #require(summary["traffic.calls.loss.max"]) == 10.0 / 2_950)
    }

    @Test func `a flow on another path is not hit, whatever gaps and moves it has`() {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000, 35_000)
        let hit = run.addFlow()
        run.put(hit, 1_000, to: MadeRun.a)
        run.put(hit, 20_300, from: MadeRun.a, to: MadeRun.b, .failover)
        run.report(hit, gaps: [DeliveryGap(start: at(19_990), end: at(20_330), packetsLost: 15)])
        let other = run.addFlow()
        run.put(other, 1_000, to: MadeRun.b)
        // The flows that came over from a congest b.
        run.put(other, 24_000, from: MadeRun.b, to: MadeRun.a, .slaViolated)
        run.report(other, gaps: [DeliveryGap(start: at(20_400), end: at(22_000), packetsLost: 80)])
        let summary = run.summary
        #expect(summary["failover.outage.count"] == 1)
        #expect(summary["failover.outage.max"] == 320)
        #expect(summary["failover.packetsLost.max"] == 15)
        #expect(summary["failover.switchover.count"] == 1)
        #expect(summary["failover.switchover.max"] == 300)
    }

    @Test func `a gap or a move long after the failover is not the incident's`() {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.put(flow, 20_100, from: MadeRun.a, to: MadeRun.b, .failover)
        run.put(flow, 45_000, from: MadeRun.b, to: MadeRun.a, .slaViolated)
        run.report(
            flow,
            gaps: [
                DeliveryGap(start: at(10_000), end: at(11_000), packetsLost: 1),
                DeliveryGap(start: at(19_990), end: at(20_130), packetsLost: 5),
                DeliveryGap(start: at(30_000), end: at(34_000), packetsLost: 200),
            ])
        let summary = run.summary
        #expect(summary["failover.outage.max"] == 120)
        #expect(summary["failover.packetsLost.max"] == 5)
        #expect(summary["failover.switchover.count"] == 1)
        #expect(summary["failover.failbacks.max"] == 0)
    }

    @Test func `a flow's first path is no change, and the path it is put on after none is the new one`() {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000)
        let waits = run.addFlow()
        run.put(waits, 1_000, to: MadeRun.a)
        run.put(waits, 20_100, from: MadeRun.a, to: nil, .failover)
        run.put(waits, 23_000, to: MadeRun.b, .sessionUp)
        let comesBack = run.addFlow()
        run.put(comesBack, 1_000, to: MadeRun.a)
        run.put(comesBack, 20_100, from: MadeRun.a, to: nil, .failover)
        run.put(comesBack, 24_000, to: MadeRun.a, .sessionUp)
        let new = run.addFlow()
        run.put(new, 21_000, to: MadeRun.b)
        let summary = run.summary
        #expect(summary["failover.switchover.count"] == 1)
        #expect(summary["failover.switchover.max"] == 3_000)
    }

    @Test func `a brownout counts for flows that it moved or silenced, with what they lost until then`() throws {
        var run = MadeRun()
        run.incident(.linkChanged, MadeRun.linkA, 30_000, 50_000)
        run.say(30_400, MadeRun.branch, .tunnelState(MadeRun.a, .degraded, .slaViolated))
        let moved = run.addFlow()
        run.put(moved, 1_000, to: MadeRun.a)
        run.put(moved, 30_420, from: MadeRun.a, to: MadeRun.b, .slaViolated)
        let patient = run.addFlow()
        run.put(patient, 1_000, to: MadeRun.a)
        for flow in [moved, patient] {
            // Every tenth packet is lost on a; two in a row are no gap.
            run.packets(flow) { sentAt in
                let isOnA = flow == patient || sentAt < 30_420
                if isOnA, sentAt >= 30_000, sentAt < 50_000, sentAt % 200 == 0 { return nil }
                return isOnA ? 10 : 30
            }
        }
        let summary = run.summary
        #expect(summary["failover.outage.count"] == 1)
        #expect(summary["failover.outage.max"] == 0)
        // Those sent at 30 000, 30 200 and 30 400 ms.
        #expect(summary["failover.packetsLost.max"] == 3)
        #expect(summary["failover.detection.max"] == 400)
        #expect(summary["failover.reaction.max"] == 20)
        #expect(summary["failover.switchover.max"] == 420)
    }

    @Test func `a link that was down for less than a gap still cost the flow on it what it lost`() {
        var run = MadeRun()
        run.incident(.linkDown, MadeRun.linkA, 20_000, 20_030)
        let flow = run.addFlow()
        run.put(flow, 1_000, to: MadeRun.a)
        run.packets(flow) { sentAt in (20_000..<20_030).contains(sentAt) || sentAt == 30_000 ? nil : 10 }
        let summary = run.summary
        #expect(summary["failover.outage.max"] == 0)
        #expect(summary["failover.packetsLost.max"] == 2)
        #expect(summary["failover.switchover"] == nil)
    }
}
