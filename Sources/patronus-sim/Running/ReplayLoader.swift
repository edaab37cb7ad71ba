import Results
import Scenario
import Traffic

/// Finds the conversations in the captures that a scenario's traffic repeats.
enum ReplayLoader {
    /// One script for each traffic entry, nil for those that replay nothing; all faults at once.
    static func scripts(for scenario: Scenario) throws(Failure) -> [ReplayScript?] {
        var scripts: [ReplayScript?] = []
        var faults: [String] = []
        for entry in scenario.traffic {
            guard case .replay(let capture) = entry.application else {
                scripts.append(nil)
                continue
            }
            do throws(ResultsError) {
                scripts.append(try PcapReader.script(of: capture))
            } catch {
                faults.append("\(error.description)\n")
            }
        }
        guard faults.isEmpty else { throw Failure(.badInput, faults.joined()) }
        return scripts
    }
}
