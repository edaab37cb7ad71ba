/// `report.html`: one file that needs nothing else, to be looked at rather than read.
public struct ReportPage: Sendable {
    public let text: String

    public init(_ model: ReportModel) {
        let figure = ReportFigure(model)
        text = """
            <!DOCTYPE html>
            <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>\(Markup.escaped(model.head.scenario)) · \(Markup.escaped(model.head.status))</title>
            <style>
            \(ReportStyle.text)
            </style>
            </head>
            <body>
            <main>
            \(Self.header(model.head))
            \(Self.tiles(model.tiles))
            \(Self.section("run", "The run on one time axis", figure.text))
            \(Self.section("expectations", "Expectations", Self.table(model.expectations)))
            \(Self.section("failovers", "Failovers", Self.table(model.failovers)))
            \(model.attacks.map { Self.section("attacks", "Attacks", Self.table($0)) } ?? "")
            \(Self.section("traffic", "Traffic", Self.table(model.traffic)))
            \(Self.section("topology", "Topology", SketchDrawing(model.sketch).text))
            \(Self.folded("links", "Links", model.links))
            \(Self.folded("timeline", "Timeline", model.timeline))
            \(Self.folded("metrics", "All metrics", model.metrics))
            </main>
            <script type="application/json" id="data">\(figure.data.compact)</script>
            <script>
            \(ReportScript.text)
            </script>
            </body>
            </html>

            """
    }

    private static func header(_ head: ReportModel.Head) -> String {
        var facts = [
            ("Backend", head.backend), ("Seed", head.seed),
            ("Simulated", "\(Figure.number(head.simulatedSeconds)) s"),
        ]
        if head.warmupSeconds > 0 { facts.append(("Warm-up", "\(Figure.number(head.warmupSeconds)) s")) }
        if let wall = head.wallSeconds { facts.append(("Took", "\(Figure.number(wall)) s")) }
        facts.append(("Version", head.version))
        facts.append(("Digest", head.digest))
        let list = facts.map { name, value in
            let isDigest = name == "Digest"
            return "<div\(isDigest ? " class=\"digest\"" : "")><dt>\(name)</dt><dd>\(Markup.escaped(value))</dd></div>"
        }
        let description = head.description.isEmpty ? "" : "<p>\(Markup.escaped(head.description))</p>"
        return """
            <header>
            <div class="title"><h1>\(Markup.escaped(head.scenario))</h1>\(badge(head.status))</div>
            \(description)
            <dl>\(list.joined())</dl>
            </header>
            """
    }

    private static func badge(_ status: String) -> String {
        let sign = ["passed": "✓", "failed": "✗", "invalid": "!"][status] ?? "!"
        let name = Markup.escaped(status)
        return "<span class=\"badge \(name)\"><span aria-hidden=\"true\">\(sign)</span> \(name)</span>"
    }

    private static func tiles(_ tiles: [ReportModel.Tile]) -> String {
        let items = tiles.map { tile in
            """
            <li class="\(tile.tone)"><span class="label">\(Markup.escaped(tile.label))</span>\
            <span class="number">\(Markup.escaped(tile.number))\
            <small>\(Markup.escaped(tile.unit))</small></span>\
            <span class="note">\(Markup.escaped(tile.note))</span></li>
            """
        }
        return "<ul class=\"tiles\" id=\"figures\">\n\(items.joined(separator: "\n"))\n</ul>"
    }

    private static func section(_ id: String, _ title: String, _ content: String) -> String {
        "<section id=\"\(id)\">\n<h2>\(title)</h2>\n\(content)\n</section>"
    }

    private static func folded(_ id: String, _ title: String, _ table: ReportModel.Table) -> String {
        """
        <section id="\(id)">
        <details><summary><h2>\(title)</h2> <span class="count">\(table.rows.count)</span></summary>
        \(Self.table(table))
        </details>
        </section>
        """
    }

    private static func table(_ table: ReportModel.Table) -> String {
        let note = table.note.isEmpty ? "" : "<p class=\"note\">\(Markup.escaped(table.note))</p>"
        guard !table.rows.isEmpty else { return note }
        func numeric(_ column: Int) -> Bool { column < table.columns.count && table.columns[column].isNumber }
        let head = table.columns.map { column in
            "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" : "")>\(Markup.escaped(column.title))</th>"
        }
        let rows = table.rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let text = Markup.escaped(cell.text)
                let content = cell.tone.isEmpty ? text : "<span class=\"tone \(cell.tone)\">\(text)</span>"
                return "<td\(numeric(column) ? " class=\"n\"" : "")>\(content)</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        return """
            <div class="scroll"><table>
            <thead><tr>\(head.joined())</tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            \(note)
            """
    }
}
