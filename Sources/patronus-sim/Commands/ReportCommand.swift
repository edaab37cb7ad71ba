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
        do throws(ResultsError) {
            return try StoredRun(folder: folder.withoutTrailingSlashes)
        } catch {
            throw Failure(.badInput, error.description)
        }
    }
}

extension String {
    /// A folder's path as it is shown: `out/` is `out`.
    var withoutTrailingSlashes: String {
        var path = self
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
