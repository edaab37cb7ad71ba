import Scenario

extension RunComparison {
    /// The comparison as a person reads it: a table with aligned columns, and what else differs.
    ///
    /// Metrics that are equal are left out, unless it is to be full.
    public func text(isFull: Bool = false) -> String {
        var lines = heading()
        let shown = metrics.filter { isFull || !$0.isEqual }
        if !shown.isEmpty {
            let rows = [["METRIC", "FIRST", "SECOND", "DIFFERENCE", ""]] + shown.map(Self.row)
            lines += [""] + Self.aligned(rows)
        }
        let equal = metrics.count { $0.isEqual }
        if !isFull, equal > 0 { lines += ["", "\(equal) of \(metrics.count) metrics are equal."] }
        if !expectations.isEmpty {
            let rows =
                [["EXPECTATION", "", "FIRST", "SECOND"]]
                + expectations.map { change in
                    [change.metric, change.condition, Self.word(change.firstPassed), Self.word(change.secondPassed)]
                }
            lines += [""] + Self.aligned(rows, leading: 2)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func heading() -> [String] {
        let rows = [("first", first), ("second", second)].map { name, run in
            [name, run.path, run.scenario, "seed \(run.seed)", run.backend, run.version, run.status]
        }
        var lines = Self.aligned(rows, leading: 7)
        if isSameRun {
            lines += ["", "Both runs did the same: \(first.digest)"]
        } else if let divergence {
            let place = divergence.node.map { ", first at \($0)" } ?? ""
            lines += ["", "The runs part in second \(divergence.second)\(place)."]
        } else if first.checkpoints.isEmpty || second.checkpoints.isEmpty {
            lines += ["", "At least one run cannot be repeated event by event, so only the metrics can be compared."]
        } else {
            lines += ["", "The runs did the same in every second that both ran; their digests differ."]
        }
        return lines
    }

    private static func row(_ change: MetricChange) -> [String] {
        let unit = MetricUnit(rawValue: change.unit) ?? .none
        func text(_ value: Double?) -> String { value.map { plain(Figure.text($0, unit)) } ?? "-" }
        let difference = change.difference.map { ($0 > 0 ? "+" : "") + text($0) } ?? ""
        let relative = change.relativeDifference.map { share in
            (share > 0 ? "+" : "") + plain(Figure.text(share, .ratio))
        }
        return [change.name, text(change.first), text(change.second), difference, relative ?? ""]
    }

    private static func word(_ passed: Bool?) -> String { passed.map { $0 ? "passed" : "failed" } ?? "absent" }

    /// Without the thin spaces and the long minus, which terminals may show in another width.
    private static func plain(_ text: String) -> String {
        var result = ""
        for character in text where character != "\u{202F}" { result.append(character == "−" ? "-" : character) }
        return result
    }

    /// Columns two spaces apart, the first `leading` of them to the left, the rest to the right.
    private static func aligned(_ rows: [[String]], leading: Int = 1) -> [String] {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (column < leading ? cell + space : space + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The comparison as a program reads it.
    public var json: String {
        func run(_ run: StoredRun) -> JSONValue {
            .object([
                .init("path", .text(run.path)), .init("scenario", .text(run.scenario)),
                .init("backend", .text(run.backend)), .init("seed", .whole(run.seed)),
                .init("version", .text(run.version)), .init("status", .text(run.status)),
                .init("digest", .text(run.digest)),
            ])
        }
        func truth(_ value: Bool?) -> JSONValue { value.map { .boolean($0) } ?? .null }
        let divergence = divergence.map { divergence in
            JSONValue.object([
                .init("second", .whole(divergence.second)), .init("node", .optional(divergence.node)),
            ])
        }
        return JSONValue.object([
            .init("format", .whole(1)), .init("first", run(first)), .init("second", run(second)),
            .init("same", .boolean(isSameRun)), .init("divergence", divergence ?? .null),
            .init(
                "metrics",
                .object(
                    metrics.map { change in
                        .init(
                            change.name,
                            .object([
                                .init("unit", .text(change.unit)), .init("first", .optional(change.first)),
                                .init("second", .optional(change.second)),
                                .init("difference", .optional(change.difference)),
                                .init("relativeDifference", .optional(change.relativeDifference)),
                            ]))
                    })),
            .init(
                "expectations",
                .array(
                    expectations.map { change in
                        .object([
                            .init("metric", .text(change.metric)), .init("condition", .text(change.condition)),
                            .init("first", truth(change.firstPassed)), .init("second", truth(change.secondPassed)),
                        ])
                    })),
        ]).prettyPrinted
    }
}
