import Basics
import Measure
import Results
import Scenario
import Telemetry
import Testing

@Suite struct FailoverTests {
    /// Where calls, in both directions, have something to lose.
    private static let branchFailures = [
        "branch-blackout", "branch-silent-blackout", "branch-brownout", "one-way-loss",
    ]

    @Test func `a silent blackout costs three probes and the way round, and a carrier lost much less`() throws {
        let silent = try Shipped.run("branch-silent-blackout")
        #expect(try silent.metric("failover.outage.max") < 400)
        // Three intervals of 100 ms, the first of them shortened by BFD's jitter.
        #expect(try silent.metric("failover.detection.min") > 150)
        #expect(try silent.metric("failover.detection.max") < 350)
        let carrier = try Shipped.run("branch-blackout")
        #expect(try carrier.metric("failover.outage.max") < 100)
        // The end at the port knows at once, the other one after one way.
        #expect(try carrier.metric("failover.detection.min") == 0)
        #expect(try carrier.metric("failover.detection.max") < 50)
    }

    @Test func `calls leave a brownout within a second`() throws {
        let run = try Shipped.run("branch-brownout")
        #expect(try run.metric("failover.switchover.max") < 1_000)
        #expect(try run.metric("failover.switchover.count") == 22)
        // The step of the delay is a pause of its own: with a loss behind it BFD may give the path up as well.
        let verdicts = run.verdicts(after: .seconds(30), before: .seconds(31))
        #expect(verdicts.count == 2)
        #expect(verdicts.allSatisfy { $0.state == .degraded || $0.state == .down })
    }

    @Test(arguments: branchFailures)
    func `once a path is judged, the next packet goes another way`(_ name: String) throws {
        let run = try Shipped.run(name)
        #expect(try run.metric("failover.reaction.count") == 2)
        #expect(try run.metric("failover.reaction.p50") < 10)
        // The meters send every 2 ms: no node lets even one packet pass.
        #expect(try run.metric("failover.reaction.max") <= 2)
    }

    @Test(arguments: branchFailures + ["lte-backup"])
    func `each flow goes back once, and none is left behind`(_ name: String) throws {
        let run = try Shipped.run(name)
        #expect(try run.metric("failover.strandedFlows") == 0)
        #expect(try run.metric("failover.failbacks.max") == 1)
        let keys = run.datagramFlowKeys
        #expect(keys.count >= 16)
        for key in keys {
            let changes = run.pathChanges(of: key)
            #expect(changes.count == 2, "flow \(key.rawValue)")
            #expect(changes.first?.from == changes.last?.to, "flow \(key.rawValue)")
        }
    }

    @Test func `calls leave a flapping line once and stay away`() throws {
        let run = try Shipped.run("branch-flap")
        #expect(run.record.incidents.count(where: \.isDisruptive) == 12)
        #expect(try run.metric("failover.failbacks.max") == 0)
        for key in run.datagramFlowKeys { #expect(run.pathChanges(of: key).count == 1) }
    }

    @Test func `loss in one direction is judged by both ends, the deaf one first`() throws {
        let run = try Shipped.run("one-way-loss")
        let verdicts = run.verdicts(after: .seconds(25), before: .seconds(26))
        #expect(verdicts.map(\.node) == ["branch", "hq"])
        #expect(verdicts.map(\.state) == [.down, .down])
        #expect(verdicts.map(\.cause) == [.detectionExpired, .neighborSignaled])
        let gap = try #require(verdicts.last).at - #require(verdicts.first).at
        #expect(gap < .milliseconds(30))
        #expect(try run.metric("traffic.meter-up.loss.max") * 3 < run.metric("traffic.meter-down.loss.max"))
    }

    @Test func `after a restart tunnels, BGP and calls are back within half a second`() throws {
        let run = try Shipped.run("node-restart")
        let back = Instant.zero + .seconds(32)
        let established = run.record.telemetry.filter { entry in
            guard case .sessionState(_, .established) = entry.record else { return false }
            return entry.at > back
        }
        #expect(established.count == 2)
        #expect(established.allSatisfy { $0.at - back < .milliseconds(500) })
        #expect(try run.metric("failover.outage.max") < 2_500)
    }

    @Test func `a full queue ruins the calls behind it alone`() throws {
        let run = try Shipped.run("bufferbloat")
        let bloated = try run.metric("traffic.calls-droptail.latency.p95")
        for spared in ["fq-codel", "steered"] {
            #expect(try run.metric("traffic.calls-\(spared).latency.p95") * 20 < bloated)
            #expect(try run.metric("traffic.calls-\(spared).mos.p5") > 4.3)
        }
        #expect(try run.metric("traffic.calls-droptail.mos.p5") < 1.5)
        // The branch whose uplink is full is the one that leaves it, once the upload, which has left slow start before,
        // has filled the queue; a kernel's TCP takes 3.1 s to that.
        let move = try #require(run.summary.timeline.first { $0.kind == "path" })
        #expect(move.subject == "steered")
        #expect(move.at - .zero < .milliseconds(23_500))
    }

    @Test func `an expectation on a failover that did not happen fails, and says why`() throws {
        var scenario = try Shipped.scenario("branch-silent-blackout")
        scenario.events = []
        let calm = try ScenarioRun(scenario)
        #expect(calm.summary.status == .failed)
        let failover = calm.summary.expectations.filter { $0.expectation.metric.hasPrefix("failover.") }
        #expect(failover.count == 6)
        for result in failover {
            #expect(!result.passed && result.value == nil)
            #expect(result.reason == "nothing failed in this run, so there was no failover to measure")
        }
        #expect(calm.summary.expectations.filter { $0.passed }.count == 3)
    }
}

extension ScenarioRun {
    struct Verdict {
        let at: Instant
        let node: String
        let state: TunnelState
        let cause: ChangeCause
    }

    struct PathChange {
        let from: TunnelID?
        let to: TunnelID?
    }

    /// What the nodes concluded on tunnels in a span of the run.
    func verdicts(after start: Interval, before end: Interval) -> [Verdict] {
        record.telemetry.compactMap { entry in
            guard case .tunnelState(_, let state, let cause) = entry.record, entry.at >= .zero + start,
                entry.at < .zero + end
            else { return nil }
            let node = record.scenario.topology.nodes[entry.node].name
            return Verdict(at: entry.at, node: node, state: state, cause: cause)
        }
    }

    /// Both directions of calls and meters.
    var datagramFlowKeys: [FlowKey] {
        record.flows.flatMap { flow in
            let isMeter = record.scenario.traffic[flow.entry].name.hasPrefix("meter")
            return [flow.forwardKey, isMeter ? nil : flow.reverseKey].compactMap { $0 }
        }
    }

    /// Where a flow was moved after it had been placed.
    func pathChanges(of flow: FlowKey) -> [PathChange] {
        record.telemetry.compactMap { entry in
            guard case .pathChange(flow, let from, let to, _) = entry.record, from != nil else { return nil }
            return PathChange(from: from, to: to)
        }
    }
}
