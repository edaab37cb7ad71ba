import Basics
import Measure
import Scenario
import Telemetry
import Testing

/// What the scenarios of attacks and crowds put on the network, whatever a node's data plane does with it.
@Suite struct AttackScenarioTests {
    @Test(arguments: [("syn-flood", 500_000), ("udp-flood", 600_000)] as [(String, UInt64)])
    func `a flood is as large as its scenario says and arrives at the node`(_ name: String, _ count: UInt64) throws {
        let run = try ScenarioRun(Shipped.scenario(name))
        let attack = try #require(run.record.attacks.first)
        let account = try #require(run.record.conservation.first { $0.key == attack.key })
        #expect(account.sent == count)
        #expect(account.isBalanced)
        // The first few may be lost while the neighbour is asked.
        #expect(attack.reachedNodes >= count - 100)
        #expect(run.record.violations.isEmpty)
        #expect(run.record.incidents.map(\.kind) == [.attack])
        #expect(run.record.duringAttacks.sent > 5_000)
        #expect(try run.metric("traffic.calls.mos.p5") >= 4.3)
        #expect(try run.metric("traffic.calls.loss.max") == 0)
    }

    @Test func `a crowd comes from a thousand addresses with hundreds of connections a second`() throws {
        let run = try ScenarioRun(Shipped.scenario("flash-crowd"))
        let failed = run.summary.expectations.filter { !$0.passed }.map(\.expectation.metric)
        #expect(failed.allSatisfy { $0.hasPrefix("security.") })
        // Each connection has an account for each direction; there are few others.
        #expect(run.record.conservation.count > 2 * 8_000)
        #expect(run.record.attacks.isEmpty)
    }
}
