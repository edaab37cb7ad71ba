// Rules about declarations: how long functions are, and what public ones say of themselves.

private let modifiers: Set<String> = [
    "public", "package", "internal", "fileprivate", "private", "set", "static", "final", "mutating", "consuming",
    "borrowing", "nonmutating", "override", "convenience", "required", "indirect", "nonisolated", "prefix", "postfix",
    "infix", "open", "unsafe", "lazy", "weak",
]

private let kinds: Set<String> = [
    "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "enum", "class", "protocol", "extension",
    "actor", "typealias", "associatedtype", "import",
]

/// What a line declares, where it opens a declaration.
private struct Opening {
    var isPublic = false
    var isStatic = false
    var kind = ""

    init?(_ line: [UInt8]) {
        let text = line.trimmed
        guard let first = text.first, isWordByte(first) || first == UInt8(ascii: "@") else { return nil }
        let words = text.words
        for (place, word) in words.enumerated() {
            if word == "public" || word == "open" { isPublic = true }
            let isModifier = modifiers.contains(word) || word == "class" && words.dropFirst(place + 1).first == "func"
            if isModifier || word.utf8.first == UInt8(ascii: "@") { continue }
            if kinds.contains(word) {
                kind = word
                return
            }
            // An attribute's arguments are any words; anything else is no declaration.
            guard first == UInt8(ascii: "@"), !isPublic else { return nil }
        }
        return nil
    }
}

/// Functions that no longer fit a screen.
func longFunctions(_ source: SourceText, limit: Int) -> [Violation] {
    source.code.indices.compactMap { start in
        guard let opening = Opening(source.code[start]),
            ["func", "init", "deinit", "subscript"].contains(opening.kind),
            let end = bodyEnd(source.code, from: start), end - start + 1 > limit
        else { return nil }
        return Violation(
            path: source.path, line: start + 1, text: "a function of \(end - start + 1) lines, the most is \(limit)")
    }
}

/// The line of the brace that closes the body of what is declared at `start`; nil where there is no body.
private func bodyEnd(_ code: [[UInt8]], from start: Int) -> Int? {
    var brackets = 0
    var braces = 0
    for number in start..<code.count {
        if number > start, brackets == 0, braces == 0, endsSignature(code[number]) { return nil }
        for byte in code[number] {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["): brackets += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): brackets -= 1
            case UInt8(ascii: "{") where brackets == 0 || braces > 0: braces += 1
            case UInt8(ascii: "}") where brackets == 0 || braces > 0:
                braces -= 1
                if braces == 0 { return number }
                if braces < 0 { return nil }
            default: break
            }
        }
    }
    return nil
}

/// Whether a line cannot be the rest of a signature: a requirement of a protocol has no body.
private func endsSignature(_ line: [UInt8]) -> Bool {
    let text = line.trimmed
    return text.isEmpty || text.starts(with: "}") || text.starts(with: "@") || Opening(line) != nil
}

/// Public types and functions without a documentation comment; operators need none.
func undocumented(_ source: SourceText) -> [Violation] {
    source.code.indices.compactMap { number in
        guard let opening = Opening(source.code[number]), opening.isPublic,
            ["func", "struct", "enum", "class", "protocol", "actor"].contains(opening.kind),
            !declaresOperator(source.code[number]), !isDocumented(source, number)
        else { return nil }
        let line = String(source.lines[number].drop { $0 == " " }.prefix(60))
        return Violation(path: source.path, line: number + 1, text: "no documentation comment: \(line)")
    }
}

private func declaresOperator(_ line: [UInt8]) -> Bool {
    guard let place = line.find("func "), place + 5 < line.count else { return false }
    return Array("<>=+-*/%&|^!~".utf8).contains(line[place + 5])
}

private func isDocumented(_ source: SourceText, _ number: Int) -> Bool {
    let above = source.code.indices[..<number].reversed()
    let place = above.first { !source.code[$0].trimmed.starts(with: "@") }
    return place.map { source.comments[$0].trimmed.starts(with: "///") } ?? false
}
