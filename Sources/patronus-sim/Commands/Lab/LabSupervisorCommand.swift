import ArgumentParser
import Emulator
import Foundation
import Glibc
import LinuxSystem
import Results
import Scenario

/// The process that a lab lives in; `lab up` starts it.
struct LabSupervisorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervisor", abstract: "Holds a lab; `lab up` starts it.", shouldDisplay: false)

    @Argument var topology: String
    @Option var name: String

    func run() throws {
        Interruption.install()
        let channel = MessageChannel(UnixSocket(owning: FileDescriptor(owning: ProgramChild.channelDescriptor)))
        // What is typed at the terminal of `lab up` is not meant for the lab.
        setsid()
        do throws(Failure) {
            try hold(channel)
        } catch {
            // The command that waits for it says why; later there is the log.
            guard (try? channel.send(SupervisorWord.failed(error.status.code, error.message))) == nil else {
                throw Failure(error.status)
            }
            throw error
        }
    }

    private func hold(_ channel: MessageChannel) throws(Failure) {
        guard let name = LabName(name) else { throw Failure(.badInput, "\"\(name)\" is no name for a lab") }
        let runnable = try RunnableTopology.load(topology)
        var request = LabRequest(
            scenario: runnable.scenario, seed: runnable.scenario.seed,
            inputs: runnable.inputs.map { AgentTask.Input(path: $0.path, octets: Data($0.bytes)) }, name: name,
            program: try ownProgram(), keepsTelemetry: false)
        request.isKept = true
        let words = LinkWords(inputs: Array(runnable.inputs.dropFirst()))
        try laboratory { () throws(LabError) in
            let lab = try Lab(request)
            defer { lab.end() }
            let control = try inSystem { () throws(SystemError) in
                try LabControl(lab, at: LivingLab.controlPath(of: lab.journal.folder)) {
                    link, settings, direction throws(LabControl.WordsOfRefusal) in
                    try words.change(link, settings, direction)
                }
            }
            lab.start()
            try inSystem { () throws(SystemError) in try channel.send(SupervisorWord.up) }
            Self.leaveTerminal(log: "\(lab.journal.folder)/log")
            try control.serve { () throws(LabError) in
                if Interruption.isPending { throw .interrupted }
            }
        }
    }

    private func inSystem<Value>(_ body: () throws(SystemError) -> Value) throws(LabError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .system(error) }
    }

    /// Points the standard streams away from a terminal that may go.
    private static func leaveTerminal(log: String) {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        dup2(nothing, STDIN_FILENO)
        dup2(nothing, STDOUT_FILENO)
        dup2(file >= 0 ? file : nothing, STDERR_FILENO)
    }
}
