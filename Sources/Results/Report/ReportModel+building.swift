import Basics
import Measure
import Scenario
import Traffic

extension ReportModel {
    /// Draws together what the report of a run shows.
    public init(_ results: RunResults) {
        let record = results.record
        let lanes = LaneBuilder(record)
        head = Self.head(results)
        tiles = Self.tiles(results)
        end = max(0.001, (record.end - .zero).inSeconds)
        bands = record.incidents.map { incident in
            Band(
                label: incident.label, subject: record.subjectName(of: incident),
                start: (incident.start - .zero).inSeconds, end: incident.end.map { ($0 - .zero).inSeconds },
                isDisruptive: incident.isDisruptive)
        }
        self.lanes = lanes.lanes
        quietLaneCount = lanes.quietCount
        groups = lanes.groups
        panels = PanelBuilder.panels(of: record, tunnels: lanes.shown)
        failovers = ReportTables.failovers(results)
        attacks = record.attacks.isEmpty ? nil : ReportTables.attacks(record)
        expectations = ReportTables.expectations(results.summary)
        traffic = ReportTables.traffic(record)
        links = ReportTables.links(record)
        timeline = ReportTables.timeline(results.summary)
        metrics = ReportTables.metrics(results.summary)
        sketch = TopologySketch.drawn(record)
    }

    private static func head(_ results: RunResults) -> Head {
        let record = results.record
        return Head(
            scenario: record.scenario.name, description: record.scenario.description,
            status: results.summary.status.rawValue, backend: record.backend, seed: String(record.seed),
            version: results.version, digest: results.digest, simulatedSeconds: (record.end - .zero).inSeconds,
            warmupSeconds: record.scenario.warmup.inSeconds, wallSeconds: results.wallSeconds)
    }

    private static func tiles(_ results: RunResults) -> [Tile] {
        let metrics = results.summary.metrics
        var tiles: [Tile] = []
        func add(_ label: String, _ name: String, note: String = "") {
            guard let metric = metrics[name] else { return }
            let (number, unit) = Figure.parts(metric.value, metric.unit)
            let results = results.summary.expectations.filter { $0.expectation.metric == name }
            let tone = results.isEmpty ? "" : results.allSatisfy(\.passed) ? "good" : "bad"
            tiles.append(Tile(label: label, number: number, unit: unit, note: note, tone: tone))
        }
        let median = metrics["failover.outage.p50"].map { "median \(Figure.text($0.value, $0.unit))" } ?? ""
        add("Worst outage", "failover.outage.max", note: median)
        if metrics["failover.outage.max"] == nil {
            tiles.append(Tile(label: "Worst outage", number: "–", unit: "", note: "no flow was hit", tone: ""))
        }
        let detected = metrics["failover.detection.max"].map { "slowest \(Figure.text($0.value, $0.unit))" } ?? ""
        add("Detection, median", "failover.detection.p50", note: detected)
        add("Attack packets refused", "security.attackPacketsDropped", note: "of those that reached a node")
        tiles.append(lossTile(results.record))
        if let worst = worstCalls(results) {
            let number = Figure.parts(worst.value, .opinionScore).number
            let isBelowWanted = results.summary.expectations.contains { result in
                !result.passed && result.expectation.metric.hasPrefix("traffic.\(worst.name).mos")
            }
            let tone = isBelowWanted || worst.value < 3.1 ? "bad" : worst.value >= 3.6 ? "good" : ""
            tiles.append(
                Tile(label: "Call quality, p5", number: number, unit: "MOS", note: "\(worst.name), of 4.5", tone: tone))
        }
        let violations = results.record.violations.count
        tiles.append(
            Tile(
                label: "Invariant violations", number: Figure.number(Double(violations)), unit: "",
                note: violations == 0 ? "none" : results.record.violations[0].kind.rawValue,
                tone: violations == 0 ? "good" : "bad"))
        if let wall = results.wallSeconds, wall > 0 {
            let speed = (results.record.end - .zero).inSeconds / wall
            tiles.append(
                Tile(
                    label: "Run speed", number: Figure.number(speed), unit: "× real time",
                    note: "\(Figure.number(wall)) s on the clock", tone: ""))
        }
        return tiles
    }

    private static func lossTile(_ record: RunRecord) -> Tile {
        var lost: UInt64 = 0
        var expected: UInt64 = 0
        for report in record.flowReports {
            guard let received = report.received, (report.sent?.packets ?? 0) > 0 else { continue }
            lost += received.lost
            expected += received.lost + received.packets
        }
        let share = Figure.text(Ratio(lost, of: expected).fraction, .ratio)
        let note = expected == 0 ? "no datagrams were sent" : "\(share) of \(Figure.count(expected)) datagrams"
        return Tile(label: "Packets lost", number: Figure.count(lost), unit: "", note: note, tone: "")
    }

    /// The traffic with the lowest fifth percentile of its opinion scores.
    private static func worstCalls(_ results: RunResults) -> (name: String, value: Double)? {
        let scores = results.record.scenario.traffic.compactMap { entry in
            results.summary.metrics["traffic.\(entry.name).mos.p5"].map { (name: entry.name, value: $0.value) }
        }
        return scores.min { $0.value < $1.value }
    }
}
