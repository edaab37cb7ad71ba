import Foundation
import TestKit
import Testing

/// What was seen of each daemon, as the table in the documentation.
struct InteroperationMatrix {
    enum Answer: Equatable {
        case yes, no
        /// The daemon does not have it, for this reason.
        case absent(String)
    }

    let columns: [String]
    private var rows: [(title: String, answers: [Answer])] = []

    init(columns: [String]) {
        self.columns = columns
    }

    mutating func add(_ title: String, _ answers: [Answer]) {
        rows.append((title, answers))
    }

    /// The table, with its footnotes below.
    var text: String {
        var notes: [String] = []
        var lines = ["| | \(columns.joined(separator: " | ")) |", "|---|" + columns.map { _ in "---|" }.joined()]
        for row in rows {
            let cells = row.answers.map { answer in
                switch answer {
                case .yes: return "yes"
                case .no: return "no"
                case .absent(let reason):
                    if !notes.contains(reason) { notes.append(reason) }
                    return "- (\((notes.firstIndex(of: reason) ?? 0) + 1))"
                }
            }
            lines.append("| \(row.title) | \(cells.joined(separator: " | ")) |")
        }
        let footnotes = notes.enumerated().map { "\n(\($0.offset + 1)) The daemon does not have it: \($0.element)." }
        return (lines + footnotes).joined(separator: "\n") + "\n"
    }

    /// Holds the table against the one in the documentation, or puts it there with `PATRONUS_UPDATE_GOLDEN=1`.
    func expectDocumented(filePath: String = #filePath) throws {
        let root = URL(filePath: filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let page = root.appending(path: "docs/bgp.md")
        let document = try String(contentsOf: page, encoding: .utf8)
        let begin = try #require(document.range(of: "<!-- interoperation: begin -->\n"))
        let end = try #require(document.range(of: "<!-- interoperation: end -->"))
        if ProcessInfo.processInfo.environment["PATRONUS_UPDATE_GOLDEN"] == "1" {
            let changed = document.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: text)
            return try Data(changed.utf8).write(to: page)
        }
        #expect(document[begin.upperBound..<end.lowerBound] == text)
    }
}
