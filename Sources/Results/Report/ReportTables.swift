import Basics
import Measure
import Scenario
import Telemetry
import Traffic

/// The report's tables, as text.
enum ReportTables {
    typealias Table = ReportModel.Table
    typealias Cell = ReportModel.Table.Cell

    private static let timelineLimit = 2_000

    private static func columns(_ titles: [String], numbers: Set<String>) -> [Table.Column] {
        titles.map { Table.Column(title: $0, isNumber: numbers.contains($0)) }
    }

    private static func span(_ milliseconds: Double?) -> Cell {
        Cell(text: milliseconds.map { Figure.text($0, .milliseconds) } ?? "–")
    }

    static func failovers(_ results: RunResults) -> Table {
        let numbers = [
            "At", "Detected after", "Moved after", "Outage, median", "Outage, worst", "Flows hit", "Packets lost",
            "Returned",
        ]
        let titles = ["Incident", "Where"] + numbers
        let rows = results.summary.failovers.map { outcome in
            let figures = FailoverFigures(outcome)
            return [
                Cell(text: outcome.incident.label), Cell(text: results.record.subjectName(of: outcome.incident)),
                Cell(text: Figure.time(outcome.incident.start)), span(figures.detection), span(figures.reaction),
                span(figures.outage?.p50), span(figures.outage?.maximum),
                Cell(text: Figure.count(UInt64(figures.flowCount))), Cell(text: Figure.count(figures.packetsLost)),
                Cell(text: Figure.count(UInt64(outcome.failbacks))),
            ]
        }
        return Table(
            columns: columns(titles, numbers: Set(numbers)), rows: rows,
            note: rows.isEmpty
                ? "Nothing that the scenario did was expected to disturb traffic."
                : "Detected: from the incident to the first verdict of a node. Moved: from that verdict to the first "
                    + "packet by another path. Outage: a flow's longest gap less its usual one; flows count once for "
                    + "each direction.")
    }

    static func attacks(_ record: RunRecord) -> Table {
        let numbers = ["At", "Sent", "Reached a node", "Refused there", "Share"]
        let rows = AttackFigures.all(of: record).map { figures in
            let incident = record.incidents.first { $0.event == figures.event }
            let key = record.attacks.first { $0.event == figures.event }?.key
            let account = record.conservation.first { $0.key == key }
            var ends = [("delivered", account?.delivered ?? 0), ("in flight", account?.inFlight ?? 0)]
            ends += zip(DropCause.allCases, account?.dropped ?? []).map { ($0.words, $1) }
            let words = ends.filter { $0.1 > 0 }.map { "\($0) \(Figure.count($1))" }
            return [
                Cell(text: incident?.label ?? "event \(figures.event)"),
                Cell(text: incident.map { record.subjectName(of: $0) } ?? ""),
                Cell(text: incident.map { Figure.time($0.start) } ?? "–"), Cell(text: Figure.count(figures.sent)),
                Cell(text: Figure.count(figures.reachedNodes)),
                Cell(text: Figure.count(figures.policed + figures.denied)),
                Cell(text: figures.shareRefused.map { Figure.text($0, .ratio) } ?? "–"),
                Cell(text: words.joined(separator: ", ")),
            ]
        }
        return Table(
            columns: columns(["Attack", "On"] + numbers + ["What became of them"], numbers: Set(numbers)), rows: rows,
            note: "Packets. Refused: by a node's flood guard (policed) or deny list (denied).")
    }

    static func expectations(_ summary: RunSummary) -> Table {
        let rows = summary.expectations.map { result in
            [
                Cell(text: result.expectation.metric),
                Cell(text: result.expectation.condition.wording(unit: result.unit)),
                Cell(text: result.value.map { Figure.text($0, result.unit) } ?? "not measured"),
                Cell(text: result.passed ? "passed" : "failed", tone: result.passed ? "good" : "bad"),
                Cell(text: result.reason ?? ""),
            ]
        }
        return Table(
            columns: columns(
                ["Metric", "Wanted", "Measured", "Result", "Reason"], numbers: []),
            rows: rows, note: rows.isEmpty ? "The scenario expects nothing." : "")
    }

    static func traffic(_ record: RunRecord) -> Table {
        let numbers = [
            "Flows", "Latency p50", "p95", "p99", "max", "Jitter", "Loss", "Goodput", "MOS p5", "Completed in",
        ]
        var rows: [[Cell]] = []
        for (index, entry) in record.scenario.traffic.enumerated() {
            let flows = Set(record.flows.filter { $0.entry == index }.map(\.number))
            for direction in FlowDirection.allCases {
                let reports = record.flowReports.filter { $0.direction == direction && flows.contains($0.flow) }
                guard !reports.isEmpty else { continue }
                let ends = [entry.from, entry.to].map { record.nodeName($0) ?? "?" }
                let way = direction == .forward ? "\(ends[0]) → \(ends[1])" : "\(ends[1]) → \(ends[0])"
                rows.append(
                    [Cell(text: entry.name), Cell(text: entry.application.name.rawValue), Cell(text: way)]
                        + figures(of: reports))
            }
        }
        return Table(
            columns: columns(["Traffic", "Application", "Direction"] + numbers, numbers: Set(numbers)), rows: rows,
            note: rows.isEmpty
                ? "The scenario has no traffic."
                : "Latency is one-way; jitter is RFC 3550's, the flows' mean; goodput is a flow's mean.")
    }

    private static func figures(of reports: [FlowReport]) -> [Cell] {
        var latency = LatencyHistogram()
        for report in reports { latency.merge(report.latency) }
        func at(_ share: Double) -> Cell { span(latency.percentile(Ratio(share))?.inMilliseconds) }
        let datagrams = reports.filter { ($0.sent?.packets ?? 0) > 0 || $0.latency.count > 0 }
        let lost = datagrams.reduce(0 as UInt64) { $0 + ($1.received?.lost ?? 0) }
        let arrived = datagrams.reduce(0 as UInt64) { $0 + ($1.received?.packets ?? 0) }
        let carried = reports.filter { ($0.received?.bytes ?? 0) > 0 }
        let jitter = Distribution(datagrams.map(\.jitter.inMilliseconds))
        let completion = Distribution(reports.flatMap(\.completionTimes).map(\.inMilliseconds))
        let loss = lost + arrived > 0 ? Figure.text(Ratio(lost, of: lost + arrived).fraction, .ratio) : "–"
        return [
            Cell(text: Figure.count(UInt64(reports.count))), at(0.5), at(0.95), at(0.99),
            span(latency.maximum?.inMilliseconds), span(jitter?.mean), Cell(text: loss),
            Cell(text: Distribution(carried.map(\.goodput)).map { Figure.rate($0.mean) } ?? "–"),
            Cell(text: Distribution(reports.flatMap(\.mos)).map { Figure.parts($0.p5, .opinionScore).number } ?? "–"),
            span(completion?.p50),
        ]
    }

    static func links(_ record: RunRecord) -> Table {
        let numbers = ["Offered", "Delivered", "Carried", "Dropped", "Share"]
        let rows = record.links.map { account in
            let (source, target) = record.ends(of: account)
            let dropped = account.dropped.reduce(0, +)
            let causes = zip(DropCause.allCases, account.dropped).filter { $0.1 > 0 }.map { cause, packets in
                "\(cause.words) \(Figure.count(packets))"
            }
            return [
                Cell(text: record.linkName(account.link)), Cell(text: "\(source) → \(target)"),
                Cell(text: Figure.count(account.offered)), Cell(text: Figure.count(account.delivered)),
                Cell(text: Figure.size(account.deliveredBytes)), Cell(text: Figure.count(dropped)),
                Cell(text: Figure.text(Ratio(dropped, of: account.offered + account.duplicated).fraction, .ratio)),
                Cell(
                    text: causes.joined(separator: ", ") + (account.isBalanced ? "" : " (does not add up)"),
                    tone: account.isBalanced ? "" : "bad"),
            ]
        }
        return Table(
            columns: columns(["Link", "Direction"] + numbers + ["Causes"], numbers: Set(numbers)), rows: rows,
            note: rows.isEmpty
                ? "No link carried anything." : "Packets; what is neither delivered nor dropped was on its way.")
    }

    static func timeline(_ summary: RunSummary) -> Table {
        let rows = summary.timeline.prefix(timelineLimit).map { entry in
            [
                Cell(text: Figure.time(entry.at)), Cell(text: entry.kind), Cell(text: entry.subject),
                Cell(text: entry.text),
            ]
        }
        let rest = summary.timeline.count - rows.count
        return Table(
            columns: columns(["At", "Kind", "Subject", "What"], numbers: ["At"]), rows: rows,
            note: rest > 0 ? "\(Figure.count(UInt64(rest))) more are in run.sqlite." : "")
    }

    static func metrics(_ summary: RunSummary) -> Table {
        let rows = summary.metrics.all.map { metric in
            [Cell(text: metric.name), Cell(text: Figure.text(metric.value, metric.unit))]
        }
        return Table(columns: columns(["Metric", "Value"], numbers: ["Value"]), rows: rows)
    }
}

extension DropCause {
    /// The cause as a person would say it: `queueFull` is `queue full`.
    var words: String {
        var result = ""
        for character in "\(self)" {
            if character.isUppercase { result += " " }
            result += character.lowercased()
        }
        return result
    }
}
