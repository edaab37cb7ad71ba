/// The text of one file, taken apart into code and comments.
///
/// Both keep the file's lines and columns: what belongs to the other, and the inside of
/// string literals and raw identifiers, is blank. So a rule never mistakes a brace in a
/// string for a block, or a word in a comment for a call.
struct SourceText {
    let path: String
    let lines: [Substring]
    let code: [[UInt8]]
    let comments: [[UInt8]]

    init(path: String, _ text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var splitter = Splitter(Array(text.utf8))
        splitter.run()
        let newline = UInt8(ascii: "\n")
        code = splitter.code.split(separator: newline, omittingEmptySubsequences: false).map { Array($0) }
        comments = splitter.comments.split(separator: newline, omittingEmptySubsequences: false).map { Array($0) }
    }
}

/// Walks through a file once and sorts its octets.
private struct Splitter {
    let bytes: [UInt8]
    var code: [UInt8]
    var comments: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        code = bytes
        comments = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    }

    mutating func run() {
        while position < bytes.count {
            if at("//") {
                comment(to: end { bytes[$0] == UInt8(ascii: "\n") })
            } else if at("/*") {
                blockComment()
            } else if at("`") {
                blank(to: min(end(from: position + 1) { bytes[$0] == UInt8(ascii: "`") } + 1, bytes.count))
            } else if let hashes = stringOpening() {
                literal(hashes)
            } else {
                position += 1
            }
        }
    }

    private func at(_ text: StaticString, _ place: Int? = nil) -> Bool {
        let start = place ?? position
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { wanted in
            wanted.indices.allSatisfy { unsafe bytes[start + $0] == wanted[$0] }
        }
    }

    private func end(from start: Int? = nil, where isEnd: (Int) -> Bool) -> Int {
        var place = start ?? position
        while place < bytes.count, !isEnd(place) { place += 1 }
        return place
    }

    private mutating func blank(to end: Int) {
        for place in position..<end where bytes[place] != UInt8(ascii: "\n") { code[place] = UInt8(ascii: " ") }
        position = end
    }

    private mutating func comment(to end: Int) {
        comments.replaceSubrange(position..<end, with: bytes[position..<end])
        blank(to: end)
    }

    private mutating func blockComment() {
        var depth = 0
        var place = position
        repeat {
            if at("/*", place) {
                depth += 1
                place += 2
            } else if at("*/", place) {
                depth -= 1
                place += 2
            } else {
                place += 1
            }
        } while depth > 0 && place < bytes.count
        comment(to: min(place, bytes.count))
    }

    /// The number of hash marks in front of a literal that opens here.
    private func stringOpening() -> Int? {
        let quote = end { bytes[$0] != UInt8(ascii: "#") }
        return at("\"", quote) ? quote - position : nil
    }

    /// Blanks a string literal with all that is interpolated into it.
    private mutating func literal(_ hashes: Int) {
        let isMultiline = at("\"\"\"", position + hashes)
        let quotes = isMultiline ? 3 : 1
        var place = position + hashes + quotes
        while place < bytes.count, !closes(place, quotes: quotes, hashes: hashes) {
            guard bytes[place] == UInt8(ascii: "\\"), isRun(of: "#", hashes, from: place + 1) else {
                if !isMultiline, bytes[place] == UInt8(ascii: "\n") { break }
                place += 1
                continue
            }
            place += 1 + hashes
            place = at("(", place) ? interpolationEnd(from: place) : place + 1
        }
        blank(to: min(place + quotes + hashes, bytes.count))
    }

    private func closes(_ place: Int, quotes: Int, hashes: Int) -> Bool {
        isRun(of: "\"", quotes, from: place) && isRun(of: "#", hashes, from: place + quotes)
    }

    private func isRun(of mark: Unicode.Scalar, _ count: Int, from place: Int) -> Bool {
        place + count <= bytes.count && bytes[place..<place + count].allSatisfy { $0 == UInt8(ascii: mark) }
    }

    /// The place behind the parenthesis that closes the one at `start`; literals inside are skipped.
    private func interpolationEnd(from start: Int) -> Int {
        var depth = 0
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\""):
                var inner = self
                inner.position = place
                inner.literal(0)
                place = inner.position - 1
            default: break
            }
            place += 1
            if depth == 0 { break }
        }
        return place
    }
}
