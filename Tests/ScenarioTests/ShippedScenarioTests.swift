import Foundation
import Measure
import Results
import Scenario
import TestKit
import Testing

@Suite struct ShippedScenarioTests {
    @Test(arguments: Shipped.names)
    func `a shipped scenario meets every expectation and breaks no invariant`(_ name: String) throws {
        let run = try Shipped.run(name)
        #expect(run.complaints == [])
        #expect(run.summary.status == .passed)
        #expect(!run.summary.expectations.isEmpty)
        #expect(run.record.violations.isEmpty)
    }

    @Test func `every scenario in the folder is held by these tests`() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: projectFolder.appending(path: "scenarios").path)
        let names = files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        #expect(names.sorted() == Shipped.names.sorted())
    }

    /// What a scenario shows is no luck of its seed.
    @Test(.enabled(if: !isQuickRun), arguments: Shipped.names)
    func `a shipped scenario passes with other seeds`(_ name: String) throws {
        let scenario = try Shipped.scenario(name)
        for seed in 1...3 as ClosedRange<UInt64> {
            #expect(try ScenarioRun(scenario, seed: seed).complaints == [], "seed \(seed)")
        }
    }

    /// One line for each shipped scenario at its own seed, so that a change of behaviour shows in git.
    ///
    /// A change that is meant: run these tests once with `PATRONUS_UPDATE_GOLDEN=1`, look at
    /// `git diff`, and commit `Golden/digests.txt` with the change that caused it.
    @Test func `the digests are those on record`() throws {
        let lines = try Shipped.names.map { name in
            let run = try Shipped.run(name)
            return "\(name) \(run.record.seed) \(run.digest)\n"
        }
        try expectGolden(lines.joined(), named: "digests.txt")
    }
}
