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

    mutating func measureRouting(_ record: RunRecord) {
        let figures = RoutingFigures(record)
        append("bgp.convergence", Distribution(figures.convergences.map(\.inMilliseconds)), .milliseconds)
        append("bgp.sessionDowntime", Distribution(figures.downtimes.map(\.inMilliseconds)), .milliseconds)
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
