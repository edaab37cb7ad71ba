import Basics
import Scenario
import Telemetry

extension MetricSet {
    mutating func measureFailovers(_ outcomes: [FailoverOutcome]) {
        let impacts = outcomes.flatMap(\.impacts)
        append("failover.outage", Distribution(impacts.map(\.outage.inMilliseconds)), .milliseconds)
        append(
            "failover.detection", Distribution(outcomes.flatMap(\.detections).map(\.inMilliseconds)), .milliseconds)
        append(
            "failover.reaction", Distribution(outcomes.flatMap(\.reactions).map(\.inMilliseconds)), .milliseconds)
        append(
            "failover.switchover", Distribution(outcomes.flatMap(\.switchovers).map(\.inMilliseconds)),
            .milliseconds)
        append("failover.packetsLost", Distribution(impacts.map { Double($0.packetsLost) }), .packets)
        append("failover.failbacks", Distribution(outcomes.flatMap(\.failbackCounts).map { Double($0) }), .count)
        guard outcomes.contains(where: \.wasExercised) else { return }
        append("failover.strandedFlows", Double(Self.strandedFlows(impacts)), .count)
    }

    /// Flows of which a direction was stranded by any incident, each counted once.
    private static func strandedFlows(_ impacts: [FlowImpact]) -> Int {
        let flows = impacts.filter(\.isStranded).map(\.flow).sorted()
        return flows.indices.count { $0 == 0 || flows[$0] != flows[$0 - 1] }
    }

    /// For each incident's beginning and end, how long until the last best path changed because of it.
    mutating func measureRouting(_ record: RunRecord) {
        var changes: [Instant] = []
        for entry in record.telemetry {
            if case .bestPathChanged = entry.record { changes.append(entry.at) }
        }
        let events = record.incidents.flatMap { [$0.start] + ($0.end.map { [$0] } ?? []) }.sorted()
        var times: [Double] = []
        for (index, event) in events.enumerated() where index == 0 || events[index - 1] != event {
            let next = events[index...].first { $0 > event } ?? .never
            let last = changes.partitioningIndex { $0 >= next } - 1
            guard last >= 0, changes[last] >= event else { continue }
            times.append((changes[last] - event).inMilliseconds)
        }
        append("bgp.convergence", Distribution(times), .milliseconds)
    }

    /// What nodes' data planes refused of attacks, and of everybody else's packets.
    mutating func measureSecurity(_ record: RunRecord) {
        let figures = SecurityFigures(record)
        if let share = figures.attackShareRefused { append("security.attackPacketsDropped", share, .ratio) }
        if let share = figures.legitimateShareRefused { append("security.legitimatePacketsDropped", share, .ratio) }
        guard record.isPoliced else { return }
        append("security.legitimatePacketsPoliced", Double(figures.legitimateRefused), .count)
    }

    mutating func measureRun(_ record: RunRecord, wallSeconds: Double?) {
        append("invariants.violations", Double(record.violations.count), .count)
        append("run.events", Double(record.eventCount), .count)
        append("run.packetHops", Double(record.packetHops), .count)
        guard let wallSeconds else { return }
        append("run.wallSeconds", wallSeconds, .seconds)
        append("run.speedup", wallSeconds > 0 ? (record.end - .zero).inSeconds / wallSeconds : 0, .none)
    }
}
