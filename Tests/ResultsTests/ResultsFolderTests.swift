import Foundation
import Measure
import Results
import Scenario
import Testing
import Traffic

struct ResultsFolderTests {
    private let results = SampleRun.results(callCount: 1)

    @Test func `a run's folder holds everything and nothing is left beside it`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: "\(parent)/deep/\(results.folderName)")
            try folder.write(results)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            try folder.commit()
            #expect(contents(of: "\(parent)/deep") == ["branch-blackout-42-sim"])
            #expect(contents(of: folder.path) == ["report.html", "run.sqlite", "summary.json"])
        }
    }

    @Test func `a folder of results is replaced only by a whole one`() throws {
        try withTemporaryFolder { parent in
            let path = "\(parent)/out"
            let old = try ResultsFolder(at: path)
            try old.write(results)
            try old.commit()
            let before = try text(of: "\(path)/summary.json")

            let failing = try ResultsFolder(at: path)
            let partial = try #require(contents(of: parent).first { $0.hasPrefix(".out.partial-") })
            try FileManager.default.createDirectory(
                atPath: "\(parent)/\(partial)/run.sqlite", withIntermediateDirectories: false)
            #expect(throws: ResultsError.self) { try failing.write(SampleRun.results(seed: 7, callCount: 1)) }
            failing.discard()
            #expect(try text(of: "\(path)/summary.json") == before)
            #expect(throws: ResultsError.self) { try failing.commit() }

            let new = try ResultsFolder(at: path)
            try new.write(SampleRun.results(seed: 7, callCount: 1))
            #expect(try text(of: "\(path)/summary.json") == before)
            try new.commit()
            #expect(try text(of: "\(path)/summary.json") != before)
            #expect(contents(of: parent) == ["out"])
        }
    }

    @Test func `a folder that is given up leaves nothing`() throws {
        try withTemporaryFolder { parent in
            do {
                let folder = try ResultsFolder(at: "\(parent)/out")
                try folder.write(results)
            }
            #expect(contents(of: parent).isEmpty)
        }
    }

    @Test func `what a dead process left is removed, what a living one writes is not`() throws {
        try withTemporaryFolder { parent in
            let dead = "\(parent)/.out.partial-4194305"
            let living = "\(parent)/.out.partial-1"
            let other = "\(parent)/.other.partial-4194305"
            for path in [dead, living, other] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            let folder = try ResultsFolder(at: "\(parent)/out")
            #expect(!FileManager.default.fileExists(atPath: dead))
            #expect(FileManager.default.fileExists(atPath: living))
            #expect(FileManager.default.fileExists(atPath: other))
            folder.discard()
        }
    }

    @Test func `two runs do not write the same results at once`() throws {
        try withTemporaryFolder { parent in
            let first = try ResultsFolder(at: "\(parent)/out")
            #expect {
                try ResultsFolder(at: "\(parent)/out")
            } throws: {
                "\($0)".hasSuffix("another run writes there now")
            }
            try first.write(results)
            try first.commit()
        }
    }

    @Test func `a folder with somebody's files is never replaced`() throws {
        try withTemporaryFolder { parent in
            try Data("dear diary".utf8).write(to: URL(filePath: "\(parent)/diary.txt"))
            #expect(throws: ResultsError.self) { try ResultsFolder(at: parent) }
            #expect(throws: ResultsError.self) { try ResultsFolder(at: "\(parent)/diary.txt") }
            #expect(contents(of: parent) == ["diary.txt"])
        }
    }

    @Test func `an empty folder is taken`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: parent + "/")
            try folder.write(results)
            try folder.commit()
            #expect(contents(of: parent).contains("summary.json"))
        }
    }

    @Test func `equal runs make equal files`() throws {
        try withTemporaryFolder { parent in
            for name in ["a", "b"] {
                let folder = try ResultsFolder(at: "\(parent)/\(name)")
                try folder.write(SampleRun.results(callCount: 2))
                try folder.commit()
            }
            for file in ["summary.json", "run.sqlite", "report.html"] {
                let isEqual = try bytes(of: "\(parent)/a/\(file)") == bytes(of: "\(parent)/b/\(file)")
                #expect(isEqual, "\(file)")
            }
        }
    }

    @Test func `names of users become names of folders`() {
        #expect(RunResults.folderName(scenario: "../a b/ü", seed: 1, backend: "sim") == "_._a_b__-1-sim")
    }
}
