import Foundation
import Measure
import Results
import Scenario
import TestKit
import Testing
import Traffic

struct StoredRunTests {
    private func stored(_ results: RunResults, in parent: String, _ name: String) throws -> StoredRun {
        let folder = try ResultsFolder(at: "\(parent)/\(name)")
        try folder.write(results)
        try folder.commit()
        var run = try StoredRun(folder: "\(parent)/\(name)")
        // Where it lay is not what is compared.
        run.path = "results/\(name)"
        return run
    }

    @Test func `a run is read back as it was written`() throws {
        try withTemporaryFolder { parent in
            let results = SampleRun.results(seed: .max, callCount: 1)
            let run = try stored(results, in: parent, "a")
            #expect(run.scenario == "branch-blackout")
            #expect(run.seed == .max)
            #expect(run.backend == "sim")
            #expect(run.status == "failed")
            #expect(run.digest == results.digest)
            #expect(run.nodes == ["hq", "branch", "isp-a", "isp-b", "server", "laptop"])
            #expect(run.metrics.map(\.name) == results.summary.metrics.all.map(\.name))
            #expect(run.metrics.map(\.value) == results.summary.metrics.all.map(\.value))
            #expect(run.checkpoints.map(\.fingerprint) == results.record.checkpoints.map(\.fingerprint))
            #expect(run.checkpoints.map(\.devices) == results.record.checkpoints.map(\.devices))
            #expect(run.inputs == results.inputs)
            #expect(run.expectations.map(\.passed) == results.summary.expectations.map(\.passed))
            #expect(run.report == ReportModel(results))
        }
    }

    @Test func `the report is drawn again from the folder alone`() throws {
        try withTemporaryFolder { parent in
            _ = try stored(SampleRun.results(callCount: 1), in: parent, "a")
            let file = "\(parent)/a/report.html"
            let before = try text(of: file)
            try Data("gone".utf8).write(to: URL(filePath: file))
            try StoredRun(folder: "\(parent)/a").rewriteReport()
            let isSame = try text(of: file) == before
            #expect(isSame)
        }
    }

    @Test func `what is no result is refused in plain words`() throws {
        try withTemporaryFolder { parent in
            func refusal(_ path: String) -> String {
                do {
                    _ = try StoredRun(folder: path)
                    return "accepted"
                } catch {
                    return error.text
                }
            }
            #expect(refusal("\(parent)/none") == "there is no such folder; name one that `patronus-sim run` wrote")
            #expect(refusal(parent).hasPrefix("this folder holds no results, summary.json is missing"))
            _ = try stored(SampleRun.results(callCount: 1), in: parent, "a")
            _ = try stored(SampleRun.results(seed: 2, callCount: 1), in: parent, "b")
            #expect(refusal("\(parent)/a/summary.json").hasPrefix("this is a file"))
            let other = try Data(contentsOf: URL(filePath: "\(parent)/b/summary.json"))
            try other.write(to: URL(filePath: "\(parent)/a/summary.json"))
            #expect(refusal("\(parent)/a").hasPrefix("summary.json and run.sqlite are of different runs"))
            try Data("not a database, but long enough".utf8).write(to: URL(filePath: "\(parent)/a/run.sqlite"))
            #expect(refusal("\(parent)/a").hasPrefix("this database cannot be read as a run's"))
            try Data("{".utf8).write(to: URL(filePath: "\(parent)/b/summary.json"))
            #expect(refusal("\(parent)/b").hasPrefix("this is no JSON document"))
        }
    }

    @Test func `two runs are shown side by side`() throws {
        try withTemporaryFolder { parent in
            let first = try stored(SampleRun.quietResults(), in: parent, "a")
            let other = SampleRun.quietResults(wallSeconds: 2.5) { record in
                record.checkpoints[17].devices[3] ^= 1
                for second in 18..<60 { record.checkpoints[second].fingerprint ^= 5 }
                record.violations = [.init(kind: .blackhole, at: SampleRun.dark, text: "lost")]
            }
            let second = try stored(other, in: parent, "b")
            let comparison = RunComparison(first, second)
            #expect(comparison.divergence == .init(second: 17, node: "isp-b"))
            #expect(!comparison.isSameRun)
            try expectGolden(comparison.text(), named: "comparison.txt")
            try expectGolden(comparison.json, named: "comparison.json")
        }
    }

    @Test func `a run differs in nothing from itself`() throws {
        try withTemporaryFolder { parent in
            let first = try stored(SampleRun.results(callCount: 1), in: parent, "a")
            let second = try stored(SampleRun.results(wallSeconds: 9, callCount: 1), in: parent, "b")
            let comparison = RunComparison(first, second)
            #expect(comparison.isSameRun)
            #expect(comparison.divergence == nil)
            #expect(comparison.expectations.isEmpty)
            #expect(comparison.metrics.filter { !$0.isEqual }.map(\.name) == ["run.wallSeconds", "run.speedup"])
        }
    }
}
