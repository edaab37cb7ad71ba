// The program: it parses the command line, calls what does the work, and shows what came of it.
//
// Way in: `PatronusSim` with one file for each command in `Commands`. `Running` drives
// simulations: `Runner` steps one through virtual time, `Interruption` ends it early on a
// signal, `LinkCaptures` takes its packets, `DivergenceSearch` repeats two of them.
// `Showing` is what people see. Way out: `ExitStatus`; whatever ends a command early is a
// `Failure`, which carries the status and the words for standard error.

import ArgumentParser
import Glibc

/// `patronus-sim`.
@main
struct PatronusSim: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "patronus-sim",
        abstract: "Runs SD-WAN scenarios and says whether they went as expected.",
        discussion: """
            A scenario names a topology, the traffic over it, what breaks and what is expected. \
            The same scenario with the same seed gives the same results, on any machine.

            EXAMPLES
              patronus-sim validate scenarios/*.json
              patronus-sim run scenarios/branch-brownout.json
              patronus-sim compare results/branch-brownout-1-sim results/branch-brownout-2-sim

            EXIT STATUS
              0    done, and every expectation was met
              1    an expectation or an invariant failed; two compared runs differ
              2    bad input: a file that does not fit
              3    the run is invalid: the machine was too busy
              4    the machine lacks something
              5    a defect of this program
              64   wrong usage
              130  interrupted (SIGINT), 143 terminated (SIGTERM)
            """,
        version: version,
        subcommands: [
            RunCommand.self, ValidateCommand.self, ReportCommand.self, CompareCommand.self, LabCommand.self,
            NodeCommand.self, PlanCommand.self, GarbageCommand.self, DoctorCommand.self, AgentCommand.self,
        ])

    static func main() {
        DefectNotice.install()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            Console.error(failure.message)
            Glibc.exit(failure.status.code)
        } catch {
            // The parser's own errors have a status of their own; all others should have been failures.
            guard exitCode(for: error) == .failure else { exit(withError: error) }
            Console.error("patronus-sim: a defect of this program: \(error)\n")
            Glibc.exit(ExitStatus.defect.code)
        }
    }
}
