import Basics
import Emulator
import Foundation
import LinuxSystem
import Results
import Scenario

/// Runs one scenario in network namespaces of this kernel.
struct EmulatedRun {
    private let runnable: RunnableScenario
    private let lab: Lab

    /// Makes the lab and waits until all its machines could start.
    init(_ runnable: RunnableScenario) throws(Failure) {
        self.runnable = runnable
        let scenario = runnable.scenario
        let request = LabRequest(
            scenario: scenario, seed: scenario.seed, replays: runnable.replays,
            inputs: runnable.inputs.map { AgentTask.Input(path: $0.path, octets: Data($0.bytes)) },
            name: LabName(forTopology: "run-\(ProcessInfo.processInfo.processIdentifier)"), program: try ownProgram())
        lab = try laboratory { () throws(LabError) in try Lab(request) }
    }

    /// Lets everything happen up to `end`; throws where a signal asks to stop.
    func run(until end: Instant, captures: LinkCaptures, _ progress: inout ProgressLine) throws(Failure) -> RunRecord {
        defer { progress.clear() }
        let lab = lab
        return try laboratory { () throws(LabError) in
            lab.start()
            try lab.run(until: end) { now throws(LabError) in
                progress.show(now)
                lab.drainCapture { captures.take($0, links: $1) }
                if Interruption.isPending { throw .interrupted }
            }
            let record = try lab.finish()
            lab.drainCapture { captures.take($0, links: $1) }
            lab.end()
            return record
        }
    }
}

/// What the kernel, or a missing privilege, has against a lab, as the program says it.
func laboratory<Value>(_ body: () throws(LabError) -> Value) throws(Failure) -> Value {
    do throws(LabError) {
        return try body()
    } catch {
        if case .interrupted = error {
            try Interruption.check()
        }
        throw Failure(error)
    }
}

/// This program's file.
func ownProgram() throws(Failure) -> String {
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
        throw Failure(.lacking, "patronus-sim: /proc is not there, so its own file cannot be found")
    }
    return path
}

extension Failure {
    init(_ error: LabError) {
        let message = "patronus-sim: \(error)"
        switch error {
        case .ground(.cloudNode), .ground(.interfaceName), .ground(.alreadyRuns): self.init(.badInput, message)
        case .agent: self.init(.defect, message)
        case .ground, .system, .interrupted: self.init(.lacking, message)
        }
    }
}
