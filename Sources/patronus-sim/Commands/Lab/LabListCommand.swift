import ArgumentParser
import Emulator

/// `patronus-sim lab list`.
struct LabListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the labs of this machine, dead ones too.")

    func run() throws {
        let labs = LabStore.standard.labs()
        guard !labs.isEmpty else { return Console.output("no lab is up\n") }
        var table = TextTable(["LAB", "TOPOLOGY", "STATE", "NODES"], leadingColumns: 3)
        for state in labs {
            let word =
                state.isAlive ? "up, process \(state.supervisor?.number ?? 0)" : "dead; `gc` removes what it left"
            table.append([state.lab.text, state.topology ?? "", word, "\(state.nodes.count)"])
        }
        Console.output(table.lines.joined(separator: "\n") + "\n")
    }
}
