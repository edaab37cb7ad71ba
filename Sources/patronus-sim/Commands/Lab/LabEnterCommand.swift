import ArgumentParser
import Emulator
import Glibc
import LinuxSystem

/// The first thing that a program of a `linux` node does; the lab starts it.
struct LabEnterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enter", abstract: "Runs a program of a linux node; the lab starts it.", shouldDisplay: false)

    @Argument(parsing: .postTerminator) var command: [String]

    func run() throws {
        let end: ProcessEnd?
        do throws(LabError) {
            end = try LinuxCommand.run(command)
        } catch {
            throw Failure(error)
        }
        switch end {
        case .exited(let status): Glibc.exit(status)
        case .killed(let signal): Glibc.exit(128 + signal)
        case nil: break
        }
    }
}
