import Basics
import Foundation
import Plan
import Scenario
import ScenarioFiles
import TestKit
import Testing

struct PlanTests {
    @Test func `a flap is one incident for each time that the link goes down`() throws {
        let scenario = try ScenarioLoader(.disk).load(projectFolder.appending(path: "scenarios/branch-flap.json").path)
            .scenario
        let incidents = scenario.incidents(until: .zero + scenario.duration)
        let downs = incidents.filter { $0.kind == .linkDown }
        try #require(downs.count > 1)
        for (earlier, later) in zip(downs, downs.dropFirst()) {
            let end = try #require(earlier.end)
            #expect(end <= later.start)
        }
        #expect(scenario.incidents(until: downs[0].start).filter { $0.kind == .linkDown }.count == 1)
    }
}
