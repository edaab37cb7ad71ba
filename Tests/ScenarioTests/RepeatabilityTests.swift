import Results
import Scenario
import Testing

@Suite struct RepeatabilityTests {
    @Test func `three runs give one digest and the same captures, and another seed gives others`() throws {
        let scenario = try Shipped.scenario("branch-silent-blackout")
        let runs = try (0..<3).map { _ in try ScenarioRun(scenario, isCapturing: true) }
        #expect(Set(runs.map(\.digest)).count == 1)
        #expect(runs[0].captures.count == scenario.record.capturedLinks.count)
        #expect(runs[0].captures.allSatisfy { $0.count > 1_000_000 })
        #expect(runs[0].captures == runs[1].captures)
        #expect(runs[1].captures == runs[2].captures)

        let other = try ScenarioRun(scenario, seed: scenario.seed + 1, isCapturing: true)
        #expect(other.digest != runs[0].digest)
        #expect(other.captures != runs[0].captures)
    }

    @Test func `who watches a run does not change it`() throws {
        var scenario = try Shipped.scenario("one-way-loss")
        let digest = try Shipped.run("one-way-loss").digest
        scenario.record.capturedLinks = Array(scenario.topology.links.indices)
        #expect(try ScenarioRun(scenario, isCapturing: true).digest == digest)
    }

    @Test func `scenarios that run at the same time do not disturb each other`() async throws {
        let names = ["one-way-loss", "replay", "branch-blackout", "one-way-loss"]
        let scenarios = try names.map { try Shipped.scenario($0) }
        let digests = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, scenario) in scenarios.enumerated() {
                group.addTask { (index, try ScenarioRun(scenario).digest) }
            }
            return try await group.reduce(into: Array(repeating: "", count: names.count)) { $0[$1.0] = $1.1 }
        }
        #expect(try digests == names.map { try Shipped.run($0).digest })
    }
}
