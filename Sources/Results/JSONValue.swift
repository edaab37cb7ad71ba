/// A JSON document whose keys keep their order, so that equal documents are equal octets.
indirect enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// Written without a fraction where it has none; what is not finite is written as null.
    case number(Double)
    case whole(UInt64)
    case text(String)
    case array([JSONValue])
    case object([Member])

    /// One key of an object, with its value.
    struct Member: Equatable, Sendable {
        let key: String
        let value: JSONValue

        init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

    static func optional(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }

    /// The document with two spaces for each level, and objects that hold only plain values on one line below the top.
    var prettyPrinted: String {
        var output = ""
        write(to: &output, level: 0)
        return output + "\n"
    }

    /// The document on one line, safe inside an HTML `script` element.
    var compact: String {
        var output = ""
        write(to: &output, level: nil)
        return output
    }

    private var isPlain: Bool {
        switch self {
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .null, .boolean, .number, .whole, .text: true
        }
    }

    private func write(to output: inout String, level: Int?) {
        switch self {
        case .null: output += "null"
        case .boolean(let value): output += value ? "true" : "false"
        case .number(let value): output += Self.digits(of: value)
        case .whole(let value): output += String(value)
        case .text(let value): Self.write(value, to: &output)
        case .array(let elements):
            let isFlat = elements.allSatisfy(\.isPlain)
            Self.writeList(elements, "[", "]", isFlat: isFlat, level: level, to: &output) { element, output, level in
                element.write(to: &output, level: level)
            }
        case .object(let members):
            let isFlat = (level ?? 0) > 0 && members.allSatisfy(\.value.isPlain)
            Self.writeList(members, "{", "}", isFlat: isFlat, level: level, to: &output) { member, output, level in
                Self.write(member.key, to: &output)
                output += level == nil ? ":" : ": "
                member.value.write(to: &output, level: level)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], _ open: String, _ close: String, isFlat: Bool, level: Int?, to output: inout String,
        _ write: (Element, inout String, Int?) -> Void
    ) {
        output += open
        let inner = level.map { $0 + 1 }
        let isSpread = level != nil && !isFlat && !elements.isEmpty
        for (index, element) in elements.enumerated() {
            if index > 0 { output += level != nil && !isSpread ? ", " : "," }
            if isSpread, let inner { output += "\n" + String(repeating: "  ", count: inner) }
            write(element, &output, inner)
        }
        if isSpread, let level { output += "\n" + String(repeating: "  ", count: level) }
        output += close
    }

    private static func digits(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return value.description
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            // The last two end lines in JavaScript; the first three could end a script element.
            case "\u{00}"..."\u{1F}", "<", ">", "&", "\u{7F}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
