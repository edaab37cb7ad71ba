import ArgumentParser
import ScenarioFiles

/// `patronus-sim validate`.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Checks scenarios and topologies without running them.",
        discussion: """
            Every fault is one line on standard error, FILE:LINE:COLUMN: PATH: what is wrong; what would be right.

            EXAMPLES
              patronus-sim validate scenarios/branch-brownout.json
              patronus-sim validate scenarios/*.json topologies/*.json
            """)

    @Argument(help: ArgumentHelp("Scenarios and topologies, JSON or YAML.", valueName: "file"))
    var files: [String]

    func run() throws {
        var areGood = true
        for file in files where !Self.isGood(file) { areGood = false }
        guard areGood else { throw Failure(.badInput) }
    }

    /// Says what is to be said of one file.
    private static func isGood(_ file: String) -> Bool {
        let checked = ScenarioLoader().check(file)
        Console.error(FaultText.warnings(checked.warnings) + FaultText.faults(checked.faults.all))
        guard checked.faults.all.isEmpty else { return false }
        if checked.kind == .scenario {
            // Captures are looked into only here: the files' rules say nothing of them.
            do throws(Failure) {
                _ = try RunnableScenario(file)
            } catch {
                Console.error(error.message)
                return false
            }
        }
        Console.output("\(file): ok\n")
        return true
    }
}
