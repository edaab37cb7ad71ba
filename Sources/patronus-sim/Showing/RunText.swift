import Basics
import Measure
import Results
import Scenario

/// What came of a run, as a person reads it on a terminal.
struct RunText {
    private let results: RunResults
    private let folder: String
    private let palette: Palette

    init(_ results: RunResults, folder: String, palette: Palette) {
        self.results = results
        self.folder = folder
        self.palette = palette
    }

    private var summary: RunSummary { results.summary }
    private var record: RunRecord { results.record }

    var text: String {
        let parts = [[heading] + invalidity, failover, traffic, expectations, violations, footer]
        let sections = parts.filter { !$0.isEmpty }
        return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// The failed expectations and invariants, for the runners that show them beside the file.
    static func annotations(_ results: RunResults, file: String) -> String {
        let expectations = results.summary.expectations.filter { !$0.passed }.map { result in
            "\(result.expectation.metric): wanted \(wanted(result)), \(measured(result))"
        }
        let violations = results.record.violations.map { "\($0.kind.rawValue): \($0.text)" }
        return (expectations + violations).map { BuildAnnotation.line("error", $0, file: file) }.joined()
    }

    private var heading: String {
        let status = summary.status.rawValue.uppercased()
        let painted = summary.status == .passed ? palette.good(status) : palette.bad(status)
        return "\(painted)  \(record.scenario.name), seed \(record.seed), backend \(record.backend)"
    }

    /// Why the figures mean nothing, where they do not.
    private var invalidity: [String] { record.invalidity.map { "  \($0)" } }

    private var failover: [String] {
        var table = TextTable(["FAILOVER", "MEDIAN", "MAX", "COUNT"])
        let rows = [
            ("outage", "failover.outage"), ("detection", "failover.detection"),
            ("switchover", "failover.switchover"), ("packets lost", "failover.packetsLost"),
        ]
        let found = rows.filter { summary.metrics[$0.1] != nil }
        for (title, name) in found {
            table.append([title, figure("\(name).p50"), figure("\(name).max"), figure("\(name).count")])
        }
        return found.isEmpty ? [] : table.lines
    }

    private var traffic: [String] {
        let columns = [
            ("LATENCY P50", "latency.p50"), ("P99", "latency.p99"), ("JITTER", "jitter"), ("LOSS", "loss"),
            ("MOS P5", "mos.p5"), ("GOODPUT", "goodput"), ("COMPLETION", "completionTime"),
        ]
        let entries = record.scenario.traffic
        let used = columns.filter { column in
            entries.contains { summary.metrics["traffic.\($0.name).\(column.1)"] != nil }
        }
        guard !used.isEmpty else { return [] }
        var table = TextTable(["TRAFFIC"] + used.map(\.0))
        for entry in entries {
            table.append([entry.name] + used.map { figure("traffic.\(entry.name).\($0.1)") })
        }
        return table.lines
    }

    private var expectations: [String] {
        guard !summary.expectations.isEmpty else { return [] }
        var table = TextTable(["        EXPECTATION", "WANTED", "MEASURED"], leadingColumns: 3)
        for result in summary.expectations {
            table.append(["        \(result.expectation.metric)", Self.wanted(result), Self.measured(result)])
        }
        // The verdicts come last into their place, since colours have no width.
        let verdicts = summary.expectations.map { $0.passed ? palette.good("passed  ") : palette.bad("FAILED  ") }
        return [table.lines[0]] + zip(verdicts, table.lines.dropFirst()).map { $0 + $1.dropFirst(8) }
    }

    private var violations: [String] {
        guard !record.violations.isEmpty else { return [] }
        let shown = record.violations.prefix(20).map { violation in
            let seconds = Amount.fixed((violation.at - .zero).inSeconds, decimals: 3)
            let node = violation.node.map { record.scenario.topology.nodes[$0].name } ?? "network"
            return "  \(seconds) s  \(node): \(violation.text)"
        }
        let rest = record.violations.count - shown.count
        return [palette.bad("INVARIANTS VIOLATED: \(record.violations.count)")] + shown
            + (rest > 0 ? ["  and \(rest) more"] : [])
    }

    private var footer: [String] {
        let simulated = (record.end - .zero).inSeconds
        var cost = "simulated \(record.end - .zero)"
        if let wall = results.wallSeconds {
            cost += " in \(Amount.number(wall)) s"
            if wall > 0 { cost += ", \(Amount.number(simulated / wall)) x real time" }
        }
        return [cost, "digest \(results.digest)", "report: \(folder)/report.html"]
    }

    private func figure(_ name: String) -> String {
        summary.metrics[name].map { Amount.text($0.value, $0.unit) } ?? "-"
    }

    private static func wanted(_ result: ExpectationResult) -> String {
        "\(result.expectation.condition.operatorName) \(result.expectation.limitText)"
    }

    private static func measured(_ result: ExpectationResult) -> String {
        let reason = result.reason.map { result.value == nil ? $0 : " (\($0))" } ?? ""
        guard let value = result.value else { return reason.isEmpty ? "not measured" : reason }
        return Amount.text(value, result.unit) + reason
    }
}
