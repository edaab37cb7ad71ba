import ArgumentParser
import Results

/// `patronus-sim report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Draws report.html again from a folder of results.",
        discussion: """
            EXAMPLE
              patronus-sim report results/branch-brownout-42-sim
            """)

    @Argument(help: ArgumentHelp("A folder that `run` wrote.", valueName: "result"))
    var result: String

    func run() throws {
        let stored = try StoredRun.read(result)
        do throws(ResultsError) {
            try stored.rewriteReport()
        } catch {
            throw Failure(.lacking, error.description)
        }
        Console.output("report: \(stored.path)/report.html\n")
    }
}

extension StoredRun {
    /// Reads a folder that the user named.
    static func read(_ folder: String) throws(Failure) -> StoredRun {
        let path = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        do throws(ResultsError) {
            return try StoredRun(folder: path)
        } catch {
            throw Failure(.badInput, error.description)
        }
    }
}
