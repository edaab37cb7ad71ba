import ArgumentParser
import Emulator

/// `patronus-sim gc`.
struct GarbageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Removes what dead labs and nodes have left, and nothing else.")

    func run() throws {
        do throws(GroundError) { try Ground.checkPrivilege() } catch { throw Failure(.ground(error)) }
        let cleaned = LabStore.standard.collectGarbage()
        var failures: [String] = []
        for lab in cleaned {
            for thing in lab.removed { Console.output("lab \(lab.lab): removed \(thing)\n") }
            failures += lab.failures.map { "patronus-sim: lab \(lab.lab): \($0)\n" }
        }
        var words: [String] = []
        do throws(RealError) {
            let nodes = try RealStore.standard.collectGarbage()
            words = nodes.words
            failures += nodes.failures.map { "patronus-sim: \($0)\n" }
        } catch {
            failures.append("patronus-sim: \(error)\n")
        }
        for word in words { Console.output("\(word)\n") }
        if cleaned.isEmpty, words.isEmpty, failures.isEmpty {
            Console.output("nothing is left of any dead lab or node\n")
        }
        guard failures.isEmpty else { throw Failure(.lacking, failures.joined()) }
    }
}
