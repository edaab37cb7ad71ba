import BGP
import Basics
import Scenario
import Simulator
import TestKit
import Testing
import Traffic
import Wire

@Suite struct DeterminismTests {
    private static let traffic = [
        Worlds.calls(3),
        TrafficEntry(name: "backup", application: .fileTransfer(bytes: nil), from: 5, to: 4, start: .seconds(9)),
        TrafficEntry(name: "pages", application: .web(bytes: nil), from: 5, to: 4, start: .seconds(9)),
    ]

    private static func scenario(seed: UInt64 = 1, spare: Bool = false) -> Scenario {
        Worlds.dualProvider(
            duration: .seconds(16), traffic: traffic,
            events: [
                ScriptedEvent(
                    at: .seconds(12), label: "cut",
                    kind: .linkDown(link: 0, directions: .both, lasting: .seconds(2)))
            ], seed: seed, spare: spare)
    }

    @Test func `three runs are the same to the last event, and another seed is another run`() {
        let runs = (0..<3).map { _ in Worlds.record(Self.scenario()).checkpoints }
        #expect(runs[0].count == 16)
        #expect(runs[0] == runs[1])
        #expect(runs[1] == runs[2])
        #expect(Worlds.record(Self.scenario(seed: 2)).checkpoints.last != runs[0].last)
    }

    /// Debug and release builds, and every machine, are held to the same file.
    @Test func `the fingerprint is the one on record`() throws {
        let checkpoints = Worlds.record(Self.scenario()).checkpoints
        let lines = checkpoints.map { "\($0.second) \(String($0.fingerprint, radix: 16))" }
        try expectGolden(lines.joined(separator: "\n") + "\n", named: "fingerprint.txt")
    }

    @Test func `two simulations in two threads do not disturb each other`() async {
        let alone = Worlds.record(Self.scenario()).checkpoints
        let other = Worlds.record(Self.scenario(seed: 7)).checkpoints
        await withTaskGroup(of: (UInt64, [Checkpoint]).self) { group in
            for seed in [1, 7, 1, 7] as [UInt64] {
                group.addTask { (seed, Worlds.record(Self.scenario(seed: seed)).checkpoints) }
            }
            for await (seed, checkpoints) in group {
                #expect(checkpoints == (seed == 1 ? alone : other))
            }
        }
    }

    @Test func `a node added elsewhere does not change an unrelated flow`() {
        let without = Worlds.record(Self.scenario())
        let with = Worlds.record(Self.scenario(spare: true))
        #expect(without.flowReports == with.flowReports)
    }

    @Test func `collectors, which the simulator does not have, change nothing`() {
        var declaration = BGPDeclaration()
        var collector = MonitoringCollector(SocketAddress(.v4(IPv4Address(192, 0, 2, 9)), port: 11_019))
        collector.tellsBestRoutes = true
        declaration.collectors = [collector]
        let runs = [nil, declaration].map { bgp in
            let link = Worlds.settings { $0.delay = .milliseconds(10) }
            return Worlds.record(Worlds.sites(between: [link], duration: .seconds(8), bgp: bgp))
        }
        #expect(runs[0].checkpoints.count == 8)
        #expect(runs[0].checkpoints == runs[1].checkpoints)
    }

    @Test func `a traced second names its events`() {
        var simulation = Simulation(Self.scenario())
        simulation.traceEvents(ofSecond: 10)
        simulation.run(until: .zero + .seconds(12))
        let trace = simulation.trace
        #expect(trace.count > 100)
        #expect(trace.allSatisfy { $0.at.nanoseconds / 1_000_000_000 == 10 })
        #expect(trace.contains { $0.isArrival } && trace.contains { !$0.isArrival })
    }
}
