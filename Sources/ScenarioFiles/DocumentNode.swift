/// A value of a JSON or YAML document, with the place where it stands.
public struct DocumentNode: Equatable, Sendable {
    public var value: Value
    public var position: Position

    public init(_ value: Value, at position: Position) {
        self.value = value
        self.position = position
    }

    /// What JSON can say; a number keeps its text.
    public indirect enum Value: Equatable, Sendable {
        case null
        case bool(Bool)
        case number(String)
        case string(String)
        case array([DocumentNode])
        case object([Member])
    }

    /// A key with its value; in file order, and no key twice.
    public struct Member: Equatable, Sendable {
        public var key: String
        public var keyPosition: Position
        public var node: DocumentNode

        public init(key: String, keyPosition: Position, node: DocumentNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.node = node
        }
    }

    /// What kind of value it is, with its article, for messages.
    var kindName: String {
        switch value {
        case .null: "null"
        case .bool(true): "true"
        case .bool(false): "false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// The bounds that keep reading a document short.
public enum DocumentLimits {
    /// How deep lists and objects may be nested.
    public static let depth = 64
    /// The largest scenario or topology file, in bytes.
    public static let byteCount = 16 << 20
    /// The most values in one document.
    public static let nodeCount = 1 << 20
    /// The largest trace, graph or capture, in bytes.
    public static let attachmentByteCount = 64 << 20
}

/// A JSON or YAML document that has been taken apart.
public struct ParsedDocument: Sendable {
    /// Nil where nothing could be made of it.
    public var root: DocumentNode?
    public var faults: [Fault]

    /// Reads a file's octets: as YAML where its name ends in `.yaml` or `.yml`, else as strict JSON (RFC 8259).
    public init(_ bytes: [UInt8], file: String) {
        if FilePath.isYAML(file) {
            self = YAMLReader.read(bytes, file: file)
        } else {
            self = JSONScanner.read(bytes, file: file)
        }
    }

    init(root: DocumentNode?, faults: [Fault]) {
        self.root = root
        self.faults = faults
    }
}

/// Where a value stands in its document.
enum PathComponent: Equatable {
    case key(String)
    case index(Int)

    static func text(_ components: [PathComponent]) -> String {
        var result = ""
        for component in components {
            switch component {
            case .key(let key): result += result.isEmpty ? key : ".\(key)"
            case .index(let index): result += "[\(index)]"
            }
        }
        return result.isEmpty ? "$" : result
    }
}
