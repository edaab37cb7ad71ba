import Basics
import Foundation
import GRDB
import Measure
import Scenario
import Telemetry

extension RunDatabase {
    static func writeRun(_ results: RunResults, _ report: ReportModel, to database: Database) throws {
        let record = results.record
        try database.insertRows(into: "run", columnCount: 12) { insert in
            try insert([
                format, record.scenario.name, record.scenario.description, record.backend, String(record.seed),
                results.summary.status.rawValue, results.version, (record.end - .zero).inSeconds,
                results.wallSeconds, results.digest, Int64(clamping: record.eventCount),
                Int64(clamping: record.packetHops),
            ])
        }
        try database.insertRows(into: "input", columnCount: 3) { insert in
            for input in results.inputs {
                try insert([input.path, ContentDigest.text(of: input.bytes), Data(input.bytes)])
            }
        }
        try database.insertRows(into: "report", columnCount: 1) { insert in try insert([report.document()]) }
    }

    static func writeTopology(_ record: RunRecord, to database: Database) throws {
        try database.insertRows(into: "node", columnCount: 3) { insert in
            for (index, node) in record.scenario.topology.nodes.enumerated() {
                try insert([index, node.name, node.kind.rawValue])
            }
        }
        try database.insertRows(into: "tunnel", columnCount: 4) { insert in
            for (index, tunnel) in record.tunnels.enumerated() {
                try insert([
                    index, tunnel.name, record.nodeName(tunnel.firstNode) ?? "",
                    record.nodeName(tunnel.secondNode) ?? "",
                ])
            }
        }
    }

    static func writeConclusions(_ results: RunResults, to database: Database) throws {
        let summary = results.summary
        try database.insertRows(into: "metric", columnCount: 4) { insert in
            for (index, metric) in summary.metrics.all.enumerated() {
                try insert([index, metric.name, metric.value, metric.unit.rawValue])
            }
        }
        try database.insertRows(into: "expectation", columnCount: 10) { insert in
            for (index, result) in summary.expectations.enumerated() {
                let condition = result.expectation.condition
                let limits = condition.limits
                try insert([
                    index, result.expectation.metric, condition.operatorName, result.expectation.limitText,
                    limits[0], limits[limits.count - 1], result.value, result.unit.rawValue, result.passed,
                    result.reason,
                ])
            }
        }
        try database.insertRows(into: "timeline", columnCount: 5) { insert in
            for (index, entry) in summary.timeline.enumerated() {
                try insert([index, (entry.at - .zero).inMilliseconds, entry.kind, entry.subject, entry.text])
            }
        }
        try writeFailovers(results, to: database)
        try writeAttacks(results.record, to: database)
    }

    private static func writeAttacks(_ record: RunRecord, to database: Database) throws {
        try database.insertRows(into: "attack", columnCount: 7) { insert in
            for (attack, figures) in zip(record.attacks, AttackFigures.all(of: record)) {
                let incident = record.incidents.first { $0.event == attack.event }
                try insert([
                    attack.event, incident?.label ?? "", hexadecimal(attack.key.rawValue),
                    Int64(clamping: figures.sent), Int64(clamping: figures.reachedNodes),
                    Int64(clamping: figures.policed), Int64(clamping: figures.denied),
                ])
            }
        }
    }

    private static func writeFailovers(_ results: RunResults, to database: Database) throws {
        try database.insertRows(into: "failover", columnCount: 11) { insert in
            for (index, outcome) in results.summary.failovers.enumerated() {
                let figures = FailoverFigures(outcome)
                try insert([
                    index, results.record.subjectName(of: outcome.incident), outcome.incident.label,
                    (outcome.incident.start - .zero).inMilliseconds, figures.detection, figures.reaction,
                    figures.outage?.p50, figures.outage?.maximum, figures.flowCount,
                    Int64(clamping: figures.packetsLost), outcome.failbacks,
                ])
            }
        }
        try database.insertRows(into: "failover_flow", columnCount: 6) { insert in
            for (index, outcome) in results.summary.failovers.enumerated() {
                for impact in outcome.impacts {
                    try insert([
                        index, Int(impact.flow), impact.direction.name, impact.outage.inMilliseconds,
                        Int64(clamping: impact.packetsLost), impact.switchover?.inMilliseconds,
                    ])
                }
            }
        }
    }

    static func writeAccounts(_ record: RunRecord, to database: Database) throws {
        let causes = DropCause.allCases
        try database.insertRows(into: "link", columnCount: 11) { insert in
            for account in record.links {
                let (source, target) = record.ends(of: account)
                try insert([
                    record.linkName(account.link), account.direction.name, source, target,
                    Int64(clamping: account.offered), Int64(clamping: account.offeredBytes),
                    Int64(clamping: account.duplicated), Int64(clamping: account.delivered),
                    Int64(clamping: account.deliveredBytes), Int64(clamping: account.inFlight),
                    Int64(clamping: account.dropped.reduce(0, +)),
                ])
            }
        }
        try database.insertRows(into: "link_drop", columnCount: 4) { insert in
            for account in record.links {
                for (cause, packets) in zip(causes, account.dropped) where packets > 0 {
                    let link = record.linkName(account.link)
                    try insert([link, account.direction.name, "\(cause)", Int64(clamping: packets)])
                }
            }
        }
        try database.insertRows(into: "dataplane", columnCount: 5) { insert in
            for account in record.dataplanes {
                try insert([
                    record.nodeName(account.node) ?? "", account.cause, account.verdict,
                    Int64(clamping: account.packets), Int64(clamping: account.bytes),
                ])
            }
        }
        let directory = record.flowDirectory()
        try database.insertRows(into: "conservation", columnCount: 8) { insert in
            for account in record.conservation {
                let owner = directory[account.key]
                try insert([
                    hexadecimal(account.key.rawValue), owner.map { Int($0.flow.number) }, owner?.direction.name,
                    Int64(clamping: account.sent), Int64(clamping: account.duplicated),
                    Int64(clamping: account.delivered), Int64(clamping: account.inFlight),
                    Int64(clamping: account.dropped.reduce(0, +)),
                ])
            }
        }
        try database.insertRows(into: "conservation_drop", columnCount: 3) { insert in
            for account in record.conservation {
                for (cause, packets) in zip(causes, account.dropped) where packets > 0 {
                    try insert([hexadecimal(account.key.rawValue), "\(cause)", Int64(clamping: packets)])
                }
            }
        }
        try writeCheckpoints(record, to: database)
    }

    private static func writeCheckpoints(_ record: RunRecord, to database: Database) throws {
        try database.insertRows(into: "checkpoint", columnCount: 2) { insert in
            for checkpoint in record.checkpoints {
                try insert([Int64(clamping: checkpoint.second), hexadecimal(checkpoint.fingerprint)])
            }
        }
        try database.insertRows(into: "checkpoint_device", columnCount: 3) { insert in
            for checkpoint in record.checkpoints {
                for (node, fingerprint) in checkpoint.devices.enumerated() {
                    try insert([Int64(clamping: checkpoint.second), node, hexadecimal(fingerprint)])
                }
            }
        }
    }
}
