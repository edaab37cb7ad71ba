/// Rows of text with aligned columns, two spaces apart.
struct TextTable {
    /// How many of the first columns stand to the left; the others stand to the right.
    let leadingColumns: Int
    private var rows: [[String]] = []

    init(_ heading: [String], leadingColumns: Int = 1) {
        self.leadingColumns = leadingColumns
        rows = [heading]
    }

    mutating func append(_ row: [String]) { rows.append(row) }

    /// The table's lines, the heading first.
    var lines: [String] {
        let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (column < leadingColumns ? cell + space : space + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
