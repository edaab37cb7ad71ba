import Emulator
import Foundation
import Results
import Scenario

/// Reads what users write of a link (`delay=80ms`), by the rules of scenario files.
struct LinkWords {
    /// The files of the lab's topology.
    let inputs: [RunResults.Input]

    func change(
        _ link: String, _ settings: [String: String], _ direction: String
    ) throws(LabControl.WordsOfRefusal) -> LabControl.LinkChange {
        var set: [String: Any] = [:]
        // Ratios may be plain numbers; everything else is a string with its unit.
        for (key, value) in settings { set[key] = Double(value).map { $0 as Any } ?? value }
        let event: [String: Any] = ["at": "0s", "link": link, "set": set, "direction": direction]
        let runnable: RunnableScenario
        do throws(Failure) {
            runnable = try RunnableTopology.wrapped(inputs, event: event)
        } catch {
            throw LabControl.WordsOfRefusal(Self.withoutPlaces(error.message))
        }
        guard case .linkSet(let index, let directions, let changes, _) = runnable.scenario.events.first?.kind else {
            throw LabControl.WordsOfRefusal("nothing of link \(link) is to be changed")
        }
        return LabControl.LinkChange(link: index, directions: directions, settings: changes)
    }

    /// The faults without the places in a file that the user has not written.
    private static func withoutPlaces(_ text: String) -> String {
        text.split(separator: "\n").map { line in
            line.replacing(#/^.*lab\.json:\d+:\d+: (events\[0\]\.)?/#, with: "")
        }.joined(separator: "; ")
    }
}
