public import Basics
public import Scenario
import Telemetry
public import Traffic

/// What one flow's direction suffered from one incident.
public struct FlowImpact: Equatable, Sendable {
    public var flow: UInt32
    public var direction: FlowDirection
    /// The longest gap in delivery, less the flow's usual one.
    public var outage: Interval
    public var packetsLost: UInt64
    /// From the incident to the first packet by another path; nil where the flow was not moved.
    public var switchover: Interval?
}

/// What came of one disruptive incident.
public struct FailoverOutcome: Equatable, Sendable {
    public var incident: Incident
    /// From the incident to each node's first verdict on a path that it hit.
    public var detections: [Interval]
    /// From each of those verdicts to the first packet that the node sent by another path.
    public var reactions: [Interval]
    public var impacts: [FlowImpact]
    /// How many flows went back once the path was good again.
    public var failbacks: Int

    /// Whether the incident touched anything that the run measured.
    public var wasExercised: Bool { !detections.isEmpty || !impacts.isEmpty }
}

/// Follows each disruptive incident through verdicts, path changes and flows.
struct FailoverAnalysis {
    /// How long after a failure ends its consequences are still looked for.
    static let afterglow = Interval.seconds(5)

    private let record: RunRecord
    private let verdicts: [TimedRecord]
    private let changes: [TimedRecord]

    init(_ record: RunRecord) {
        self.record = record
        verdicts = record.telemetry.filter {
            guard case .tunnelState(_, let state, _) = $0.record else { return false }
            return state == .down || state == .degraded
        }
        changes = record.telemetry.filter {
            guard case .pathChange(_, let from, _, let cause) = $0.record else { return false }
            return from != nil && cause != .started
        }
    }

    func outcomes() -> [FailoverOutcome] {
        let disruptive = record.incidents.filter(\.isDisruptive)
        return disruptive.enumerated().map { index, incident in
            let next = disruptive[(index + 1)...].first { $0.start > incident.start }?.start ?? record.end
            return outcome(of: incident, until: next)
        }
    }

    private func outcome(of incident: Incident, until next: Instant) -> FailoverOutcome {
        let horizon = min(next, (incident.end ?? next) + Self.afterglow)
        let (detections, reactions) = verdictTimes(of: incident, until: horizon)
        let switches = switchTimes(of: incident, until: horizon)
        let failbacks = changes.count { record in
            guard record.at >= incident.start, record.at < next,
                case .pathChange(_, _, _, let cause) = record.record
            else { return false }
            return cause == .failback || cause == .slaMet
        }
        return FailoverOutcome(
            incident: incident, detections: detections, reactions: reactions,
            impacts: impacts(of: incident, until: horizon, switches), failbacks: failbacks)
    }

    /// Each node's first verdict after the incident, and how long until it sent by another path.
    private func verdictTimes(of incident: Incident, until end: Instant) -> ([Interval], [Interval]) {
        var detections: [Interval] = []
        var reactions: [Interval] = []
        var seen: [Int] = []
        for verdict in verdicts where verdict.at >= incident.start && verdict.at < end {
            guard !seen.contains(verdict.node), concerns(verdict, incident) else { continue }
            seen.append(verdict.node)
            detections.append(verdict.at - incident.start)
            let reaction = changes.first { $0.at >= verdict.at && $0.node == verdict.node && $0.at < end }
            if let reaction { reactions.append(reaction.at - verdict.at) }
        }
        return (detections, reactions)
    }

    /// Whether a verdict is on a tunnel over the link, or to the node, that the incident is about.
    private func concerns(_ verdict: TimedRecord, _ incident: Incident) -> Bool {
        guard case .tunnelState(let id, _, _) = verdict.record, Int(id.rawValue) < record.tunnels.count else {
            return false
        }
        let tunnel = record.tunnels[Int(id.rawValue)]
        switch incident.kind {
        case .nodeKilled:
            return tunnel.firstNode == incident.subject || tunnel.secondNode == incident.subject
        case .linkDown, .linkChanged:
            if tunnel.first.link == incident.subject || tunnel.second.link == incident.subject { return true }
            // A link between routers carries tunnels that no end of it names.
            let link = record.scenario.topology.links[incident.subject]
            let topology = record.scenario.topology
            return topology.isTransit(link.first.node) && topology.isTransit(link.second.node)
        case .sessionReset:
            return false
        }
    }

    /// For each flow's direction, when it was first put on another path.
    private func switchTimes(of incident: Incident, until end: Instant) -> [(key: UInt64, at: Instant)] {
        var found: [(key: UInt64, at: Instant)] = []
        for change in changes where change.at >= incident.start && change.at < end {
            guard case .pathChange(let key, _, _, let cause) = change.record, cause != .failback, cause != .slaMet,
                !found.contains(where: { $0.key == key.rawValue })
            else { continue }
            found.append((key.rawValue, change.at))
        }
        return found
    }

    private func impacts(
        of incident: Incident, until end: Instant, _ switches: [(key: UInt64, at: Instant)]
    ) -> [FlowImpact] {
        var impacts: [FlowImpact] = []
        for report in record.flowReports {
            guard let received = report.received, let description = description(of: report.flow) else { continue }
            let key = report.direction == .forward ? description.forwardKey : description.reverseKey
            let switched = key.flatMap { key in switches.first { $0.key == key.rawValue }?.at }
            let gap = received.gaps.filter { Self.belongs($0, to: incident, until: end) }.map(\.length).max()
            let lost = received.windows
                .filter { $0.start + .milliseconds(1) > incident.start - .milliseconds(100) && $0.start < end }
                .reduce(0 as UInt64) { $0 + UInt64($1.lost) }
            guard gap != nil || switched != nil || (incident.kind != .linkChanged && lost > 0) else { continue }
            impacts.append(
                FlowImpact(
                    flow: report.flow, direction: report.direction,
                    outage: max(.zero, (gap ?? received.usualGap) - received.usualGap), packetsLost: lost,
                    switchover: switched.map { $0 - incident.start }))
        }
        return impacts
    }

    private func description(of flow: UInt32) -> FlowDescription? {
        let index = Int(flow) - 1
        guard record.flows.indices.contains(index), record.flows[index].number == flow else {
            return record.flows.first { $0.number == flow }
        }
        return record.flows[index]
    }

    /// A gap belongs to the incident in whose time it ends or lasts, if it had not begun long before.
    private static func belongs(_ gap: DeliveryGap, to incident: Incident, until end: Instant) -> Bool {
        gap.end > incident.start && gap.start < end && gap.start + .seconds(1) > incident.start
    }
}
