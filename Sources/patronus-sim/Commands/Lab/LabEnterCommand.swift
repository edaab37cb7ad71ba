import ArgumentParser
import Emulator
import Glibc

/// The first thing that a program of a `linux` node does; the lab starts it.
struct LabEnterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enter", abstract: "Runs a program of a linux node; the lab starts it.", shouldDisplay: false)

    @Argument(parsing: .postTerminator) var command: [String]

    func run() throws {
        do throws(LabError) {
            try LinuxCommand.enter()
        } catch {
            throw Failure(error)
        }
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        execvp(command[0], &words)
        throw Failure(.lacking, "patronus-sim: \(command[0]): \(String(cString: strerror(errno)))")
    }
}
