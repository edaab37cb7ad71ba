import Yams

/// Reads YAML into the same tree as JSON.
///
/// Plain scalars mean what JSON's words and numbers mean and are strings otherwise:
/// `no` and `12:30` stay what they look like. Aliases are followed within the limit
/// on the number of values.
enum YAMLReader {
    static func read(_ bytes: [UInt8], file: String) -> ParsedDocument {
        func failed(_ message: String, line: Int = 1, column: Int = 1) -> ParsedDocument {
            ParsedDocument(
                root: nil,
                faults: [Fault(file: file, line: max(line, 1), column: max(column, 1), path: "$", message: message)])
        }
        guard bytes.count <= DocumentLimits.byteCount else {
            return failed("the file is too large; at most \(DocumentLimits.byteCount >> 20) MiB are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return failed("the file is not UTF-8; save it as UTF-8")
        }
        do {
            guard let root = try Yams.compose(yaml: text) else {
                return failed("the file is empty; write a mapping")
            }
            var converter = YAMLConverter(file: file)
            let node = converter.convert(root, depth: 0, fallback: Position(line: 1, column: 1))
            return ParsedDocument(root: converter.isComplete ? node : nil, faults: converter.faults)
        } catch let error as YamlError {
            let (message, mark) = describe(error)
            return failed(message, line: mark?.line ?? 1, column: mark?.column ?? 1)
        } catch {
            return failed("this is no YAML; check its indentation")
        }
    }

    private static func describe(_ error: YamlError) -> (String, Mark?) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return ("this is no YAML: \(problem); check indentation and quotes", mark)
        case .reader(let problem, _, _, _):
            return ("this is no YAML: \(problem); save the file as UTF-8 without control characters", nil)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            return ("the key \(keys) stands twice in one mapping; keep one of the two", context.mark)
        default:
            return ("this is no YAML; check indentation and quotes", nil)
        }
    }
}

/// Turns Yams's tree into ours.
private struct YAMLConverter {
    let file: String
    var faults: [Fault] = []
    var isComplete = true
    private var nodeCount = 0
    private var path: [PathComponent] = []

    init(file: String) {
        self.file = file
    }

    mutating func convert(_ node: Node, depth: Int, fallback: Position) -> DocumentNode {
        let position = node.mark.map { Position(line: $0.line, column: $0.column) } ?? fallback
        nodeCount += 1
        guard depth < DocumentLimits.depth, nodeCount <= DocumentLimits.nodeCount else {
            if isComplete {
                fault("the document is too large or too deep; fewer aliases and levels are needed", at: position)
            }
            isComplete = false
            return DocumentNode(.null, at: position)
        }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(value(of: scalar), at: position)
        case .sequence(let sequence):
            var elements: [DocumentNode] = []
            for (index, element) in sequence.enumerated() where isComplete {
                path.append(.index(index))
                elements.append(convert(element, depth: depth + 1, fallback: position))
                path.removeLast()
            }
            return DocumentNode(.array(elements), at: position)
        case .mapping(let mapping):
            return DocumentNode(.object(members(of: mapping, depth: depth, fallback: position)), at: position)
        case .alias:
            fault("the alias stands for nothing; define its anchor first", at: position)
            return DocumentNode(.null, at: position)
        }
    }

    private mutating func members(
        of mapping: Node.Mapping, depth: Int, fallback: Position
    ) -> [DocumentNode.Member] {
        var members: [DocumentNode.Member] = []
        var seen: Set<String> = []
        for (key, value) in mapping where isComplete {
            let keyPosition = key.mark.map { Position(line: $0.line, column: $0.column) } ?? fallback
            guard case .scalar(let scalar) = key else {
                fault("a key must be a plain word; write key: value", at: keyPosition)
                continue
            }
            path.append(.key(scalar.string))
            let node = convert(value, depth: depth + 1, fallback: keyPosition)
            if seen.insert(scalar.string).inserted {
                members.append(DocumentNode.Member(key: scalar.string, keyPosition: keyPosition, node: node))
            } else {
                fault("the key stands twice in one mapping; keep one of the two", at: keyPosition)
            }
            path.removeLast()
        }
        return members
    }

    private func value(of scalar: Node.Scalar) -> DocumentNode.Value {
        guard scalar.style == .plain || scalar.style == .any, !isTaggedString(scalar) else {
            return .string(scalar.string)
        }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            guard let first = scalar.string.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first)
            else {
                return .string(scalar.string)
            }
            let document = JSONScanner.read(Array(scalar.string.utf8), file: file)
            if case .number(let text)? = document.root?.value, document.faults.isEmpty, text == scalar.string {
                return .number(text)
            }
            return .string(scalar.string)
        }
    }

    /// Whether the file says `!!str` in front of it.
    private func isTaggedString(_ scalar: Node.Scalar) -> Bool {
        scalar.tag.rawValue == Tag.Name.str.rawValue
    }

    private mutating func fault(_ message: String, at position: Position) {
        faults.append(
            Fault(
                file: file, line: position.line, column: position.column, path: PathComponent.text(path),
                message: message))
    }
}
