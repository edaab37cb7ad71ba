import ArgumentParser
import Emulator
import Foundation

/// `patronus-sim lab inspect`.
struct LabInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what a lab's nodes say of their tunnels, paths and BGP sessions.")

    @Argument(help: ArgumentHelp("The node; without it, all.", valueName: "node"))
    var node: String?

    @Argument(
        help: ArgumentHelp(
            "`bgp`, and a prefix or an address: why packets to it go where they go.", valueName: "bgp ROUTE"))
    var question: [String] = []

    @OptionGroup var lab: LabOption

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard question.isEmpty || question.count == 2 && question[0] == "bgp" else {
            throw ValidationError("after the node comes nothing, or `bgp` and a prefix or an address")
        }
    }

    func run() throws {
        let living = try LivingLab(lab)
        if let node, let route = question.last { return try explain(route, at: node, living) }
        guard case .states(let states) = try living.ask(.inspect(node: node)) else {
            throw Failure(.defect, "patronus-sim: lab \(living.state.lab) answered something else")
        }
        Console.output(json ? try Self.document(states) : states.map(Self.text).joined(separator: "\n"))
    }

    private func explain(_ route: String, at node: String, _ living: LivingLab) throws {
        guard case .explanation(let lines) = try living.ask(.explain(node: node, route: route)) else {
            throw Failure(.defect, "patronus-sim: lab \(living.state.lab) answered something else")
        }
        let text = lines.prefix(1) + lines.dropFirst().map { "  \($0)" }
        Console.output(json ? try Self.document(lines) : text.joined(separator: "\n") + "\n")
    }

    /// What is told, for programs.
    static func document(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    /// One node, for people.
    static func text(_ state: NodeState) -> String {
        var lines = ["\(state.name), up for \(Amount.fixed(state.uptime, decimals: 1)) s"]
        var tunnels = TextTable(["  TUNNEL", "STATE", "LATENCY", "JITTER", "LOSS IN", "LOSS OUT"], leadingColumns: 2)
        for tunnel in state.tunnels {
            tunnels.append([
                "  \(tunnel.name)", tunnel.state, milliseconds(tunnel.latencyMilliseconds),
                milliseconds(tunnel.jitterMilliseconds), share(tunnel.lossReceived), share(tunnel.lossSent),
            ])
        }
        if !state.tunnels.isEmpty { lines += tunnels.lines }
        var sessions = TextTable(["  BGP PEER", "STATE"], leadingColumns: 2)
        for session in state.sessions { sessions.append(["  \(session.peer)", session.state]) }
        if !state.sessions.isEmpty { lines += sessions.lines }
        lines.append("  \(state.pathChanges) path changes, \(state.droppedPackets) packets dropped")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func milliseconds(_ value: Double?) -> String {
        value.map { "\(Amount.fixed($0, decimals: 3)) ms" } ?? "-"
    }

    private static func share(_ value: Double?) -> String {
        value.map { "\(Amount.fixed($0 * 100, decimals: 2)) %" } ?? "-"
    }
}
