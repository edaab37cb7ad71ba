import ArgumentParser
import Emulator

/// `patronus-sim doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Tries what this machine can do for labs, and says what to do about the rest.")

    func run() throws {
        let findings = Doctor.findings()
        let palette = Palette(isTerminal: Console.outputIsTerminal)
        for finding in findings {
            let word =
                switch finding.verdict {
                case .works: palette.good("works  ")
                case .missing: palette.faint("missing")
                case .fails: palette.bad("FAILS  ")
                }
            Console.output("\(word)  \(finding.subject): \(finding.text)\n")
        }
        let failures = findings.filter { $0.verdict == .fails }.map(\.subject)
        guard failures.isEmpty else {
            throw Failure(.lacking, "patronus-sim: there are no labs without \(failures.joined(separator: ", "))")
        }
    }
}
