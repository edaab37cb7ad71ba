import Foundation
import Glibc
import TestKit
import Testing

/// Labs in network namespaces, by the program alone: each test has a folder for the state of its labs.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"))
struct LabTests {
    @Test func `a lab comes up, can be looked at, entered and changed, and goes`() throws {
        let bench = try LabBench()
        let up = try bench.run("lab", "up", "topology.json")
        try #require(up.status == 0, "\(up.errors)")
        let tunnel = "branch:wan-a>hq:wan-a"
        #expect(try eventually { try bench.tunnel(tunnel, of: "branch")["state"] as? String == "up" })
        #expect(
            try eventually {
                (12.0...30.0).contains(try bench.tunnel(tunnel, of: "branch")["latencyMilliseconds"] as? Double ?? 0)
            })

        #expect(try eventually { try bench.run("lab", "inspect", "branch", "bgp", "10.1.0.10").status == 0 })
        #expect(
            try bench.run("lab", "inspect", "branch", "bgp", "10.1.0.0/16").output
                == "10.1.0.0/16, 1 path\n  best: from hq, next hop 100.127.0.1, AS path 65001, origin interior\n")
        let unknown = try bench.run("lab", "inspect", "branch", "bgp", "192.0.2.0/24")
        #expect(unknown.status == 2)
        #expect(unknown.errors == "patronus-sim: \"branch\" knows no path to 192.0.2.0/24\n")

        let entered = try bench.run("lab", "exec", "laptop", "--", "/bin/cat", "/proc/net/fib_trie")
        #expect(entered.status == 0)
        #expect(entered.output.contains("10.2.0.10"))
        #expect(try bench.run("lab", "exec", "laptop", "--", "/bin/sh", "-c", "exit 7").status == 7)

        #expect(try bench.run("lab", "link", "branch:wan-a--isp-a", "set", "delay=80ms", "jitter=0").status == 0)
        #expect(
            try eventually {
                (try bench.tunnel(tunnel, of: "branch")["latencyMilliseconds"] as? Double ?? 0) > 75
            })
        #expect(try bench.run("lab", "link", "branch:wan-a--isp-a", "down").status == 0)
        #expect(try eventually { try bench.tunnel(tunnel, of: "branch")["state"] as? String == "down" })
        #expect(try bench.tunnel("branch:wan-b>hq:wan-b", of: "branch")["state"] as? String == "up")

        let capture = try bench.run("lab", "capture", "hq:wan-b--isp-b", "--count", "5")
        #expect(capture.status == 0, "\(capture.errors)")
        // The mark of a pcap with nanoseconds, then a header and five packets with theirs.
        #expect(capture.output.hasPrefix("M<") && capture.output.unicodeScalars.count > 24 + 5 * 16)

        #expect(try bench.run("lab", "down").status == 0)
        #expect(bench.labs.isEmpty)
        let again = try bench.run("lab", "down")
        #expect(again.status == 2)
        #expect(again.errorLines == ["patronus-sim: no lab is up; make one with `patronus-sim lab up TOPOLOGY`"])
    }

    @Test func `what a lab is asked in vain is said in the user's words`() throws {
        let bench = try LabBench()
        try #require(try bench.run("lab", "up", "topology.json", "--name", "mine").status == 0)
        let twice = try bench.run("lab", "up", "topology.json", "--name", "mine")
        #expect(twice.status == 2)
        #expect(twice.errors.contains("lab mine is already up"))
        let unit = try bench.run("lab", "link", "branch:wan-a--isp-a", "set", "delay=80")
        #expect(unit.status == 2)
        #expect(unit.errors == "patronus-sim: set.delay: \"80\" needs a unit; write 250us, 20ms, 2s, 5m or 1h\n")
        let link = try bench.run("lab", "link", "branch--nowhere", "down")
        #expect(link.status == 2)
        #expect(link.errors.hasPrefix("patronus-sim: there is no link \"branch--nowhere\"; there are branch:wan-a"))
        let lan = try bench.run("lab", "link", "server:eth0--hq:lan0", "set", "delay=1ms")
        #expect(lan.status == 2)
        #expect(lan.errors.contains("is the kernel's own"), "\(lan.errors)")
        let node = try bench.run("lab", "exec", "nobody", "--", "/bin/true")
        #expect(node.status == 2)
        #expect(node.errors.hasPrefix("patronus-sim: there is no node \"nobody\"; there are hq, branch"))
        let other = try bench.run("lab", "inspect", "--lab", "other")
        #expect(other.errorLines == ["patronus-sim: there is no lab \"other\"; there is mine"])
    }

    @Test func `a supervisor that is killed takes its machines along, and what it wrote down is removed`() throws {
        let bench = try LabBench()
        try #require(try bench.run("lab", "up", "topology.json").status == 0)
        let supervisor = try bench.supervisor(of: "two-sites")
        #expect(bench.processes.count == 3)
        kill(supervisor, SIGKILL)
        #expect(eventually { bench.processes.isEmpty })
        #expect(bench.labs == ["two-sites"])
        #expect(try bench.run("lab", "list").output.contains("dead"))
        #expect(try bench.run("gc").status == 0)
        #expect(bench.labs.isEmpty)
        #expect(try bench.run("gc").output == "nothing is left of any dead lab or node\n")
    }

    @Test func `whoever made a lab can hang up`() throws {
        let bench = try LabBench()
        try #require(try bench.run("lab", "up", "topology.json").status == 0)
        let supervisor = try bench.supervisor(of: "two-sites")
        let machines = bench.processes.map(\.number)
        #expect(machines.count == 3 && machines.contains(supervisor))
        for process in machines {
            for stream in 0...2 {
                let file = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(stream)")
                #expect(file == "/dev/null" || file.hasSuffix("/two-sites/log"), "\(file)")
            }
        }
    }

    @Test func `a run in namespaces measures what the simulator measures`() throws {
        let bench = try LabBench()
        let expectations = """
            { "metric": "failover.outage.max", "below": "400ms" }, { "metric": "invariants.violations", "equals": 0 }
            """
        try bench.workspace.write(
            Fixture.scenario(duration: "6s", expectations: expectations), to: "scenario.json")
        let real = try bench.run("run", "scenario.json", "--backend", "netns", "--json")
        // A machine that is too busy makes a run invalid, not wrong.
        try #require([0, 3].contains(real.status), "\(real.errors)\(real.output)")
        let simulated = try bench.run("run", "scenario.json", "--json")
        let (netns, sim) = (try parsed(real.output), try parsed(simulated.output))
        #expect(netns["backend"] as? String == "netns")
        guard real.status == 0 else { return }
        let latencies = [netns, sim].map { value(of: "traffic.calls.latency.p50", in: $0) }
        #expect(abs(latencies[0] - latencies[1]) < 1 + latencies[1] * 0.1, "\(latencies)")
        let outages = [netns, sim].map { value(of: "failover.outage.max", in: $0) }
        #expect(abs(outages[0] - outages[1]) < 100, "\(outages)")
        #expect(bench.labs.isEmpty)
    }

    @Test(.enabled(if: access("/usr/sbin/ip", X_OK) == 0 && access("/usr/bin/ping", X_OK) == 0, "needs ip and ping"))
    func `a router that is killed is silent behind a carrier until it starts again`() throws {
        let bench = try LabBench()
        let restart = #"[ { "at": "3s", "node": "isp-a", "restart": true, "after": "3s" } ]"#
        try bench.workspace.write(Fixture.scenario(duration: "9s", events: restart), to: "scenario.json")
        let run = try bench.start("run", "scenario.json", "--backend", "netns", "--json")
        func exec(_ node: String, _ command: String...) throws -> Outcome {
            let arguments = ["lab", "exec", "--lab", bench.labs.first ?? "none", node, "--"] + command
            return try bench.start(arguments).outcome()
        }
        func addressOfRouter() throws -> String? {
            let text = try exec("isp-a", "/usr/sbin/ip", "-4", "-o", "address", "show", "dev", "eth0").output
            return text.firstMatch(of: #/inet ([\d.]+)/#).map { String($0.output.1) }
        }
        #expect(try eventually { try addressOfRouter() != nil })
        let address = try #require(try addressOfRouter())
        func answers() throws -> Bool {
            try exec("branch", "/usr/bin/ping", "-n", "-c", "1", "-W", "0.5", address).status == 0
        }
        #expect(try eventually { try answers() })
        #expect(try eventually { try !answers() })
        let neighbour = try exec("branch", "/usr/sbin/ip", "-o", "link", "show", "wan-a").output
        let own = try exec("isp-a", "/usr/sbin/ip", "-o", "link", "show", "eth0").output
        #expect(neighbour.contains("LOWER_UP") && own.contains("LOWER_UP"), "\(neighbour)\(own)")
        #expect(try eventually { try answers() })
        let outcome = try run.outcome()
        try #require([0, 3].contains(outcome.status), "\(outcome.errors)")
        guard outcome.status == 0 else { return }
        let simulated = try bench.run("run", "scenario.json", "--json")
        let outages = try [outcome, simulated].map { value(of: "failover.outage.max", in: try parsed($0.output)) }
        // Nobody hears of it by a carrier, so that probes have to find it out.
        #expect(outages[1] > 150 && abs(outages[0] - outages[1]) < 150, "\(outages)")
    }

    @Test func `a node that is killed is back at the instant that the scenario says`() throws {
        let bench = try LabBench()
        let restarts = """
            [ { "at": "3s", "node": "hq", "restart": true, "after": "1s" },
              { "at": "7s", "node": "hq", "restart": true, "after": "1s" } ]
            """
        try bench.workspace.write(Fixture.scenario(duration: "11s", events: restarts), to: "scenario.json")
        let real = try bench.start("run", "scenario.json", "--backend", "netns", "--json")
        func lives() -> Int { bench.processes.count { $0.does("agent") } }
        // Two hosts, two nodes, and the node's next life, which waits.
        #expect(eventually { lives() == 5 })
        let outcome = try real.outcome()
        #expect(bench.labs.isEmpty && bench.processes.isEmpty)
        try #require([0, 3].contains(outcome.status), "\(outcome.errors)")
        guard outcome.status == 0 else { return }
        let simulated = try bench.run("run", "scenario.json", "--json")
        let outages = try [outcome, simulated].map { value(of: "failover.outage.max", in: try parsed($0.output)) }
        // It would be 0.2 s longer if the process began, and the kernel verified its program, only then.
        #expect(outages[1] > 1_000 && abs(outages[0] - outages[1]) < 100, "\(outages)")
    }

    @Test func `what a linux node runs ends when the node is killed, and begins anew when it is back`() throws {
        let bench = try LabBench()
        let times = bench.workspace.url("times").path
        let command = "echo begins >> \(times); while sleep 0.1; do echo lives >> \(times); done"
        try bench.workspace.write(
            """
            { "nodes": {
                "hq": { "kind": "patronus", "lan": ["10.1.0.0/16"] },
                "box": { "kind": "linux", "exec": ["\(command)"] } },
              "links": [{ "endpoints": ["hq:ce0", "box:eth0"] }] }
            """, to: "box.json")
        try bench.workspace.write(
            """
            { "topology": "box.json", "duration": "6s",
              "events": [{ "at": "2s", "node": "box", "restart": true, "after": "2s" }] }
            """, to: "boxes.json")
        let outcome = try bench.run("run", "boxes.json", "--backend", "netns", "--quiet")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lives = try bench.workspace.text("times").components(separatedBy: "begins\n")
        // Nothing stands before the first beginning; each life is two seconds and what the lab takes.
        try #require(lives.count == 3 && lives[0].isEmpty, "\(lives.count)")
        for life in lives[1...] {
            let count = life.split(separator: "\n").count
            #expect(count >= 10 && count < 35, "\(count)")
        }
        usleep(500_000)
        #expect(try bench.workspace.text("times").components(separatedBy: "begins\n") == lives)
    }

    private func value(of metric: String, in summary: [String: Any]) -> Double {
        let metrics = summary["metrics"] as? [String: [String: Any]]
        return metrics?[metric]?["value"] as? Double ?? .nan
    }

    @Test func `a run that is interrupted leaves nothing`() throws {
        let bench = try LabBench()
        let running = try bench.start("run", "scenario.json", "--backend", "netns", "--quiet")
        #expect(eventually { !bench.labs.isEmpty })
        usleep(500_000)
        running.send(SIGTERM)
        let outcome = try running.outcome()
        #expect(outcome.status == 143)
        #expect(bench.labs.isEmpty)
        #expect(bench.workspace.names(in: "results").isEmpty)
    }

    @Test func `somebody without privileges gets one line`() throws {
        let bench = try LabBench()
        try #require(chmod(bench.workspace.path, 0o777) == 0)
        let nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        for arguments in [["lab", "up", "topology.json"], ["run", "scenario.json", "--backend", "netns"], ["gc"]] {
            let outcome = try bench.workspace.start(
                arguments, environment: bench.environment, through: nobody
            ).outcome()
            #expect(outcome.status == 4, "\(outcome.errors)")
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.errors.contains("run it with sudo"))
        }
        #expect(bench.labs.isEmpty)
    }
}
