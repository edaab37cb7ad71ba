import ArgumentParser
import Emulator
import LinuxSystem
import Scenario

/// `patronus-sim lab up`.
struct LabUpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Makes a topology in network namespaces, and leaves it running.")

    @Argument(
        help: ArgumentHelp("The topology, a JSON or YAML file; or a scenario that names one.", valueName: "topology"))
    var topology: String

    @Option(help: "The lab's name; without it, the topology's.")
    var name: String?

    func run() throws {
        let runnable = try RunnableTopology.load(topology)
        Console.error(FaultText.warnings(runnable.warnings))
        Console.error(GroundWarnings.text(runnable, isKept: true))
        let lab = try labName(runnable.scenario.topology.name)
        let program = try ownProgram()
        let word = try laboratory { () throws(LabError) in
            do throws(SystemError) {
                return try start(lab, program)
            } catch {
                throw .system(error)
            }
        }
        switch word {
        case .up:
            Console.output("lab \(lab) is up; `patronus-sim lab inspect` shows it, `patronus-sim lab down` ends it\n")
        case .failed(let status, let message):
            throw Failure(ExitStatus(code: status), message)
        case nil:
            throw Failure(.defect, "patronus-sim: the lab's supervisor ended without a word")
        }
    }

    /// Starts the supervisor and waits until the lab is up, or until it says why not.
    private func start(_ lab: LabName, _ program: String) throws(SystemError) -> SupervisorWord? {
        var child = try ProgramChild(program, ["lab", "supervisor", topology, "--name", lab.text])
        let word = try child.channel.wait(for: SupervisorWord.self)
        if case .up = word { child.process.letGo() }
        return word
    }

    private func labName(_ topology: String) throws(Failure) -> LabName {
        guard let name else { return LabName(forTopology: topology) }
        guard let lab = LabName(name) else {
            throw Failure(.badInput, "patronus-sim: \"\(name)\" is no name for a lab; use letters, digits and -")
        }
        return lab
    }
}

/// What a lab's supervisor says to the command that started it, once.
enum SupervisorWord: Codable {
    case up
    /// With the exit status, and the words for standard error.
    case failed(Int32, String)
}
