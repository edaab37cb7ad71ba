import Basics
import Measure
import Results
import Scenario
import Telemetry
import TestKit
import Traffic
import Wire

/// A made-up but plausible run: one of two tunnels goes dark at 20 s of 60 s and comes back 15 s later,
/// while ten calls and a transfer are under way; later the other tunnel gets slow.
struct SampleRun {
    static let end = Instant.zero + .seconds(60)
    static let dark = Instant.zero + .seconds(20)
    static let light = Instant.zero + .seconds(35)
    /// When the first node notices, and when flows go back.
    static let noticed = dark + .milliseconds(312)
    static let back = Instant.zero + .seconds(45)
    static let slow = Instant.zero + .seconds(50)

    var record: RunRecord
    private var random: SeededRandom

    /// The results of that run.
    static func results(
        seed: UInt64 = 42, name: String = "branch-blackout", wallSeconds: Double? = 1.25, callCount: Int = 10
    ) -> RunResults {
        let record = SampleRun(seed: seed, name: name, callCount: callCount).record
        return RunResults(
            record: record, summary: RunSummary(record, wallSeconds: wallSeconds),
            inputs: [.init(path: "scenarios/branch-blackout.json", bytes: Array("{}\n".utf8))], version: "0.1.0",
            wallSeconds: wallSeconds)
    }

    /// The same without flows: what is concluded from it hangs on nothing but telemetry.
    static func quietResults(
        wallSeconds: Double? = 1.25, _ change: (inout RunRecord) -> Void = { _ in }
    ) -> RunResults {
        var results = results(wallSeconds: wallSeconds, callCount: 1)
        results.record.flowReports = []
        change(&results.record)
        results.summary = RunSummary(results.record, wallSeconds: wallSeconds)
        return results
    }

    init(seed: UInt64, name: String, callCount: Int) {
        random = SeededRandom(seed: seed)
        record = RunRecord(
            scenario: Self.scenario(name, callCount: callCount), seed: seed, backend: "sim", end: Self.end)
        record.incidents = [
            Incident(
                kind: .linkDown, event: 0, label: "blackout of wan-a", subject: 0, start: Self.dark, end: Self.light,
                isDisruptive: true),
            Incident(
                kind: .linkChanged, event: 1, label: "wan-b slow", subject: 1, start: Self.slow,
                end: Self.slow + .seconds(6), isDisruptive: false),
        ]
        addFlows(callCount: callCount)
        addTelemetry(callCount: callCount)
        addAccounts()
    }

    private static func scenario(_ name: String, callCount: Int) -> Scenario {
        let nodes = [
            TopologyNode(
                name: "hq", kind: .patronus, autonomousSystem: 65_001,
                lan: [IPPrefix("10.1.0.0/16")].compactMap(\.self),
                role: "hub"),
            TopologyNode(
                name: "branch", kind: .patronus, autonomousSystem: 65_002,
                lan: [IPPrefix("10.2.0.0/16")].compactMap(\.self)),
            TopologyNode(name: "isp-a", kind: .router), TopologyNode(name: "isp-b", kind: .router),
            TopologyNode(name: "server", kind: .host, attachment: 0),
            TopologyNode(name: "laptop", kind: .host, attachment: 1),
        ]
        var settings = LinkSettings()
        settings.rate = .megabits(50)
        settings.delay = .milliseconds(12)
        let links = [
            LinkDeclaration(EndDeclaration(1, port: "wan-a"), EndDeclaration(2), forward: settings),
            LinkDeclaration(EndDeclaration(1, port: "wan-b"), EndDeclaration(3), forward: settings),
            LinkDeclaration(EndDeclaration(0, port: "wan-a"), EndDeclaration(2), forward: settings),
            LinkDeclaration(EndDeclaration(0, port: "wan-b"), EndDeclaration(3), forward: settings),
        ]
        return Scenario(
            name: name, description: "wan-a goes dark under ten calls and a transfer",
            topology: Topology(name: "dual-isp-branch", nodes: nodes, links: links), seed: 42,
            duration: .seconds(60), warmup: .seconds(2),
            traffic: [
                TrafficEntry(name: "calls", application: .voip, from: 5, to: 4, flows: callCount, start: .seconds(2)),
                TrafficEntry(
                    name: "backup", application: .fileTransfer(bytes: ByteCount(60_000_000)), from: 5, to: 4,
                    start: .seconds(5)),
            ],
            events: [
                ScriptedEvent(
                    at: .seconds(20), label: "blackout of wan-a",
                    kind: .linkDown(link: 0, directions: .both, lasting: .seconds(15))),
                ScriptedEvent(
                    at: .seconds(50), label: "wan-b slow",
                    kind: .linkSet(link: 1, directions: .both, changes: settings, over: .seconds(6))),
            ],
            expectations: [
                Expectation(metric: "failover.outage.max", condition: .below(500), limitText: "500ms"),
                Expectation(metric: "traffic.calls.mos.p5", condition: .atLeast(4.2), limitText: "4.2"),
                Expectation(metric: "bgp.convergence.max", condition: .between(1, 50), limitText: "1ms to 50ms"),
                Expectation(metric: "invariants.violations", condition: .equals(0), limitText: "0"),
            ])
    }
}

// MARK: Traffic

extension SampleRun {
    /// The latency of a packet sent at `at`; nil where it is lost.
    private mutating func latency(at: Instant, flow: UInt32) -> Interval? {
        let moved = Self.noticed + .milliseconds(Int64(flow))
        if at >= Self.dark, at < moved { return nil }
        let isOnB = at >= moved && at < Self.back + .milliseconds(Int64(flow) * 3)
        if random.below(1_000) < (isOnB ? 6 : 2) { return nil }
        let base = Interval.milliseconds(isOnB ? 39 : 15)
        return base + .microseconds(Int64(random.below(1_400)) + Int64(random.below(1_400)))
    }

    private mutating func addFlows(callCount: Int) {
        var halves: [FlowReport] = []
        for number in 1...UInt32(callCount) {
            record.flows.append(
                FlowDescription(
                    number: number, entry: 0, forwardKey: FlowKey(UInt64(number) << 8),
                    reverseKey: FlowKey(UInt64(number) << 8 | 1)))
            for direction in FlowDirection.allCases { halves.append(call(number, direction)) }
        }
        let transfer = UInt32(callCount) + 1
        record.flows.append(
            FlowDescription(number: transfer, entry: 1, forwardKey: FlowKey(UInt64(transfer) << 8)))
        halves.append(self.transfer(transfer))
        record.flowReports = FlowReport.merged(halves)
    }

    private mutating func call(_ number: UInt32, _ direction: FlowDirection) -> FlowReport {
        let start = Instant.zero + .seconds(2) + .milliseconds(Int64(number) * 7)
        var sender = SendMeter(duration: .seconds(60))
        var receiver = FlowMeter(
            .init(start: start, stop: Self.end, evenGap: .milliseconds(20), isVoice: true))
        var at = start
        var sequence: UInt32 = 0
        while at < Self.end {
            sender.send(byteCount: 172, at: at)
            if let latency = latency(at: at, flow: number), at + latency < Self.end {
                receiver.receive(sequence, sentAt: at, byteCount: 172, at: at + latency)
            }
            sequence += 1
            at += .milliseconds(20)
        }
        return FlowReport(
            flow: number, direction: direction, application: "voip", sent: sender.report(),
            received: receiver.report(at: Self.end, overStreams: false))
    }

    private mutating func transfer(_ number: UInt32) -> FlowReport {
        let start = Instant.zero + .seconds(5)
        var sender = SendMeter(duration: .seconds(60))
        var receiver = FlowMeter(.init(start: start, stop: Self.end))
        receiver.beginTransfer(at: start)
        var at = start
        var left = 60_000_000
        while left > 0, at < Self.end {
            let isOnB = at >= Self.noticed && at < Self.back
            let isStalled = at >= Self.dark && at < Self.dark + .milliseconds(900)
            // Slow start on both paths, then the rate of the path with some noise.
            let since = isOnB ? at - Self.noticed : at - start
            let ceiling = (isOnB ? 9_000 : 21_000) + Int(random.below(1_800))
            let chunk = min(left, min(ceiling, 800 + Int(since.inMilliseconds * 14)))
            if !isStalled {
                sender.send(streamByteCount: chunk, at: at)
                receiver.receive(streamByteCount: chunk, at: at + .milliseconds(17))
                left -= chunk
            }
            at += .milliseconds(10)
        }
        receiver.endTransfer(completionTime: at - start, at: at + .milliseconds(17))
        return FlowReport(
            flow: number, direction: .forward, application: "fileTransfer", sent: sender.report(),
            received: receiver.report(at: Self.end, overStreams: true))
    }
}

// MARK: Telemetry and accounts

extension SampleRun {
    private mutating func addTelemetry(callCount: Int) {
        var records: [TimedRecord] = []
        func say(_ at: Instant, _ node: Int, _ record: TelemetryRecord) {
            records.append(TimedRecord(at: at, node: node, record: record))
        }
        let (a, b) = (TunnelID(0), TunnelID(1))
        for node in 0...1 {
            let skew = Interval.milliseconds(Int64(node) * 11)
            for tunnel in [a, b] { say(.zero + .milliseconds(350) + skew, node, .tunnelState(tunnel, .up, .started)) }
            say(Self.noticed + skew, node, .tunnelState(a, .down, .detectionExpired))
            say(Self.light + .milliseconds(240) + skew, node, .tunnelState(a, .up, .sessionUp))
            say(Self.slow + .seconds(2) + skew, node, .tunnelState(b, .degraded, .slaViolated))
            say(Self.slow + .seconds(8) + skew, node, .tunnelState(b, .up, .slaMet))
        }
        for flow in record.flows {
            for (node, key) in [(1, flow.forwardKey), (0, flow.reverseKey)] {
                guard let key else { continue }
                let start = Instant.zero + (flow.entry == 0 ? .seconds(2) : .seconds(5))
                let skew = Interval.milliseconds(Int64(flow.number) + (node == 0 ? 11 : 0))
                say(start + skew, node, .pathChange(key, from: nil, to: a, .started))
                say(Self.noticed + skew, node, .pathChange(key, from: a, to: b, .failover))
                say(Self.back + skew * 3, node, .pathChange(key, from: b, to: a, .failback))
            }
        }
        var at = Instant.zero + .milliseconds(500)
        while at < Self.end {
            for node in 0...1 {
                if at < Self.dark || at > Self.light { say(at, node, .pathSample(a, sample(base: 15_000, at: at))) }
                let base: UInt64 = at > Self.slow && at < Self.slow + .seconds(6) ? 95_000 : 39_000
                say(at, node, .pathSample(b, sample(base: base, at: at)))
            }
            at += .milliseconds(100)
        }
        say(.zero + .milliseconds(120), 0, .sessionState(peer: 0, .established))
        say(Self.noticed + .milliseconds(30), 0, .bestPathChanged(prefixCount: 1))
        let order = records.indices.sorted { (records[$0].at, $0) < (records[$1].at, $1) }
        record.telemetry = order.map { records[$0] }
    }

    private mutating func sample(base: UInt64, at: Instant) -> PathSample {
        let latency = Interval.microseconds(Int64(base + random.below(2_000)))
        return PathSample(
            latency: latency, roundTrip: latency * 2, jitter: .microseconds(Int64(200 + random.below(400))),
            lossReceived: Ratio(base > 90_000 ? 0.04 : 0), lossSent: Ratio(0))
    }

    private mutating func addAccounts() {
        for direction in LinkDirection.allCases {
            var account = LinkAccount(link: 0, direction: direction)
            account.offered = 60_000
            account.offeredBytes = 61_000_000
            account.dropped[Int(DropCause.loss.rawValue)] = 118
            account.dropped[Int(DropCause.linkDown.rawValue)] = 302
            account.inFlight = 2
            account.delivered = 60_000 - 118 - 302 - 2
            account.deliveredBytes = 60_571_000
            record.links.append(account)
        }
        record.conservation = [
            ConservationAccount(
                key: FlowKey(0x100), sent: 2_900, duplicated: 0, delivered: 2_871, inFlight: 1, dropped: dropped(28))
        ]
        var fingerprint = Fingerprint()
        for second in 0..<60 as Range<UInt64> {
            fingerprint.fold(random.next())
            let devices = (0..<6).map { UInt64($0) << 32 | second ^ record.seed }
            record.checkpoints.append(
                Checkpoint(second: second, fingerprint: fingerprint.value, devices: devices))
        }
        record.eventCount = 2_417_332
        record.packetHops = 811_004
    }

    private func dropped(_ packets: UInt64) -> [UInt64] {
        var causes = Array(repeating: 0 as UInt64, count: DropCause.allCases.count)
        causes[Int(DropCause.linkDown.rawValue)] = packets
        return causes
    }
}
