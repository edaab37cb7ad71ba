import Basics
import Measure
import Scenario
import Telemetry
import Traffic
import Wire

/// The instant so many milliseconds after the start.
func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

/// What an expectation may say of a value.
typealias Condition = Expectation.Condition

/// An expectation of a metric.
func wanted(_ metric: String, _ condition: Condition) -> Expectation {
    Expectation(metric: metric, condition: condition, limitText: "limit")
}

/// A record built by hand: two nodes with two tunnels, unless a topology is given.
struct MadeRun {
    static let headquarters = 0
    static let branch = 1
    static let server = 4
    static let laptop = 5
    /// The links of the branch, and the tunnels over them.
    static let linkA = 0
    static let linkB = 1
    static let a = TunnelID(0)
    static let b = TunnelID(1)

    var record: RunRecord
    private var halves: [FlowReport] = []

    init(_ scenario: Scenario, end: Instant = at(60_000)) {
        record = RunRecord(scenario: scenario, seed: 1, backend: "sim", end: end)
    }

    init(
        traffic: [TrafficEntry] = [MadeRun.entry("calls")], warmup: Interval = .zero,
        expectations: [Expectation] = [], end: Instant = at(60_000)
    ) {
        self.init(
            Scenario(
                name: "made", topology: Self.twoProviders, duration: end - .zero, warmup: warmup, traffic: traffic,
                expectations: expectations),
            end: end)
    }

    static func entry(_ name: String, start: Interval = .seconds(1)) -> TrafficEntry {
        TrafficEntry(name: name, application: .voip, from: laptop, to: server, start: start)
    }

    /// Everything that is concluded from the record.
    var summary: RunSummary {
        var record = record
        record.flowReports = FlowReport.merged(halves)
        let order = record.telemetry.indices.sorted { (record.telemetry[$0].at, $0) < (record.telemetry[$1].at, $1) }
        record.telemetry = order.map { record.telemetry[$0] }
        return RunSummary(record, wallSeconds: nil)
    }

    mutating func incident(
        _ kind: Incident.Kind, _ subject: Int, _ start: Int64, _ end: Int64? = nil, isDisruptive: Bool = true
    ) {
        record.incidents.append(
            Incident(
                kind: kind, event: record.incidents.count, label: "\(kind) \(subject)", subject: subject,
                start: at(start), end: end.map { at($0) }, isDisruptive: isDisruptive))
    }

    mutating func say(_ milliseconds: Int64, _ node: Int, _ entry: TelemetryRecord) {
        record.telemetry.append(TimedRecord(at: at(milliseconds), node: node, record: entry))
    }

    /// Adds a flow and gives its number; its keys are those of ``key(_:_:)`` unless it is a stream.
    mutating func addFlow(_ entry: Int = 0, isStream: Bool = false) -> UInt32 {
        let number = UInt32(record.flows.count + 1)
        record.flows.append(
            FlowDescription(
                number: number, entry: entry, forwardKey: isStream ? nil : Self.key(number, .forward),
                reverseKey: isStream ? nil : Self.key(number, .backward)))
        return number
    }

    static func key(_ flow: UInt32, _ direction: FlowDirection) -> FlowKey {
        FlowKey(UInt64(flow) << 1 | (direction == .forward ? 0 : 1))
    }

    /// A flow's node says that it put the flow on a tunnel.
    mutating func put(
        _ flow: UInt32, _ milliseconds: Int64, _ direction: FlowDirection = .forward, from: TunnelID? = nil,
        to: TunnelID?, _ cause: ChangeCause = .policy
    ) {
        say(
            milliseconds, direction == .forward ? Self.branch : Self.headquarters,
            .pathChange(Self.key(flow, direction), from: from, to: to, cause))
    }

    /// Adds what a flow received, without its windows.
    mutating func report(
        _ flow: UInt32, _ direction: FlowDirection = .forward, usualGap: Interval = .milliseconds(20),
        gaps: [DeliveryGap] = [], _ change: (inout ReceivedReport) -> Void = { _ in }
    ) {
        var received = ReceivedReport(packets: 1_000, bytes: 160_000, lost: 0)
        received.usualGap = usualGap
        received.gaps = gaps
        received.activeTime = .seconds(20)
        change(&received)
        halves.append(FlowReport(flow: flow, direction: direction, application: "voip", received: received))
    }

    mutating func add(_ report: FlowReport) { halves.append(report) }

    /// Adds a flow of a packet each 20 ms from 1 s on, as both of its ends measured it.
    ///
    /// `latency` is that of the packet sent at so many milliseconds; nil is a loss.
    mutating func packets(
        _ flow: UInt32, _ direction: FlowDirection = .forward, until stop: Int64 = 60_000, isVoice: Bool = false,
        latency: (Int64) -> Int64?
    ) {
        var sender = SendMeter()
        var receiver = FlowMeter(
            .init(start: at(1_000), stop: at(stop), evenGap: .milliseconds(20), isVoice: isVoice))
        var arrivals: [(at: Int64, sequence: UInt32, sentAt: Int64)] = []
        for (sequence, sentAt) in stride(from: 1_000, to: stop, by: 20).enumerated() {
            sender.send(byteCount: 160, at: at(sentAt))
            guard let latency = latency(sentAt) else { continue }
            arrivals.append((sentAt + latency, UInt32(sequence), sentAt))
        }
        for packet in arrivals.sorted(by: { ($0.at, $0.sequence) < ($1.at, $1.sequence) }) where packet.at < 60_000 {
            receiver.receive(packet.sequence, sentAt: at(packet.sentAt), byteCount: 160, at: at(packet.at))
        }
        halves.append(
            FlowReport(
                flow: flow, direction: direction, application: "voip", sent: sender.report(),
                received: receiver.report(at: record.end, overStreams: false)))
    }
}

extension MadeRun {
    static var twoProviders: Topology {
        let nodes = [
            TopologyNode(name: "hq", kind: .patronus, lan: prefixes("10.1.0.0/16"), role: "hub"),
            TopologyNode(name: "branch", kind: .patronus, lan: prefixes("10.2.0.0/16")),
            TopologyNode(name: "isp-a", kind: .router), TopologyNode(name: "isp-b", kind: .router),
            TopologyNode(name: "server", kind: .host, attachment: 0),
            TopologyNode(name: "laptop", kind: .host, attachment: 1),
        ]
        let links = [
            LinkDeclaration(EndDeclaration(1, port: "wan-a"), EndDeclaration(2)),
            LinkDeclaration(EndDeclaration(1, port: "wan-b"), EndDeclaration(3)),
            LinkDeclaration(EndDeclaration(0, port: "wan-a"), EndDeclaration(2)),
            LinkDeclaration(EndDeclaration(0, port: "wan-b"), EndDeclaration(3)),
        ]
        return Topology(name: "two-providers", nodes: nodes, links: links)
    }

    /// Three sites, each at a router of its own; the short way from `s` to `e` leads over `n`.
    static var triangle: Topology {
        var nodes: [TopologyNode] = []
        for (number, name) in ["x", "y", "z"].enumerated() {
            nodes.append(TopologyNode(name: name, kind: .patronus, lan: prefixes("10.\(number + 1).0.0/16")))
        }
        for name in ["n", "s", "e"] { nodes.append(TopologyNode(name: name, kind: .router)) }
        for site in 0...2 { nodes.append(TopologyNode(name: "host-\(site)", kind: .host, attachment: site)) }
        func link(_ first: Int, _ second: Int, _ milliseconds: Int64) -> LinkDeclaration {
            var settings = LinkSettings()
            settings.delay = .milliseconds(milliseconds)
            return LinkDeclaration(EndDeclaration(first), EndDeclaration(second), forward: settings)
        }
        return Topology(
            name: "triangle", nodes: nodes,
            links: [link(0, 3, 1), link(1, 4, 1), link(2, 5, 1), link(3, 4, 1), link(3, 5, 1), link(4, 5, 5)])
    }

    private static func prefixes(_ text: String) -> [IPPrefix] { [IPPrefix(text)].compactMap(\.self) }
}

extension RunSummary {
    /// The value of a metric.
    subscript(name: String) -> Double? { metrics[name]?.value }
}
