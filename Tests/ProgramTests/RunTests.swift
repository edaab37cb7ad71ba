import Foundation
import Testing

@Suite struct RunTests {
    @Test func `a run that meets its expectations exits with 0 and leaves its results`() throws {
        let here = try Workspace()
        let outcome = try here.run("run", "scenario.json")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.hasPrefix("PASSED  blackout, seed 42, backend sim\n"))
        #expect(outcome.output.contains("\npassed  invariants.violations  equals 0  0\n"))
        #expect(outcome.output.contains("\nsimulated 3s in "))
        #expect(outcome.output.hasSuffix("\nreport: results/blackout-42-sim/report.html\n"))
        #expect(here.names(in: "results") == ["blackout-42-sim"])
        #expect(here.names(in: "results/blackout-42-sim") == ["report.html", "run.sqlite", "summary.json"])
    }

    @Test func `the result shows what the failure did to the traffic`() throws {
        let here = try Workspace()
        let lines = try here.run("run", "scenario.json").output.split(separator: "\n").map(String.init)
        let failover = try #require(lines.firstIndex { $0.hasPrefix("FAILOVER") })
        #expect(lines[failover + 1].hasPrefix("outage"))
        #expect(lines[failover + 2].hasPrefix("detection"))
        let traffic = try #require(lines.firstIndex { $0.hasPrefix("TRAFFIC") })
        for column in ["LATENCY P50", "JITTER", "LOSS", "MOS P5", "GOODPUT"] {
            #expect(lines[traffic].contains(column))
        }
        #expect(lines[traffic + 1].hasPrefix("calls ") && lines[traffic + 1].contains(" ms"))
    }

    @Test func `an expectation that fails exits with 1 and says what was measured`() throws {
        let here = try Workspace()
        let expectations = """
            { "metric": "traffic.calls.latency.min", "below": "1ms" },
            { "metric": "bgp.convergence.max", "below": "1s" },
            { "metric": "traffic.calls.mos.max", "atLeast": 1 }
            """
        try here.write(Fixture.scenario(events: "[]", expectations: expectations), to: "scenario.json")
        let outcome = try here.run("run", "scenario.json")
        #expect(outcome.status == 1)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("FAILED  blackout") == true)
        let latency = try #require(lines.first { $0.contains("traffic.calls.latency.min") })
        #expect(latency.hasPrefix("FAILED  ") && latency.contains("below 1ms") && latency.hasSuffix(" ms"))
        let absent = try #require(lines.first { $0.contains("bgp.convergence.max") })
        #expect(absent.hasPrefix("FAILED  ") && absent.hasSuffix("so there was no convergence to measure"))
        #expect(lines.contains { $0.hasPrefix("passed  traffic.calls.mos.max") })
        #expect(try here.json("results/blackout-42-sim/summary.json")["status"] as? String == "failed")
    }

    @Test func `with --json the summary is all that standard output gets`() throws {
        let here = try Workspace()
        let outcome = try here.run("run", "scenario.json", "--json")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output == (try here.text("results/blackout-42-sim/summary.json")))
        let summary = try parsed(outcome.output)
        #expect(summary["scenario"] as? String == "blackout")
        #expect(summary["backend"] as? String == "sim")
        #expect(summary["seed"] as? Int == 42)
        #expect(summary["status"] as? String == "passed")
        #expect(summary["simulatedSeconds"] as? Double == 3)
        #expect((summary["digest"] as? String)?.hasPrefix("sha256:") == true)
        let metrics = try #require(summary["metrics"] as? [String: [String: Any]])
        #expect(metrics["traffic.calls.latency.p50"]?["unit"] as? String == "ms")
        #expect((summary["expectations"] as? [[String: Any]])?.first?["passed"] as? Bool == true)
    }

    @Test func `the same seed gives the same run, and another seed another one`() throws {
        let here = try Workspace()
        func digest(_ arguments: String...) throws -> String {
            let outcome = try here.start(["run", "scenario.json", "--json"] + arguments).outcome()
            return try #require(parsed(outcome.output)["digest"] as? String)
        }
        let first = try digest("--out", "one")
        #expect(try digest("--out", "two") == first)
        #expect(try digest("--out", "three", "--pcap", "all") == first)
        #expect(try digest("--seed", "43") != first)
        #expect(here.exists("results/blackout-43-sim/report.html"))
        #expect(try here.json("results/blackout-43-sim/summary.json")["seed"] as? Int == 43)
    }

    @Test func `captures are the same octets each time, with nanoseconds`() throws {
        let here = try Workspace()
        #expect(try here.run("run", "--pcap", "branch:wan-a--isp-a", "scenario.json", "--out", "one").status == 0)
        #expect(try here.run("run", "scenario.json", "--out", "two", "--pcap", "all").status == 0)
        #expect(here.names(in: "one/pcap") == ["branch_wan-a--isp-a.pcap"])
        #expect(here.names(in: "two/pcap").count == 6)
        let capture = try here.bytes("one/pcap/branch_wan-a--isp-a.pcap")
        #expect(capture.starts(with: [0x4D, 0x3C, 0xB2, 0xA1]))
        #expect(capture.count > 10_000)
        #expect(try here.bytes("two/pcap/branch_wan-a--isp-a.pcap") == capture)
    }

    @Test func `a capture is replayed, and a damaged one refused`() throws {
        let here = try Workspace()
        #expect(try here.run("run", "scenario.json", "--out", "one", "--pcap", "laptop:eth0--branch:lan0").status == 0)
        let name = try #require(here.names(in: "one/pcap").first)
        let traffic = """
            { "name": "again", "application": "replay", "pcap": "one/pcap/\(name)", "from": "laptop", "to": "server" }
            """
        let met = #"{ "metric": "traffic.again.latency.count", "above": 50 }"#
        try here.write(Fixture.scenario(name: "again", traffic: traffic, expectations: met), to: "again.json")
        #expect(try here.run("run", "again.json").status == 0)
        try here.write("no capture", to: "one/pcap/\(name)")
        for command in ["run", "validate"] {
            let outcome = try here.run(command, "again.json", "--out", "broken")
            #expect(outcome.status == (command == "run" ? 2 : 64))
        }
        let refused = try here.run("validate", "again.json")
        #expect(refused.status == 2 && refused.output.isEmpty)
        #expect(refused.errors.hasPrefix("one/pcap/\(name): "))
        #expect(!here.exists("broken"))
    }

    @Test func `a JUnit report has a case for each expectation`() throws {
        let here = try Workspace()
        let failing = #"{ "metric": "traffic.calls.latency.min", "below": "1ms" }"#
        try here.write(Fixture.scenario(expectations: failing), to: "scenario.json")
        #expect(try here.run("run", "scenario.json", "--junit", "junit.xml").status == 1)
        let report = try here.text("junit.xml")
        #expect(report.contains(#"<testsuite name="blackout" tests="2" failures="1""#))
        #expect(report.contains(#"name="traffic.calls.latency.min below 1ms""#))
        let unwritable = try here.run("run", "scenario.json", "--json", "--junit", "absent/junit.xml")
        #expect(unwritable.status == 4 && unwritable.errors.contains("absent/junit.xml: "))
        #expect(try parsed(unwritable.output)["status"] as? String == "failed")
    }

    @Test func `what a version does not do is warned of, and does not keep the run from its end`() throws {
        let here = try Workspace()
        let encrypted = Fixture.topology.replacing(#""encryption": "none""#, with: #""encryption": "wireguard""#)
        try here.write(encrypted, to: "topology.json")
        let outcome = try here.run("run", "scenario.json", "--json")
        #expect(outcome.status == 0)
        #expect(try outcome.errors.contains(Regex(#"topology.json:\d+:\d+: warning: overlay.encryption: "#)))
        _ = try parsed(outcome.output)
    }

    @Test func `results that are there are replaced, and anything else is left alone`() throws {
        let here = try Workspace()
        #expect(try here.run("run", "scenario.json", "--out", "out", "--pcap", "all").status == 0)
        #expect(try here.run("run", "scenario.json", "--out", "out").status == 0)
        #expect(here.names(in: "out") == ["report.html", "run.sqlite", "summary.json"])
        try FileManager.default.createDirectory(at: here.url("mine"), withIntermediateDirectories: true)
        try here.write("precious", to: "mine/thesis.txt")
        let outcome = try here.run("run", "scenario.json", "--out", "mine")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("mine: this folder holds something other"))
        #expect(here.names(in: "mine") == ["thesis.txt"])
        #expect(here.names().filter { $0.contains("partial") }.isEmpty)
    }
}
