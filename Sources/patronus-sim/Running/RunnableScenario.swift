import Results
import Scenario
import ScenarioFiles
import Traffic

/// A scenario that is ready to run.
struct RunnableScenario {
    var scenario: Scenario
    /// By traffic entry.
    var replays: [ReplayScript?]
    var inputs: [RunResults.Input]
    var warnings: [Fault]

    /// Reads it with everything that it names.
    init(_ path: String, from source: FileSource = .disk) throws(Failure) {
        let loaded: LoadedScenario
        do throws(Faults) {
            loaded = try ScenarioLoader(source).load(path)
        } catch {
            throw Failure(.badInput, FaultText.faults(error.all))
        }
        scenario = loaded.scenario
        replays = try ReplayLoader.scripts(for: loaded.scenario)
        inputs = loaded.inputs.map { RunResults.Input(path: $0.path, bytes: $0.bytes) }
        warnings = loaded.warnings
    }

    /// Reads again what a run was made from.
    init(_ inputs: [RunResults.Input]) throws(Failure) {
        guard let first = inputs.first else { throw Failure(.badInput, "no scenario is stored") }
        try self.init(first.path, from: .memory(inputs.map { InputFile(path: $0.path, bytes: $0.bytes) }))
    }
}
