/// An element of an XML document, with its own text and its children in order.
struct XMLElement {
    var name: String
    var attributes: [(name: String, value: String)] = []
    var children: [XMLElement] = []
    /// The text directly inside it, with that of several pieces joined.
    var text = ""
    var position: Position

    subscript(attribute: String) -> String? {
        attributes.first { $0.name == attribute }?.value
    }
}

/// A strict scanner of the XML that graphs are written in: elements, attributes, text, comments.
///
/// It knows the five entities of XML itself and characters by number. There is no
/// document type, so that no entity can grow without bound, and nothing is fetched.
struct XMLScanner {
    /// Thrown to stop, with what is wrong and where.
    struct Failure: Error {
        var message: String
        var position: Position
    }

    private static let depthLimit = 16

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    /// The document's one element.
    static func read(_ bytes: [UInt8]) throws(Failure) -> XMLElement {
        var scanner = XMLScanner(bytes: bytes)
        return try scanner.document()
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func document() throws(Failure) -> XMLElement {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw failure("the file is not UTF-8; save it as UTF-8")
        }
        if at("\u{FEFF}") { index += 3 }
        try skipBetweenElements()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "<") else {
            throw failure("an element is expected here; write <graphml>")
        }
        let root = try element(depth: 0)
        try skipBetweenElements()
        guard index == bytes.count else {
            throw failure("something follows the end of the document; write one element and nothing behind it")
        }
        return root
    }

    // MARK: Elements

    /// The element whose `<` is next.
    private mutating func element(depth: Int) throws(Failure) -> XMLElement {
        guard depth < Self.depthLimit else {
            throw failure("elements are nested too deep; at most \(Self.depthLimit) levels are read")
        }
        let position = position
        advance()
        var element = XMLElement(name: try name(), position: position)
        while true {
            let hadSpace = skipSpace()
            if take("/>") { return element }
            if take(">") { break }
            guard hadSpace, index < bytes.count else {
                throw failure("the tag is not closed; write > behind its attributes")
            }
            let place = self.position
            let attribute = try attribute()
            if element[attribute.name] != nil {
                throw Failure(message: "the attribute stands twice; keep one of the two", position: place)
            }
            element.attributes.append(attribute)
        }
        try content(of: &element, depth: depth)
        return element
    }

    private mutating func content(of element: inout XMLElement, depth: Int) throws(Failure) {
        var text: [UInt8] = []
        while true {
            guard index < bytes.count else {
                throw failure("the file ends inside <\(element.name)>; close it with </\(element.name)>")
            }
            if take("</") {
                let position = position
                let closed = try name()
                _ = skipSpace()
                guard closed == element.name, take(">") else {
                    throw Failure(
                        message: "this does not close <\(element.name)>; write </\(element.name)>", position: position)
                }
                element.text = String(decoding: text, as: UTF8.self)
                return
            }
            if take("<![CDATA[") {
                try collect(upTo: "]]>", into: &text)
            } else if try skipMarkup() {
                continue
            } else if bytes[index] == UInt8(ascii: "<") {
                element.children.append(try self.element(depth: depth + 1))
            } else {
                try character(into: &text)
            }
        }
    }

    private mutating func attribute() throws(Failure) -> (name: String, value: String) {
        let name = try name()
        _ = skipSpace()
        guard take("=") else { throw failure("an attribute has no value; write NAME=\"VALUE\"") }
        _ = skipSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
            throw failure("an attribute's value stands in quotes; write NAME=\"VALUE\"")
        }
        let quote = bytes[index]
        advance()
        var value: [UInt8] = []
        while index < bytes.count, bytes[index] != quote {
            guard bytes[index] != UInt8(ascii: "<") else {
                throw failure("< stands in an attribute's value; write &lt;")
            }
            try character(into: &value)
        }
        guard index < bytes.count else { throw failure("the file ends inside an attribute's value; close it") }
        advance()
        return (name, String(decoding: value, as: UTF8.self))
    }

    /// A name without the prefix of its namespace.
    private mutating func name() throws(Failure) -> String {
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard let first = text.utf8.first, first >= 0x3A || first == UInt8(ascii: "_") else {
            index = start
            throw failure("a name is expected here; write & as &amp; and < as &lt;")
        }
        return text.split(separator: ":").last.map(String.init) ?? text
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x80..., UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    // MARK: Text

    private mutating func character(into text: inout [UInt8]) throws(Failure) {
        guard bytes[index] == UInt8(ascii: "&") else {
            text.append(bytes[index])
            advance()
            return
        }
        let entities: KeyValuePairs = ["&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": "\"", "&apos;": "'"]
        for (entity, meaning) in entities where take(entity) {
            text.append(contentsOf: meaning.utf8)
            return
        }
        let position = position
        let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";"))
        guard take("&#"), let end, let scalar = numbered(bytes[index..<end]) else {
            throw Failure(message: "there is no such entity; write &amp; for &", position: position)
        }
        index = end + 1
        text.append(contentsOf: String(Character(scalar)).utf8)
    }

    /// The character of `233` or `xE9`.
    private func numbered(_ digits: ArraySlice<UInt8>) -> Unicode.Scalar? {
        let text = String(decoding: digits, as: UTF8.self)
        let value = text.hasPrefix("x") ? UInt32(text.dropFirst(), radix: 16) : UInt32(text)
        return value.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
    }

    private mutating func collect(upTo end: String, into text: inout [UInt8]) throws(Failure) {
        let position = position
        while index < bytes.count {
            if take(end) { return }
            text.append(bytes[index])
            advance()
        }
        throw Failure(message: "the file ends inside this; close it with \(end)", position: position)
    }

    /// Passes a comment or an instruction; false where there is none.
    private mutating func skipMarkup() throws(Failure) -> Bool {
        var passed: [UInt8] = []
        if at("<!DOCTYPE") {
            throw failure("the file has a document type; write it without <!DOCTYPE")
        }
        if take("<!--") {
            try collect(upTo: "-->", into: &passed)
            return true
        }
        guard take("<?") else { return false }
        try collect(upTo: "?>", into: &passed)
        return true
    }

    private mutating func skipBetweenElements() throws(Failure) {
        repeat { _ = skipSpace() } while try skipMarkup()
    }

    // MARK: Places

    /// Passes white space, and tells whether there was any.
    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { advance() }
        return index > start
    }

    private func at(_ text: String) -> Bool {
        bytes[index...].starts(with: text.utf8)
    }

    private mutating func take(_ text: String) -> Bool {
        guard at(text) else { return false }
        index += text.utf8.count
        return true
    }

    private mutating func advance() {
        index += 1
        guard bytes[index - 1] == 0x0A else { return }
        line += 1
        lineStart = index
    }

    /// The place of the next byte; far to the right on a long line, bytes are counted as characters.
    private var position: Position {
        let start = max(lineStart, index - 4_096)
        // Octets that continue a character of UTF-8 take no column.
        let characters = bytes[start..<min(index, bytes.count)].count { $0 & 0xC0 != 0x80 }
        return Position(line: line, column: start - lineStart + characters + 1)
    }

    private func failure(_ message: String) -> Failure {
        Failure(message: message, position: position)
    }
}
