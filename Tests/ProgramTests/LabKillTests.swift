import Foundation
import Glibc
import TestKit
import Testing

/// Everything of a lab is killed at one time or another: nothing of it stays, and nothing else goes.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"))
struct LabKillTests {
    private let bench: LabBench
    private let foreign: [String]

    init() throws {
        bench = try LabBench(isApart: true)
        foreign = try bench.foreignThings()
        #expect(foreign.count == 3)
    }

    /// Two sites, and a machine whose program leaves others behind: one in its group, a daemon in a session of its own.
    private static let topology = Fixture.topology
        .replacing(
            #""isp-b": {"#,
            with: #""box": { "kind": "linux", "exec": ["sleep 600 & setsid sleep 601 & sleep 602"] }, "isp-b": {"#
        )
        .replacing(#""links": ["#, with: #""links": [ { "endpoints": ["box", "isp-a"] }, "#)

    private func expectNothing(_ step: String) throws {
        #expect(eventually { bench.processes.isEmpty }, "\(step): \(bench.processes)")
        let collected = try bench.run("gc")
        #expect(collected.status == 0 && collected.errors.isEmpty, "\(step): \(collected.errors)")
        #expect(bench.labs.isEmpty, "\(step)")
        #expect(try bench.foreignThings() == foreign, "\(step)")
        #expect(try bench.run("gc").output == "nothing is left of any dead lab or node\n", "\(step)")
    }

    @Test func `whatever is killed while a lab comes up, nothing stays`() throws {
        try bench.workspace.write(Self.topology, to: "topology.json")
        let start = Date()
        let up = try bench.run("lab", "up", "topology.json")
        let duration = Date().timeIntervalSince(start)
        try #require(up.status == 0, "\(up.errors)")
        // The supervisor, two nodes, and the box's first process with its shell and what that started.
        #expect(eventually { bench.processes.count { $0.arguments.first == "sleep" } == 3 })
        #expect(
            bench.processes.count { $0.does("agent") } == 2 && bench.processes.count { $0.does("lab", "enter") } == 1)
        #expect(try bench.run("lab", "down").status == 0)
        try expectNothing("down")
        let steps = 36
        for step in 0..<steps {
            let command = try bench.start("lab", "up", "topology.json")
            usleep(UInt32(duration * 1_100_000 * Double(step) / Double(steps - 1)))
            let there = bench.processes
            let agents = there.filter { $0.does("agent") }
            let supervisor = there.first { $0.does("lab", "supervisor") }
            // By turns, where there is one yet: what holds the lab, a machine of it, the command that waits for it.
            let victim = step % 3 == 1 ? agents.randomElement() : step % 3 == 2 ? there.first : supervisor
            if let victim { kill(victim.number, SIGKILL) }
            let text = "step \(step), \(victim?.arguments.dropFirst() ?? [])"
            let outcome = try command.outcome()
            if victim == nil || victim?.does("lab", "up") == true {
                // The lab lives, or finds out that nobody waits for it.
                #expect(eventually { bench.processes.isEmpty || (try? bench.run("lab", "down"))?.status == 0 })
            } else {
                #expect([0, 4, 5].contains(outcome.status), "\(text): \(outcome.errors)")
            }
            try expectNothing(text)
        }
        #expect(try bench.run("lab", "up", "topology.json").status == 0)
        #expect(try bench.run("lab", "down").status == 0)
    }

    @Test func `a supervisor that is killed in the middle of a run takes everything along`() throws {
        try bench.workspace.write(Self.topology, to: "topology.json")
        try bench.workspace.write(Fixture.scenario(duration: "60s"), to: "scenario.json")
        for step in 0..<4 {
            let run = try bench.start("run", "scenario.json", "--backend", "netns", "--quiet")
            // Two nodes and two hosts.
            #expect(eventually { bench.processes.count { $0.does("agent") } == 4 })
            usleep(UInt32(step) * 400_000)
            #expect(bench.labs.count == 1)
            run.send(SIGKILL)
            #expect(try run.outcome().status == 128 + SIGKILL)
            try expectNothing("step \(step)")
        }
    }

    @Test func `a run whose machine is killed by somebody ends at once, says whose, and leaves nothing`() throws {
        try bench.workspace.write(Self.topology, to: "topology.json")
        try bench.workspace.write(Fixture.scenario(duration: "60s"), to: "scenario.json")
        for step in 0..<4 {
            let run = try bench.start("run", "scenario.json", "--backend", "netns", "--quiet")
            #expect(eventually { bench.processes.count { $0.does("agent") } == 4 })
            usleep(UInt32(step) * 300_000)
            let agent = try #require(bench.processes.filter { $0.does("agent") }.dropFirst(step).first)
            kill(agent.number, SIGKILL)
            let outcome = try run.outcome()
            #expect(outcome.status == 5, "\(outcome)")
            #expect(outcome.errorLines.last?.hasSuffix(": it was ended by signal 9") == true, "\(outcome.errors)")
            #expect(bench.labs.isEmpty && bench.processes.isEmpty, "step \(step)")
            #expect(bench.workspace.names(in: "results").isEmpty, "step \(step)")
            try expectNothing("step \(step)")
        }
    }
}
