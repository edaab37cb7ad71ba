import Basics
import GRDB
import Measure
import Results
import Scenario
import TestKit
import Testing
import Traffic

struct DatabaseTests {
    /// The head of every table, as text.
    private func dump(_ path: String) throws -> String {
        try DatabaseQueue(path: path).read { database in
            var text = ""
            let tables = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            for table in tables where table != "report" {
                let count = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM \(table)") ?? 0
                text += "\(table): \(count)\n"
                for row in try Row.fetchAll(database, sql: "SELECT * FROM \(table) LIMIT 8") {
                    let cells = row.map { "\($0)=\($1)" }
                    text += "  \(cells.joined(separator: " "))\n"
                }
            }
            return text
        }
    }

    @Test func `every table has its rows`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: "\(parent)/out")
            var results = SampleRun.results(callCount: 1)
            results.record.violations = [
                .init(kind: .blackhole, at: SampleRun.dark, node: 1, text: "no path while wan-b was up")
            ]
            try folder.write(results)
            try folder.commit()
            try expectGolden(dump("\(parent)/out/run.sqlite"), named: "database.txt")
        }
    }

    @Test func `every table is strict`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: "\(parent)/out")
            try folder.write(SampleRun.results(callCount: 1))
            try folder.commit()
            let loose = try DatabaseQueue(path: "\(parent)/out/run.sqlite").read { database in
                try String.fetchAll(
                    database, sql: "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0")
            }
            #expect(loose.allSatisfy { $0.hasPrefix("sqlite_") })
        }
    }

    @Test func `two hundred thousand samples are all written`() throws {
        try withTemporaryFolder { parent in
            let results = SampleRun.results(callCount: 26)
            let folder = try ResultsFolder(at: "\(parent)/out")
            try folder.write(results)
            try folder.commit()
            let count = try DatabaseQueue(path: "\(parent)/out/run.sqlite").read { database in
                try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sample") ?? 0
            }
            #expect(count > 200_000)
        }
    }
}
