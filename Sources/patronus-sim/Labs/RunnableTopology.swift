import Foundation
import Results
import ScenarioFiles

/// A topology made a scenario in which nothing is scripted, for labs.
enum RunnableTopology {
    /// Longer than anybody has patience for.
    private static let duration = "8760h"

    /// Reads a topology, or the one that a scenario names.
    static func load(_ path: String) throws(Failure) -> RunnableScenario {
        guard ScenarioLoader(.disk).check(path).kind == .scenario else {
            return try wrapped(inputs(ofTopology: path))
        }
        return try wrapped(Array(try RunnableScenario(path).inputs.dropFirst()))
    }

    /// A scenario as it is, or a topology made one.
    static func orScenario(_ path: String) throws(Failure) -> RunnableScenario {
        guard ScenarioLoader(.disk).check(path).kind == .scenario else { return try load(path) }
        return try RunnableScenario(path)
    }

    private static func inputs(ofTopology path: String) throws(Failure) -> [RunResults.Input] {
        do throws(Faults) {
            return try ScenarioLoader(.disk).loadTopology(path).inputs.map {
                RunResults.Input(path: $0.path, bytes: $0.bytes)
            }
        } catch {
            throw Failure(.badInput, FaultText.faults(error.all))
        }
    }

    /// The scenario around a topology's files; `event` is what its only event says, where it has one.
    static func wrapped(
        _ inputs: [RunResults.Input], event: [String: Any]? = nil
    ) throws(Failure) -> RunnableScenario {
        guard let topology = inputs.first else { throw Failure(.badInput, "no topology is there") }
        let file = URL(filePath: topology.path)
        var document: [String: Any] = [
            "name": file.deletingPathExtension().lastPathComponent, "topology": file.lastPathComponent,
            "duration": duration,
        ]
        if let event { document["events"] = [event] }
        guard let bytes = try? JSONSerialization.data(withJSONObject: document, options: [.sortedKeys]) else {
            throw Failure(.defect, "patronus-sim: a scenario could not be written")
        }
        let folder = (topology.path as NSString).deletingLastPathComponent
        let path = folder.isEmpty ? "lab.json" : "\(folder)/lab.json"
        return try RunnableScenario([RunResults.Input(path: path, bytes: Array(bytes))] + inputs)
    }
}
