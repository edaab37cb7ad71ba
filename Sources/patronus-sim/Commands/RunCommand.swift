import ArgumentParser
import Basics
import Measure
import Results
import Scenario

/// `patronus-sim run`.
struct RunCommand: ParsableCommand {
    /// Where a scenario runs.
    enum Backend: String, CaseIterable, ExpressibleByArgument {
        case sim
        case netns
    }

    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a scenario and holds it against its expectations.",
        usage: """
            patronus-sim run SCENARIO [--backend sim|netns] [--seed N] [--out DIR] [--json]
                             [--junit FILE] [--pcap all|LINK...] [--quiet]
            """,
        discussion: """
            The results, with report.html to look at, go to results/NAME-SEED-BACKEND below the current \
            folder. Results that are there are replaced once the run is over.

            EXAMPLES
              patronus-sim run scenarios/branch-brownout.json
              patronus-sim run scenarios/branch-brownout.json --seed 7 --out seven
              patronus-sim run scenarios/branch-brownout.json --pcap branch:wan-a--isp-a
              patronus-sim run scenarios/branch-brownout.json --json | jq .metrics
            """)

    @Argument(help: ArgumentHelp("The scenario, a JSON or YAML file.", valueName: "scenario"))
    var scenario: String?

    @Option(help: "Where it runs: sim, in virtual time, or netns, in network namespaces.")
    var backend = Backend.sim

    @Option(help: ArgumentHelp("The seed in place of the scenario's own.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("The folder for the results.", valueName: "dir"))
    var out: String?

    @Flag(help: "Print summary.json on standard output, and nothing else there.")
    var json = false

    @Option(help: ArgumentHelp("Write a JUnit report there too.", valueName: "file"))
    var junit: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Capture these links' packets besides those that the scenario names.", valueName: "all|link"))
    var pcap: [String] = []

    @Flag(help: "Show no progress.")
    var quiet = false

    mutating func validate() throws {
        // `--pcap all SCENARIO`: the option's list has taken the scenario along.
        if scenario == nil, pcap.count > 1 { scenario = pcap.removeLast() }
        guard scenario != nil else { throw ValidationError("Missing expected argument '<scenario>'") }
        guard out != "", junit != "" else { throw ValidationError("An empty path names nothing") }
    }

    func run() throws {
        Interruption.install()
        let status = try RunPerformance(request()).perform()
        guard status == .done else { throw Failure(status) }
    }

    private func request() throws(Failure) -> RunRequest {
        let path = scenario ?? ""
        var runnable = try RunnableScenario(path)
        Console.error(FaultText.warnings(runnable.warnings))
        if let seed { runnable.scenario.seed = seed }
        runnable.scenario.record.capturedLinks = try capturedLinks(of: runnable.scenario)
        return RunRequest(
            path: path, runnable: runnable, folder: out, junit: junit, isJSON: json,
            showsProgress: !quiet && !json, backend: backend)
    }

    /// The links that the scenario wants captured, and those that the command line names.
    private func capturedLinks(of scenario: Scenario) throws(Failure) -> [Int] {
        let links = scenario.topology.links
        if pcap.contains("all") { return Array(links.indices) }
        var result = scenario.record.capturedLinks
        for name in pcap {
            guard let index = scenario.topology.linkIndex(named: name) else {
                let known = links.map { "\"\($0.name)\"" }.joined(separator: ", ")
                throw Failure(.badInput, "--pcap: there is no link \"\(name)\"; name one of \(known), or all")
            }
            if !result.contains(index) { result.append(index) }
        }
        return result
    }
}
