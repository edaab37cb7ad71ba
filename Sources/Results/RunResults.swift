public import Measure
public import Scenario

/// A run that is over: what was recorded, what was concluded, and what it was made from.
public struct RunResults: Sendable {
    /// A file that the run was made from.
    public struct Input: Equatable, Sendable {
        public var path: String
        public var bytes: [UInt8]

        public init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    public var record: RunRecord
    public var summary: RunSummary
    /// Everything that it takes to run it again, as it was read.
    public var inputs: [Input]
    /// The program's version.
    public var version: String
    /// What the run took on the clock, where that is known.
    public var wallSeconds: Double?

    public init(
        record: RunRecord, summary: RunSummary, inputs: [Input] = [], version: String, wallSeconds: Double? = nil
    ) {
        self.record = record
        self.summary = summary
        self.inputs = inputs
        self.version = version
        self.wallSeconds = wallSeconds
    }

    /// The folder's name where the user chose none: `NAME-SEED-BACKEND`.
    public var folderName: String {
        Self.folderName(scenario: record.scenario.name, seed: record.seed, backend: record.backend)
    }

    /// The folder's name for a run that is not there yet.
    public static func folderName(scenario: String, seed: UInt64, backend: String) -> String {
        "\(FileName.safe(scenario))-\(seed)-\(FileName.safe(backend))"
    }
}

/// Names of files made from names that users chose.
enum FileName {
    /// The name with everything but letters, digits, `.`, `-` and `_` of ASCII made `_`, and no dot in front.
    static func safe(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            let isSafe =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains(scalar))
            result += isSafe ? String(scalar) : "_"
        }
        if result.isEmpty || result.hasPrefix(".") { result = "_" + result.dropFirst() }
        return String(result.prefix(200))
    }
}
