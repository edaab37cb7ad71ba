/// One breach of a rule, as a compiler would print it.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let text: String

    var description: String { "\(path):\(line): \(text)" }
}

/// What every rule has to know: the text, and whose it is.
typealias Rule = (SourceText) -> [Violation]

/// Applies `check` to each line of code.
func eachLine(
    _ source: SourceText, of lines: KeyPath<SourceText, [[UInt8]]> = \.code, _ check: ([UInt8]) -> String?
) -> [Violation] {
    source[keyPath: lines].enumerated().compactMap { number, line in
        check(line).map { Violation(path: source.path, line: number + 1, text: $0) }
    }
}

/// Imports of what is not in `allowed`.
func strangeImports(_ source: SourceText, allowed: Set<String>) -> [Violation] {
    eachLine(source) { line in
        guard let name = importedModule(line), !allowed.contains(name) else { return nil }
        return "\(name) may not be imported here"
    }
}

private func importedModule(_ line: [UInt8]) -> String? {
    guard line.find("import ") != nil else { return nil }
    let words = line.words
    guard let place = words.firstIndex(of: "import"), place <= 2, place + 1 < words.count else { return nil }
    let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    return words[(place + 1)...].first { !kinds.contains($0) }
}

/// What would let the outside world, or chance, into a pure module, and what stands there instead.
private let impureNames: [(name: String, instead: String)] = [
    ("SystemRandomNumberGenerator", "SeededRandom"), (".random(", "SeededRandom"),
    (".randomElement(", "SeededRandom"), (".shuffled(", "SeededRandom"), (".shuffle(", "SeededRandom"),
    ("ContinuousClock", "the instant handed in"), ("SuspendingClock", "the instant handed in"),
    ("Date(", "the instant handed in"), ("Task {", "an action"), ("Task.", "an action"), ("async", "an action"),
    ("await", "an action"), ("actor", "a struct"), (".hashValue", "a Fingerprint"), ("Hasher(", "a Fingerprint"),
    ("print(", "a telemetry record"), ("debugPrint(", "a telemetry record"), ("dump(", "a telemetry record"),
    ("CommandLine", "a value handed in"), ("readLine(", "a value handed in"), ("exp(", "naturalExponential"),
    ("log(", "naturalLogarithm"), ("log2(", "naturalLogarithm"), ("log10(", "naturalLogarithm"),
    ("unsafeBitCast", "a conversion"), ("pow(", "multiplication"), ("sin(", "a table"), ("cos(", "a table"),
    ("tan(", "a table"),
]

/// Names in a pure module that reach outside it.
func impurities(_ source: SourceText) -> [Violation] {
    eachLine(source) { line in
        impureNames.first { line.findCall($0.name) }.map { "\($0.name) is banned in a pure module: use \($0.instead)" }
    }
}

/// What ends the process, or pretends that something cannot fail.
private let traps: [(name: String, instead: String)] = [
    ("try!", "a typed error"), ("as!", "a typed value"), ("fatalError", "precondition or an error"),
    ("unowned(unsafe)", "a value"), ("@unchecked", "a value"),
]

/// Traps in what ships.
func trapping(_ source: SourceText) -> [Violation] {
    eachLine(source) { line in
        traps.first { line.findWord($0.name) != nil }.map { "\($0.name) is banned: use \($0.instead)" }
    }
}

extension [UInt8] {
    /// Whether the line uses a banned name: a method where it starts with a point, else a word of its own
    /// that is neither a member of something nor declared here.
    fileprivate func findCall(_ name: String) -> Bool {
        guard let place = findWord(name) else { return false }
        guard !name.utf8.starts(with: ".".utf8), place > 0 else { return true }
        let before = Self(self[..<place])
        return self[place - 1] != UInt8(ascii: ".") && before.words.last != "func"
    }
}

/// Dictionaries and sets, whose order differs from process to process, unless their line says
/// that nobody iterates them.
func unorderedCollections(_ source: SourceText) -> [Violation] {
    source.code.indices.compactMap { number in
        let line = source.code[number]
        let names = ["Dictionary<", "Dictionary(", "Set<", "Set("]
        guard names.contains(where: { line.findWord($0) != nil }) || namesDictionaryType(line) else { return nil }
        guard source.comments[number].find("// not iterated") == nil else { return nil }
        return Violation(
            path: source.path, line: number + 1,
            text: "a Dictionary or Set has no fixed order: use a table of ours, or say \"// not iterated\"")
    }
}

/// Whether the line holds `[Key: Value]` with a type on both sides of the colon.
private func namesDictionaryType(_ line: [UInt8]) -> Bool {
    line.indices.contains { open in
        guard line[open] == UInt8(ascii: "["), isTypeStart(line, open + 1) else { return false }
        var depth = 0
        for place in (open + 1)..<line.count {
            switch line[place] {
            case UInt8(ascii: "["), UInt8(ascii: "<"), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: ">"), UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ","), UInt8(ascii: "="): if depth == 0 { return false }
            case UInt8(ascii: ":") where depth == 0: return isTypeStart(line, place + 2)
            default: break
            }
            if depth < 0 { return false }
        }
        return false
    }
}

/// Whether a type's name, a tuple or an array stands at `place`: what starts with a capital or a bracket.
private func isTypeStart(_ line: [UInt8], _ place: Int) -> Bool {
    guard place < line.count else { return false }
    switch line[place] {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return true
    case UInt8(ascii: "["), UInt8(ascii: "("): return isTypeStart(line, place + 1)
    default: return line[place...].starts(with: "any ".utf8)
    }
}

/// Lines and files that no longer fit a screen or a head.
func sizes(_ source: SourceText, fileLimit: Int) -> [Violation] {
    var found: [Violation] = source.lines.enumerated().compactMap { number, line in
        guard line.utf8.count > 120, line.count > 120 else { return nil }
        return Violation(path: source.path, line: number + 1, text: "longer than 120 columns")
    }
    if source.lines.count > fileLimit + 1 {
        found.append(Violation(path: source.path, line: fileLimit, text: "longer than \(fileLimit) lines"))
    }
    return found
}

/// Notes to self that were left behind.
func leftovers(_ source: SourceText) -> [Violation] {
    eachLine(source, of: \.comments) { comment in
        ["TODO", "FIXME", "XXX", "HACK"].first { comment.findWord($0) != nil }.map { "\($0) is left over" }
    }
}

/// Paths of somebody's machine.
func machinePaths(_ source: SourceText) -> [Violation] {
    source.lines.enumerated().compactMap { number, line in
        let bytes = Array(line.utf8)
        let roots = ["/work", "/tmp", "/home", "/root", "/opt"]
        return roots.first { root in
            guard let place = bytes.findWord(root) else { return false }
            guard place > 0 else { return true }
            let before = bytes[place - 1]
            return !isWordByte(before) && !Array("./-~*)}".utf8).contains(before)
        }.map { Violation(path: source.path, line: number + 1, text: "\($0) is a path of some machine") }
    }
}

/// Shifts beside multiplications: a shift binds tighter in Swift, so `x &* y >> 32` is not what it seems.
func ambiguousShifts(_ source: SourceText) -> [Violation] {
    let shifts = [">>", "<<", "&>>", "&<<", ">>=", "<<="]
    let multiplications = ["*", "&*", "/", "%"]
    return eachLine(source) { line in
        var stack = [(shift: false, multiplication: false)]
        for token in operatorsAndBrackets(line) {
            if "([{".contains(token) {
                stack.append((false, false))
            } else if ")]}".contains(token) {
                if stack.count > 1 { stack.removeLast() }
            } else if shifts.contains(token) {
                stack[stack.count - 1].shift = true
            } else if multiplications.contains(token) {
                stack[stack.count - 1].multiplication = true
            } else if token != "&" {
                stack[stack.count - 1] = (false, false)
            }
            if stack.last?.shift == true, stack.last?.multiplication == true {
                return "a shift beside a multiplication: parenthesise which comes first"
            }
        }
        return nil
    }
}

/// The brackets, commas and binary operators of a line; the formatter puts spaces around the latter.
private func operatorsAndBrackets(_ line: [UInt8]) -> [String] {
    var tokens: [String] = []
    for piece in line.split(separator: UInt8(ascii: " ")) {
        let isOperator = piece.allSatisfy { Array("+-*/%&|^<>=!?:~.".utf8).contains($0) }
        if isOperator {
            tokens.append(String(decoding: piece, as: UTF8.self))
            continue
        }
        for byte in piece where Array("()[]{},;".utf8).contains(byte) {
            tokens.append(String(decoding: [byte], as: UTF8.self))
        }
    }
    return tokens
}
