import ArgumentParser
import Emulator
import Results

/// The process that one machine of a lab lives in; the lab starts it.
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Runs one machine of a lab; the lab starts it.", shouldDisplay: false)

    func run() throws {
        let isClean = Agent.run { inputs throws(Agent.BadTask) in
            do throws(Failure) {
                let runnable = try RunnableScenario(inputs.map { .init(path: $0.path, bytes: Array($0.octets)) })
                return Agent.Script(scenario: runnable.scenario, replays: runnable.replays)
            } catch {
                throw Agent.BadTask(error.message)
            }
        }
        guard isClean else { throw Failure(.defect) }
    }
}
