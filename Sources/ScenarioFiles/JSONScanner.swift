/// A strict scanner of JSON (RFC 8259) that knows where everything stands.
///
/// Commas too many, comments and keys that stand twice are reported and passed over,
/// so that the rest of the file is judged too; after any other fault it stops.
struct JSONScanner {
    /// Thrown to stop; the fault has been noted.
    private struct Stop: Error {}

    private let bytes: [UInt8]
    private let file: String
    private var index = 0
    private var line = 1
    /// A place on the current line whose column is known, so that columns are counted once.
    private var markIndex = 0
    private var markColumn = 1
    private var path: [PathComponent] = []
    private var nodeCount = 0
    private var faults: [Fault] = []

    static func read(_ bytes: [UInt8], file: String) -> ParsedDocument {
        var scanner = JSONScanner(bytes: bytes, file: file)
        let root = try? scanner.document()
        return ParsedDocument(root: root, faults: scanner.faults)
    }

    private init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    private mutating func document() throws(Stop) -> DocumentNode {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            index = 3
            markIndex = 3
        }
        guard bytes.count <= DocumentLimits.byteCount else {
            throw stop("the file is too large; at most \(DocumentLimits.byteCount >> 20) MiB are read")
        }
        skipSpace()
        guard index < bytes.count else { throw stop("the file is empty; write an object { … }") }
        let root = try value()
        skipSpace()
        guard index == bytes.count else {
            throw stop("something follows the end of the document; write one object and nothing behind it")
        }
        return root
    }

    // MARK: Values

    private mutating func value() throws(Stop) -> DocumentNode {
        nodeCount += 1
        guard nodeCount <= DocumentLimits.nodeCount else {
            throw stop("the document has too many values; at most \(DocumentLimits.nodeCount) are read")
        }
        guard index < bytes.count else { throw stop("the file ends where a value is expected; it may be cut off") }
        let position = position()
        switch bytes[index] {
        case UInt8(ascii: "{"): return DocumentNode(.object(try object()), at: position)
        case UInt8(ascii: "["): return DocumentNode(.array(try array()), at: position)
        case UInt8(ascii: "\""): return DocumentNode(.string(try string()), at: position)
        case UInt8(ascii: "-"), 0x30...0x39: return DocumentNode(.number(try number()), at: position)
        default: return DocumentNode(try word(), at: position)
        }
    }

    private mutating func object() throws(Stop) -> [DocumentNode.Member] {
        var members: [DocumentNode.Member] = []
        var seen: Set<String> = []
        try enter()
        while try nextElement(isFirst: members.isEmpty, closing: UInt8(ascii: "}")) {
            guard bytes[index] == UInt8(ascii: "\"") else {
                throw stop("a key is expected; write it as a string in double quotes")
            }
            let keyPosition = position()
            let key = try string()
            path.append(.key(key))
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else {
                throw stop("a colon is expected between a key and its value; write \"key\": value")
            }
            index += 1
            skipSpace()
            let node = try value()
            if !seen.insert(key).inserted {
                note("the key stands twice in one object; keep one of the two", at: keyPosition)
            } else {
                members.append(DocumentNode.Member(key: key, keyPosition: keyPosition, node: node))
            }
            path.removeLast()
        }
        return members
    }

    private mutating func array() throws(Stop) -> [DocumentNode] {
        var elements: [DocumentNode] = []
        try enter()
        while try nextElement(isFirst: elements.isEmpty, closing: UInt8(ascii: "]")) {
            path.append(.index(elements.count))
            elements.append(try value())
            path.removeLast()
        }
        return elements
    }

    /// Passes the opening bracket.
    private mutating func enter() throws(Stop) {
        guard path.count < DocumentLimits.depth else {
            throw stop("lists and objects are nested too deep; at most \(DocumentLimits.depth) levels are read")
        }
        index += 1
    }

    /// Passes the comma in front of the next element, or the closing bracket, and tells which it was.
    private mutating func nextElement(isFirst: Bool, closing: UInt8) throws(Stop) -> Bool {
        let close = closing == UInt8(ascii: "}") ? "}" : "]"
        skipSpace()
        guard index < bytes.count else {
            throw stop("the file ends inside a list or an object; close it with \(close)")
        }
        if bytes[index] == closing {
            index += 1
            return false
        }
        if !isFirst {
            guard bytes[index] == UInt8(ascii: ",") else {
                throw stop("a comma or \(close) is expected here; write a comma between two elements")
            }
            let comma = position()
            index += 1
            skipSpace()
            if index < bytes.count, bytes[index] == closing {
                note("a comma stands before \(close); leave it out", at: comma)
                index += 1
                return false
            }
        }
        guard index < bytes.count else {
            throw stop("the file ends inside a list or an object; close it with \(close)")
        }
        return true
    }

    private mutating func word() throws(Stop) -> DocumentNode.Value {
        let start = index
        var end = index
        while end < bytes.count, Self.isWordByte(bytes[end]), end - start < 64 { end += 1 }
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        let value: DocumentNode.Value
        switch text {
        case "true": value = .bool(true)
        case "false": value = .bool(false)
        case "null": value = .null
        case "": throw stop("a value is expected here; write a string, a number, a list or an object")
        default: throw stop("\(text) is no value of JSON; write it as a string, \"\(text)\"")
        }
        index = end
        return value
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// The text of a number by the grammar of RFC 8259 §6.
    private mutating func number() throws(Stop) -> String {
        let start = index
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        let whole = digits()
        let leadingZero = whole > 1 && bytes[index - whole] == UInt8(ascii: "0")
        var isWellFormed = whole > 0 && !leadingZero
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            isWellFormed = digits() > 0 && isWellFormed
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            isWellFormed = digits() > 0 && isWellFormed
        }
        var end = index
        while end < bytes.count, Self.isWordByte(bytes[end]), end - start < 64 { end += 1 }
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        guard isWellFormed, end == index, end - start < 64 else {
            index = start
            throw stop("\(text) is no number of JSON; write a quantity with its unit as a string, \"\(text)\"")
        }
        return text
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
        return index - start
    }

    // MARK: Strings

    private mutating func string() throws(Stop) -> String {
        let start = position()
        index += 1
        var content: [UInt8] = []
        while true {
            guard index < bytes.count else {
                throw stop("the file ends inside a string; close it with a double quote", at: start)
            }
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw stop("the string is not UTF-8; save the file as UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                content.append(contentsOf: escape())
            case 0..<0x20:
                throw stop("a line break, tab or control character stands in a string; write \\n, \\t or \\u00XX")
            default:
                content.append(byte)
                index += 1
            }
        }
    }

    /// The octets that an escape stands for; a bad one is noted and stands for nothing.
    private mutating func escape() -> [UInt8] {
        let position = position()
        index += 1
        guard index < bytes.count else { return [] }
        let letter = bytes[index]
        index += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            guard let scalar = scalarEscape() else {
                note("the escape names no character; write \\u with four hexadecimal digits", at: position)
                return []
            }
            return Array(String(Character(scalar)).utf8)
        default:
            index -= 1
            note("there is no such escape in JSON; write \\\\ for a backslash", at: position)
            return []
        }
    }

    /// The character behind `\u`, of two escapes where it is a pair of surrogates (RFC 8259 §7).
    private mutating func scalarEscape() -> Unicode.Scalar? {
        guard let unit = hexadecimalUnit() else { return nil }
        guard unit & 0xFC00 == 0xD800 else { return Unicode.Scalar(unit) }
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        index += 2
        guard let low = hexadecimalUnit(), low & 0xFC00 == 0xDC00 else { return nil }
        return Unicode.Scalar(0x1_0000 + (unit & 0x3FF) << 10 + (low & 0x3FF))
    }

    private mutating func hexadecimalUnit() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[index + offset])).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        index += 4
        return unit
    }

    // MARK: Places

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x0A:
                index += 1
                line += 1
                markIndex = index
                markColumn = 1
            case 0x20, 0x09, 0x0D:
                index += 1
            case UInt8(ascii: "#"), UInt8(ascii: "/"):
                guard skipComment() else { return }
            default:
                return
            }
        }
    }

    /// Passes a comment, which JSON does not have; false where this is none.
    private mutating func skipComment() -> Bool {
        let isBlock = bytes[index...].starts(with: [UInt8(ascii: "/"), UInt8(ascii: "*")])
        let isLine = bytes[index] == UInt8(ascii: "#") || bytes[index...].starts(with: [0x2F, 0x2F])
        guard isBlock || isLine else { return false }
        note("JSON has no comments; leave it out, or write YAML", at: position())
        if isBlock { index += 2 }
        while index < bytes.count {
            if isLine, bytes[index] == 0x0A { return true }
            if isBlock, bytes[index...].starts(with: [UInt8(ascii: "*"), UInt8(ascii: "/")]) {
                index += 2
                return true
            }
            index += 1
            if bytes[index - 1] == 0x0A {
                line += 1
                markIndex = index
                markColumn = 1
            }
        }
        return true
    }

    /// The place of the next byte; it never lies before a place asked for earlier.
    private mutating func position() -> Position {
        while markIndex < index {
            // Octets that continue a character of UTF-8 take no column.
            if markIndex < bytes.count, bytes[markIndex] & 0xC0 != 0x80 { markColumn += 1 }
            markIndex += 1
        }
        return Position(line: line, column: markColumn)
    }

    private mutating func note(_ message: String, at position: Position) {
        faults.append(
            Fault(
                file: file, line: position.line, column: position.column, path: PathComponent.text(path),
                message: message))
    }

    private mutating func stop(_ message: String, at position: Position? = nil) -> Stop {
        let here = self.position()
        note(message, at: position ?? here)
        return Stop()
    }
}
