import Foundation
import GRDB

/// A folder of results, read back.
public struct StoredRun: Equatable, Sendable {
    public struct Metric: Equatable, Sendable {
        public var name: String
        /// Nil where it is no finite number.
        public var value: Double?
        public var unit: String
    }

    public struct Expectation: Equatable, Sendable {
        public var metric: String
        public var operatorName: String
        public var limitText: String
        public var value: Double?
        public var unit: String
        public var passed: Bool
        public var reason: String?
    }

    /// The fingerprint of the run up to the end of a second, whole and by node.
    public struct Checkpoint: Equatable, Sendable {
        public var second: UInt64
        public var fingerprint: UInt64
        /// In the order of ``StoredRun/nodes``.
        public var devices: [UInt64]
    }

    /// Where it was read from.
    public var path: String
    public var scenario: String
    public var description: String
    public var backend: String
    public var seed: UInt64
    /// `passed`, `failed`, `invalid` or `error`.
    public var status: String
    public var version: String
    public var simulatedSeconds: Double
    public var wallSeconds: Double?
    public var digest: String
    public var nodes: [String]
    public var metrics: [Metric]
    public var expectations: [Expectation]
    public var checkpoints: [Checkpoint]
    /// The files that the run was made from.
    public var inputs: [RunResults.Input]

    /// The report as it can be drawn again.
    public var report: ReportModel

    /// Reads the results in `folder`.
    public init(folder: String) throws(ResultsError) {
        try Self.checkIsResult(folder)
        let path = "\(folder)/run.sqlite"
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            self = try queue.read { database in try StoredRun(database, folder) }
        } catch let error as ResultsError {
            throw error
        } catch {
            throw ResultsError(path, "this database cannot be read as a run's; \(RunDatabase.describe(error))")
        }
        try checkSummary()
    }

    /// Draws `report.html` again, from what lies in the folder.
    public func rewriteReport() throws(ResultsError) {
        let file = "\(path)/report.html"
        do {
            try Data(ReportPage(report).text.utf8).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw ResultsError(file, words(of: error))
        }
    }

    private static func checkIsResult(_ folder: String) throws(ResultsError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw ResultsError(folder, "there is no such folder; name one that `patronus-sim run` wrote")
        }
        guard isFolder.boolValue else {
            throw ResultsError(folder, "this is a file; name the folder of results in which it lies")
        }
        for name in ["summary.json", "run.sqlite"] where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            throw ResultsError(
                folder, "this folder holds no results, \(name) is missing; name one that `patronus-sim run` wrote")
        }
    }

    private init(_ database: Database, _ folder: String) throws {
        guard let run = try Row.fetchOne(database, sql: "SELECT * FROM run") else {
            throw ResultsError(folder, "run.sqlite holds no run")
        }
        let format: Int = run["format"]
        guard format == RunDatabase.format else {
            throw ResultsError(
                folder, "these results have format \(format), and this program reads format \(RunDatabase.format)")
        }
        let seedText: String = run["seed"]
        guard let seed = UInt64(seedText) else { throw ResultsError(folder, "the seed \"\(seedText)\" is no number") }
        path = folder
        scenario = run["scenario"]
        description = run["description"]
        backend = run["backend"]
        self.seed = seed
        status = run["status"]
        version = run["version"]
        simulatedSeconds = run["simulated_seconds"]
        wallSeconds = run["wall_seconds"]
        digest = run["digest"]
        nodes = try String.fetchAll(database, sql: "SELECT name FROM node ORDER BY id")
        metrics = try Row.fetchAll(database, sql: "SELECT name, value, unit FROM metric ORDER BY id").map {
            Metric(name: $0["name"], value: $0["value"], unit: $0["unit"])
        }
        expectations = try Row.fetchAll(database, sql: "SELECT * FROM expectation ORDER BY id").map {
            Expectation(
                metric: $0["metric"], operatorName: $0["operator"], limitText: $0["limit_text"], value: $0["value"],
                unit: $0["unit"], passed: $0["passed"], reason: $0["reason"])
        }
        checkpoints = try Self.checkpoints(database)
        inputs = try Row.fetchAll(database, sql: "SELECT path, bytes FROM input ORDER BY rowid").map {
            let bytes: Data = $0["bytes"]
            return RunResults.Input(path: $0["path"], bytes: Array(bytes))
        }
        guard let document = try String.fetchOne(database, sql: "SELECT document FROM report") else {
            throw ResultsError(folder, "run.sqlite holds no report")
        }
        report = try ReportModel(document: document)
    }

    private static func checkpoints(_ database: Database) throws -> [Checkpoint] {
        var checkpoints: [Checkpoint] = []
        for row in try Row.fetchAll(database, sql: "SELECT second, fingerprint FROM checkpoint ORDER BY second") {
            let second: Int64 = row["second"]
            checkpoints.append(
                Checkpoint(
                    second: UInt64(clamping: second), fingerprint: number(row["fingerprint"]), devices: []))
        }
        var place = 0
        let devices = try Row.fetchCursor(
            database, sql: "SELECT second, fingerprint FROM checkpoint_device ORDER BY second, node")
        while let row = try devices.next() {
            let second: Int64 = row["second"]
            while place < checkpoints.count, checkpoints[place].second < UInt64(clamping: second) { place += 1 }
            guard place < checkpoints.count, checkpoints[place].second == UInt64(clamping: second) else { continue }
            checkpoints[place].devices.append(number(row["fingerprint"]))
        }
        return checkpoints
    }

    private static func number(_ hexadecimal: String) -> UInt64 { UInt64(hexadecimal, radix: 16) ?? 0 }

    /// The two files must be of one run: somebody may have copied one of them.
    private func checkSummary() throws(ResultsError) {
        let file = "\(path)/summary.json"
        let summary: Any
        do {
            summary = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
        } catch {
            throw ResultsError(file, "this is no JSON document; the results are damaged")
        }
        guard let keys = summary as? [String: Any], let stated = keys["digest"] as? String else {
            throw ResultsError(file, "this is no summary of a run: it has no digest")
        }
        guard stated == digest else {
            throw ResultsError(path, "summary.json and run.sqlite are of different runs; run the scenario again")
        }
    }
}
