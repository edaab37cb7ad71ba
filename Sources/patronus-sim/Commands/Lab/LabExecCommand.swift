import ArgumentParser
import Glibc
import LinuxSystem

/// `patronus-sim lab exec`.
struct LabExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Runs a program in the namespace of a node.",
        usage: "patronus-sim lab exec [--lab NAME] NODE -- COMMAND [ARGUMENT...]")

    @OptionGroup var lab: LabOption

    @Argument(help: ArgumentHelp("The node.", valueName: "node"))
    var node: String

    @Argument(parsing: .postTerminator, help: ArgumentHelp("What to run there.", valueName: "command"))
    var command: [String]

    func run() throws {
        guard let program = command.first else { throw ValidationError("Nothing is to be run: write -- COMMAND") }
        let namespace = try LivingLab(lab).namespace(of: node)
        do throws(SystemError) {
            try namespace.enter()
        } catch {
            throw Failure(.lacking, "patronus-sim: \(error)")
        }
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        execvp(program, &words)
        let reason = String(cString: strerror(errno))
        throw Failure(.lacking, "patronus-sim: \(program): \(reason)")
    }
}
