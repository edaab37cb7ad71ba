import Basics
import GRDB

/// Fills the table `sample`, the one that grows with the length of a run.
struct SampleWriter {
    private let statement: Statement

    init(_ database: Database) throws {
        statement = try database.makeStatement(sql: "INSERT INTO sample VALUES (?, ?, ?, ?)")
    }

    func write(_ subject: String, _ name: String, _ at: Instant, _ value: Double) throws {
        guard value.isFinite else { return }
        statement.setUncheckedArguments([subject, name, (at - .zero).inMilliseconds, value])
        try statement.execute()
    }
}
