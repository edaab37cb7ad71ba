import Basics
import GRDB
import Scenario
import Telemetry
import Traffic

extension RunDatabase {
    static func writeTelemetry(_ record: RunRecord, to database: Database) throws {
        try database.insertRows(into: "event", columnCount: 8) { insert in
            for (index, incident) in record.incidents.enumerated() {
                try insert([
                    index, incident.kind.rawValue, record.subjectName(of: incident), incident.label, incident.event,
                    (incident.start - .zero).inMilliseconds, incident.end.map { ($0 - .zero).inMilliseconds },
                    incident.isDisruptive,
                ])
            }
        }
        try database.insertRows(into: "violation", columnCount: 4) { insert in
            for violation in record.violations {
                try insert([
                    violation.kind.rawValue, (violation.at - .zero).inMilliseconds,
                    record.nodeName(violation.node), violation.text,
                ])
            }
        }
        try writeVerdicts(record, to: database)
        try writePathChanges(record, to: database)
        try writeNodeSamples(record, SampleWriter(database))
    }

    private static func writeVerdicts(_ record: RunRecord, to database: Database) throws {
        try database.insertRows(into: "verdict", columnCount: 5) { insert in
            for entry in record.telemetry {
                guard case .tunnelState(let tunnel, let state, let cause) = entry.record else { continue }
                try insert([
                    (entry.at - .zero).inMilliseconds, record.nodeName(entry.node) ?? "", record.tunnelName(tunnel),
                    "\(state)", "\(cause)",
                ])
            }
        }
        try database.insertRows(into: "session", columnCount: 4) { insert in
            for entry in record.telemetry {
                guard case .sessionState(let peer, let state) = entry.record else { continue }
                try insert([
                    (entry.at - .zero).inMilliseconds, record.nodeName(entry.node) ?? "", Int64(peer), "\(state)",
                ])
            }
        }
    }

    private static func writePathChanges(_ record: RunRecord, to database: Database) throws {
        let directory = record.flowDirectory()
        try database.insertRows(into: "path_change", columnCount: 8) { insert in
            for entry in record.telemetry {
                guard case .pathChange(let key, let from, let to, let cause) = entry.record else { continue }
                let owner = directory[key]
                try insert([
                    (entry.at - .zero).inMilliseconds, record.nodeName(entry.node) ?? "", hexadecimal(key.rawValue),
                    owner.map { Int($0.flow.number) }, owner?.direction.name, from.map { record.tunnelName($0) },
                    to.map { record.tunnelName($0) }, "\(cause)",
                ])
            }
        }
    }

    /// What the nodes measured and counted, each under the node's name and the tunnel's.
    private static func writeNodeSamples(_ record: RunRecord, _ writer: SampleWriter) throws {
        for entry in record.telemetry {
            let node = record.nodeName(entry.node) ?? "node \(entry.node)"
            switch entry.record {
            case .pathSample(let tunnel, let sample):
                let subject = "\(node) \(record.tunnelName(tunnel))"
                if sample.latency >= .zero {
                    try writer.write(subject, "latency", entry.at, sample.latency.inMilliseconds)
                }
                try writer.write(subject, "roundTrip", entry.at, sample.roundTrip.inMilliseconds)
                try writer.write(subject, "jitter", entry.at, sample.jitter.inMilliseconds)
                try writer.write(subject, "lossReceived", entry.at, sample.lossReceived.fraction)
                try writer.write(subject, "lossSent", entry.at, sample.lossSent.fraction)
            case .bestPathChanged(let prefixCount):
                try writer.write(node, "bestPathChanged", entry.at, Double(prefixCount))
            case .tunnelState, .pathChange, .sessionState, .dropped:
                continue
            }
        }
    }
}
