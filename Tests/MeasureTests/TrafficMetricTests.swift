import Basics
import Measure
import Scenario
import Telemetry
import Testing
import Traffic

struct TrafficMetricTests {
    @Test func `both directions of all flows of an entry are one set, and other entries are kept apart`() throws {
        var run = MadeRun(traffic: [MadeRun.entry("calls"), MadeRun.entry("probe")])
        let flows = [run.addFlow(0), run.addFlow(1), run.addFlow(0)]
        run.packets(flows[0]) { _ in 10 }
        run.packets(flows[0], .backward) { $0 % 2_000 == 0 ? nil : 20 }
        run.packets(flows[1]) { _ in 500 }
        run.packets(flows[2]) { _ in 30 }
        let summary = run.summary
        #expect(summary["traffic.calls.latency.min"] == 10)
        #expect(abs(try #require(summary["traffic.calls.latency.p50"]) - 20) < 20.0 / 512)
        #expect(summary["traffic.calls.latency.max"] == 30)
        // The last packet of two of them is still on its way at the end.
        #expect(summary["traffic.calls.latency.count"] == Double(2_950 + 2_920 + 2_949))
        #expect(summary["traffic.calls.loss.count"] == 3)
        #expect(summary["traffic.calls.loss.min"] == 0)
        #expect(summary["traffic.calls.loss.max"] == 29.0 / 2_949)
        #expect(summary["traffic.probe.latency.p5"] == 500)
        // 160 octets each 20 ms, over 59 s.
        #expect(summary["traffic.calls.goodput.max"] == 64_000)
        #expect(summary["traffic.calls.mos"] == nil)
        #expect(summary["traffic.calls.completionTime"] == nil)
    }

    @Test func `jitter is that of all windows, not of the last packet alone`() throws {
        var run = MadeRun()
        let flow = run.addFlow()
        run.packets(flow) { (10_000..<12_000).contains($0) && $0 % 40 == 0 ? 18 : 10 }
        let summary = run.summary
        #expect(try #require(summary["traffic.calls.jitter.max"]) > 7)
        #expect(try #require(summary["traffic.calls.jitter.p50"]) < 0.001)
        #expect(summary["traffic.calls.jitter.count"] == 590)
    }

    @Test func `the scores of all windows of all calls are one distribution`() throws {
        var run = MadeRun()
        let scores: [[Double]] = [[4.4, 4.3, 1.0], [4.2, 4.1]]
        for list in scores {
            let flow = run.addFlow()
            run.report(flow) { $0.meanOpinionScores = list }
        }
        let summary = run.summary
        #expect(summary["traffic.calls.mos.count"] == 5)
        #expect(summary["traffic.calls.mos.min"] == 1)
        #expect(summary["traffic.calls.mos.p5"] == 1)
        #expect(summary["traffic.calls.mos.p50"] == 4.2)
        #expect(summary["traffic.calls.mos.max"] == 4.4)
        #expect(abs(try #require(summary["traffic.calls.mos"]) - 3.6) < 1e-12)
        #expect(summary.metrics["traffic.calls.mos.p5"]?.unit == .opinionScore)
    }

    @Test func `a call without trouble scores the same in each five seconds`() throws {
        var run = MadeRun()
        let flow = run.addFlow()
        run.packets(flow, isVoice: true) { _ in 10 }
        let summary = run.summary
        #expect(summary["traffic.calls.mos.count"] == 12)
        let least = try #require(summary["traffic.calls.mos.min"])
        #expect(least > 4.3 && least == summary["traffic.calls.mos.max"])
    }

    @Test func `loss, jitter, goodput and scores leave the warm-up out`() throws {
        var run = MadeRun(warmup: .seconds(21))
        let flow = run.addFlow()
        // All is lost for five seconds of the warm-up, and one packet in ten of a second after it.
        run.packets(flow, isVoice: true) { sentAt in
            if (5_000..<10_000).contains(sentAt) { return nil }
            if (30_000..<31_000).contains(sentAt), sentAt % 200 == 0 { return nil }
            return sentAt < 10_000 && sentAt % 40 == 0 ? 25 : 10
        }
        let summary = run.summary
        // 1 950 packets are sent from 21 s on; the one sent at 20 980 ms arrives at 20 990 ms.
        #expect(summary["traffic.calls.loss.max"] == 5.0 / 1_950)
        #expect(try #require(summary["traffic.calls.jitter.max"]) < 0.01)
        #expect(summary["traffic.calls.jitter.count"] == 390)
        #expect(summary["traffic.calls.goodput"] == 1_945 * 160 * 8 / 39.0)
        #expect(summary["traffic.calls.mos.count"] == 8)
        #expect(try #require(summary["traffic.calls.mos.min"]) > 4)
    }

    @Test func `a flow that ended within the warm-up has no loss, and what never arrived behind it has`() throws {
        var run = MadeRun(warmup: .seconds(10))
        let early = run.addFlow()
        run.packets(early, until: 9_000) { $0 % 100 == 0 ? nil : 10 }
        #expect(run.summary["traffic.calls.loss"] == nil)
        let cut = run.addFlow()
        run.packets(cut) { $0 < 35_000 ? 10 : nil }
        let loss = try #require(run.summary["traffic.calls.loss.max"])
        // One packet may still have been on its way.
        #expect(loss == 1_249.0 / 2_499)
    }

    @Test func `where the receiving end says nothing, all is lost`() {
        var run = MadeRun()
        let flow = run.addFlow()
        run.add(
            FlowReport(
                flow: flow, direction: .forward, application: "voip",
                sent: SentReport(packets: 100, bytes: 16_000, firstAt: at(1_000), lastAt: at(3_000))))
        #expect(run.summary["traffic.calls.loss"] == 1)
    }

    @Test func `a stream's goodput is that of the direction which carried the more`() {
        var run = MadeRun(traffic: [
            TrafficEntry(name: "pages", application: .web(bytes: nil), from: MadeRun.laptop, to: MadeRun.server)
        ])
        for pages in [1_000_000, 3_000_000] as [UInt64] {
            let flow = run.addFlow(isStream: true)
            for direction in FlowDirection.allCases {
                run.report(flow, direction) {
                    $0.packets = 0
                    $0.bytes = direction == .forward ? 9_000 : pages
                    $0.activeTime = .seconds(8)
                    if direction == .backward { $0.completionTimes = [.milliseconds(150), .milliseconds(350)] }
                }
            }
        }
        let summary = run.summary
        #expect(summary["traffic.pages.goodput.count"] == 2)
        #expect(summary["traffic.pages.goodput.min"] == 1_000_000)
        #expect(summary["traffic.pages.goodput.max"] == 3_000_000)
        #expect(summary["traffic.pages.completionTime.count"] == 4)
        #expect(summary["traffic.pages.completionTime"] == 250)
        #expect(summary["traffic.pages.loss"] == nil)
        #expect(summary["traffic.pages.latency"] == nil)
    }
}
