import ArgumentParser
import Results

/// `patronus-sim compare`.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Holds two folders of results side by side.",
        discussion: """
            Where two simulated runs differ, both are repeated up to the second in which they part, and the \
            first event that differs is named. The exit status is 0 where they are equal and 1 where they are not.

            EXAMPLES
              patronus-sim compare results/branch-brownout-1-sim results/branch-brownout-2-sim
              patronus-sim compare before after --json
            """)

    @Argument(help: ArgumentHelp("A folder that `run` wrote.", valueName: "result"))
    var first: String

    @Argument(help: ArgumentHelp("Another one.", valueName: "result"))
    var second: String

    @Flag(help: "Print one JSON document on standard output, and nothing else there.")
    var json = false

    func run() throws {
        Interruption.install()
        let comparison = RunComparison(try StoredRun.read(first), try StoredRun.read(second))
        let finding = try finding(comparison)
        if json {
            Console.output(finding?.inserted(intoObject: comparison.json) ?? comparison.json)
        } else {
            Console.output(comparison.text() + (finding.map { "\n\($0.text)" } ?? ""))
        }
        guard comparison.isSameRun else { throw Failure(.unmet) }
    }

    /// The first event that differs; nil where there is nothing to look for.
    private func finding(_ comparison: RunComparison) throws(Failure) -> DivergenceFinding? {
        guard !comparison.isSameRun, let divergence = comparison.divergence,
            comparison.first.backend == "sim", comparison.second.backend == "sim"
        else { return nil }
        let search = DivergenceSearch(
            comparison.first, comparison.second, second: divergence.second, showsProgress: !json)
        return try search.find()
    }
}
