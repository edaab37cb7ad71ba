import Basics
import Scenario
public import Telemetry

/// Tells a run's story from its record.
enum Timeline {
    /// What was scripted, what the nodes concluded and did, and what went wrong, in order of time.
    static func entries(of record: RunRecord) -> [TimelineEntry] {
        var entries: [TimelineEntry] = record.incidents.flatMap { story(of: $0, in: record) }
        entries += record.telemetry.compactMap { entry(of: $0, in: record) }
        entries += record.violations.map { violation in
            TimelineEntry(
                at: violation.at, kind: "violation",
                subject: violation.node.map { record.scenario.topology.nodes[$0].name } ?? "network",
                text: violation.text)
        }
        let ordered = entries.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        return ordered.map(\.element)
    }

    private static func story(of incident: Incident, in record: RunRecord) -> [TimelineEntry] {
        let topology = record.scenario.topology
        let subject: String
        switch incident.kind {
        case .linkDown, .linkChanged: subject = topology.links[incident.subject].name
        case .nodeKilled, .sessionReset, .prefixesAnnounced, .prefixesWithdrawn, .attack:
            subject = topology.nodes[incident.subject].name
        }
        var entries = [TimelineEntry(at: incident.start, kind: "event", subject: subject, text: incident.label)]
        if let end = incident.end, end > incident.start, end <= record.end {
            entries.append(TimelineEntry(at: end, kind: "event", subject: subject, text: "\(incident.label) is over"))
        }
        return entries
    }

    private static func entry(of timed: TimedRecord, in record: RunRecord) -> TimelineEntry? {
        let node = record.scenario.topology.nodes[timed.node].name
        func name(_ tunnel: TunnelID) -> String {
            let index = Int(tunnel.rawValue)
            return index < record.tunnels.count ? record.tunnels[index].name : "tunnel \(index)"
        }
        switch timed.record {
        case .tunnelState(let tunnel, let state, let cause):
            return TimelineEntry(
                at: timed.at, kind: "verdict", subject: node, text: "\(name(tunnel)) is \(state) (\(cause.words))")
        case .pathChange(let flow, let from, let to, let cause):
            guard let from else { return nil }
            let target = to.map { name($0) } ?? "no path"
            return TimelineEntry(
                at: timed.at, kind: "path", subject: node,
                text: "flow \(String(flow.rawValue, radix: 16)) from \(name(from)) to \(target) (\(cause.words))")
        case .sessionState(let peer, let state):
            guard state == .established || state == .idle else { return nil }
            return TimelineEntry(
                at: timed.at, kind: "session", subject: node, text: "BGP with peer \(peer) is \(state)")
        case .pathSample, .bestPathChanged, .dropped:
            return nil
        }
    }
}

extension ChangeCause {
    /// The cause as a person would say it.
    public var words: String {
        switch self {
        case .started: "started"
        case .detectionExpired: "nothing heard for the detection time"
        case .neighborSignaled: "the other end says so"
        case .portDown: "port down"
        case .probesLost: "probes lost"
        case .slaViolated: "SLA class violated"
        case .slaMet: "SLA class met again"
        case .sessionUp: "session up"
        case .failback: "failback"
        case .failover: "failover"
        case .policy: "policy"
        case .administrative: "administrative"
        }
    }
}
