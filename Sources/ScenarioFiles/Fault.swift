/// One thing that is wrong with a file, in its user's words.
public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int
    /// Where it stands in the document, as in `links[0].rate`; `$` is the whole of it.
    public var path: String
    /// What is wrong; what would be right.
    public var message: String

    public init(file: String, line: Int, column: Int, path: String, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    public var description: String { "\(file):\(line):\(column): \(path): \(message)" }
}

/// Everything that is wrong with a scenario and the files that it names; printed one fault a line.
public struct Faults: Error, Equatable, Sendable, CustomStringConvertible {
    public var all: [Fault]

    public init(_ all: [Fault]) {
        self.all = all
    }

    public var description: String { all.map(\.description).joined(separator: "\n") }
}

/// A place in a file.
public struct Position: Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public var description: String { "\(line):\(column)" }
}
