import Foundation

/// What came of looking for the first event at which two runs differ.
enum DivergenceFinding: Equatable {
    /// What each run did first that the other did not; nil where it did nothing more in that second.
    case events(NamedEvent?, NamedEvent?)
    /// Why no event can be named.
    case unknown(String)

    var text: String {
        switch self {
        case .unknown(let reason):
            return reason + "\n"
        case .events(let first, let second):
            var table = TextTable(["FIRST EVENT THAT DIFFERS", "AT", "NODE", "WHAT"], leadingColumns: 4)
            for (title, event) in [("first", first), ("second", second)] {
                table.append([title] + (event?.cells ?? ["-", "-", "nothing more in this second"]))
            }
            return table.lines.joined(separator: "\n") + "\n"
        }
    }

    /// A JSON document that is an object, with this as one more key: `firstEvents`.
    func inserted(intoObject document: String) -> String {
        guard let brace = document.lastIndex(of: "}") else { return document }
        var head = document[..<brace]
        while head.last?.isWhitespace == true { head = head.dropLast() }
        return "\(head),\n  \"firstEvents\": \(json)\n}\n"
    }

    private var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document: Document
        switch self {
        case .unknown(let reason): document = Document(first: nil, second: nil, reason: reason)
        case .events(let first, let second): document = Document(first: first, second: second, reason: nil)
        }
        guard let data = try? encoder.encode(document) else { return "null" }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Document: Encodable {
        let first: NamedEvent?
        let second: NamedEvent?
        /// Why no event can be named.
        let reason: String?
    }
}
