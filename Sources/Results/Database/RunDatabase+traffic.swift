import Basics
import GRDB
import Measure
import Scenario
import Telemetry
import Traffic

extension RunDatabase {
    static func writeTraffic(_ record: RunRecord, to database: Database) throws {
        let directory = record.flowDirectory()
        try database.insertRows(into: "flow", columnCount: 22) { insert in
            for report in record.flowReports {
                try insert(columns(of: report, directory[report.flow], record))
            }
        }
        let writer = try SampleWriter(database)
        for report in record.flowReports {
            try writeWindows(of: report, every: record.scenario.record.interval, writer)
        }
    }

    private static func columns(
        of report: FlowReport, _ description: FlowDescription?, _ record: RunRecord
    ) -> [(any DatabaseValueConvertible)?] {
        let key = report.direction == .forward ? description?.forwardKey : description?.reverseKey
        let received = report.received
        func latency(_ share: Double) -> Double? { report.latency.percentile(Ratio(share))?.inMilliseconds }
        let columns: [(any DatabaseValueConvertible)?] = [
            Int(report.flow), report.direction.name, description.map { record.trafficName(ofEntry: $0.entry) } ?? "",
            report.application, key.map { hexadecimal($0.rawValue) },
            report.sent.map { Int64(clamping: $0.packets) }, report.sent.map { Int64(clamping: $0.bytes) },
            received.map { Int64(clamping: $0.packets) }, received.map { Int64(clamping: $0.bytes) },
            received.map { Int64(clamping: $0.lost) }, received.map { Int64(clamping: $0.duplicates) },
            received.map { Int64(clamping: $0.reordered) },
        ]
        return columns + [
            report.latency.mean?.inMilliseconds, latency(0.5), latency(0.95), latency(0.99),
            report.latency.maximum?.inMilliseconds, received?.jitter.inMilliseconds, received?.goodput,
            Distribution(report.mos)?.mean, received?.longestGap?.length.inMilliseconds,
            report.completionTimes.count,
        ]
    }

    private static func writeWindows(
        of report: FlowReport, every interval: Interval, _ writer: SampleWriter
    ) throws {
        let subject = "flow \(report.flow) \(report.direction.name)"
        let isStream = report.sent?.packets ?? 0 == 0 && report.latency.count == 0
        for window in report.windows {
            try writer.write(subject, "goodput", window.start, Double(window.bytes) * 8 / interval.inSeconds)
            guard !isStream else { continue }
            try writer.write(subject, "sent", window.start, Double(window.sent))
            try writer.write(subject, "received", window.start, Double(window.received))
            try writer.write(subject, "lost", window.start, Double(window.lost))
            guard let mean = window.latencyMean else { continue }
            try writer.write(subject, "latencyMean", window.start, mean.inMilliseconds)
            try writer.write(subject, "latencyMax", window.start, window.latencyMaximum.inMilliseconds)
            try writer.write(subject, "jitter", window.start, window.jitter.inMilliseconds)
        }
    }
}

extension FlowDirection {
    /// As results write it.
    var name: String { self == .forward ? "forward" : "backward" }
}

extension LinkDirection {
    /// As results write it.
    var name: String { self == .forward ? "forward" : "reverse" }
}

extension RunRecord {
    /// The ports between which a direction of a link runs.
    func ends(of account: LinkAccount) -> (source: String, target: String) {
        let topology = scenario.topology
        guard topology.links.indices.contains(account.link) else { return ("", "") }
        let link = topology.links[account.link]
        func name(_ end: LinkEnd) -> String { "\(nodeName(end.node) ?? "?"):\(end.port)" }
        return (name(link.source(account.direction)), name(link.target(account.direction)))
    }
}
