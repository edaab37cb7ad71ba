import Testing

@Suite struct RefusalTests {
    @Test func `all faults of a scenario are told at once, with their places, and nothing is created`() throws {
        let here = try Workspace()
        let broken = """
            {
              "name": "broken", "topology": "topology.json", "duraton": "3s", "duration": "3",
              "traffic": [ { "application": "voip", "from": "laptop", "to": "serve" } ]
            }
            """
        try here.write(broken, to: "broken.json")
        let outcome = try here.run("run", "broken.json")
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errorLines.count == 3)
        let form = try Regex(#"broken.json:\d+:\d+: [a-z$\[\]0-9.]+: .+; .+"#)
        for line in outcome.errorLines { #expect(line.wholeMatch(of: form) != nil, "\(line)") }
        #expect(outcome.errors.contains("broken.json:2:50: duraton: "))
        #expect(outcome.errors.contains("duration"))
        #expect(outcome.errors.contains(#""server""#))
        #expect(here.names() == ["broken.json", "scenario.json", "topology.json"])
    }

    @Test func `faults keep standard output empty under --json too`() throws {
        let here = try Workspace()
        let outcome = try here.run("run", "absent.json", "--json")
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("absent.json:1:1: "))
    }

    @Test func `a link to capture that is not there is named with those that are`() throws {
        let here = try Workspace()
        let outcome = try here.run("run", "scenario.json", "--pcap", "nowhere")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(#"no link "nowhere""#) && outcome.errors.contains("branch:wan-a--isp-a"))
        #expect(!here.exists("results"))
    }

    @Test(arguments: [
        ["run"], ["run", "scenario.json", "--sed", "1"], ["run", "scenario.json", "--seed", "many"],
        ["run", "scenario.json", "--backend", "cloud"], ["compare", "one"], ["validate"], ["report"], ["fly"],
        ["run", "scenario.json", "--out", ""],
    ])
    func `wrong usage exits with 64`(_ arguments: [String]) throws {
        let here = try Workspace()
        let outcome = try here.start(arguments).outcome()
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty && outcome.errors.contains("Usage: patronus-sim"))
    }

    @Test func `faults are annotated for GitHub's runners`() throws {
        let here = try Workspace()
        try here.write(#"{ "name": "x", "topology": "topology.json" }"#, to: "short.json")
        let faulty = try here.run("validate", "short.json", environment: ["GITHUB_ACTIONS": "true"])
        #expect(faulty.errors.contains("\n::error file=short.json,line=1,col="))
        let failing = #"{ "metric": "traffic.calls.latency.min", "below": "1ms" }"#
        try here.write(Fixture.scenario(expectations: failing), to: "scenario.json")
        let failed = try here.run("run", "scenario.json", environment: ["GITHUB_ACTIONS": "true"])
        #expect(failed.status == 1)
        #expect(failed.errors.hasPrefix("::error file=scenario.json::traffic.calls.latency.min: wanted below 1ms, "))
    }
}
