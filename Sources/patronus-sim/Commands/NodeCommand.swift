import ArgumentParser
import Basics
import Emulator
import Foundation
import Glibc
import LinuxSystem

/// `patronus-sim node`.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Makes this machine one node of a topology, on its own interfaces.",
        usage: """
            patronus-sim node TOPOLOGY --name NODE [--real] [--port PORT=INTERFACE...] [--dry-run] \
            [--confirm-within TIME] [--allow-management] [--allow-generic] [--keep-addresses]
            patronus-sim node --confirm|--inspect [--json]|--down [--name NODE]
            """,
        discussion: """
            Without --real it only says what it would do. With it, the interfaces named with --port become the node's \
            ports, and nothing else is touched; when the node ends, by a signal or by `node --down`, their addresses, \
            routes, XDP programs and parameters are what they were. After a crash the next start, or \
            `patronus-sim gc`, sees to that.

            EXAMPLES
              patronus-sim node topologies/dual-isp-branch.json --name branch
              sudo patronus-sim node topologies/dual-isp-branch.json --name branch --real \\
                --port wan-a=eth1 --port wan-b=eth2 --port lan0=eth3 --confirm-within 60s
              sudo patronus-sim node --confirm
              sudo patronus-sim node --inspect
            """)

    @Argument(help: ArgumentHelp("The topology.", valueName: "topology"))
    var topology: String?

    @Option(help: ArgumentHelp("Which of its nodes this machine is.", valueName: "node"))
    var name: String?

    @Flag(help: "Do it.")
    var real = false

    @Option(help: ArgumentHelp("Which interface is to be which port; once for each port.", valueName: "port=interface"))
    var port: [PortChoice] = []

    @Flag(help: "Look whether it can be done, say what would be done, and change nothing.")
    var dryRun = false

    @Option(help: ArgumentHelp("Undo everything unless it is confirmed in this time.", valueName: "time"))
    var confirmWithin: ConfirmationTime?

    @Flag(help: "Take interfaces of the default route or of this SSH session, too.")
    var allowManagement = false

    @Flag(help: "Run the data plane in generic mode where a driver refuses it.")
    var allowGeneric = false

    @Flag(help: "Leave interfaces the addresses that they have.")
    var keepAddresses = false

    @Flag(help: "Keep the running node: nothing is undone.")
    var confirm = false

    @Flag(help: "Show the running node.")
    var inspect = false

    @Flag(help: "End the running node.")
    var down = false

    @Flag(help: "With --inspect, print one JSON document.")
    var json = false

    func validate() throws {
        let asked = [confirm, inspect, down].filter { $0 }.count
        if asked > 1 { throw ValidationError("--confirm, --inspect and --down go one at a time") }
        if asked == 1 {
            if topology != nil || real { throw ValidationError("a running node has its topology already") }
            return
        }
        if topology == nil { throw ValidationError("Missing expected argument 'topology'") }
        if name == nil { throw ValidationError("Say which node this machine is: --name NODE") }
        if json { throw ValidationError("--json goes with --inspect") }
    }

    func run() throws {
        if confirm || inspect || down { return try speakToNode() }
        guard let topology, let name else { return }
        let runnable = try RunnableTopology.load(topology)
        Console.error(FaultText.warnings(runnable.warnings))
        var end: RealEnd?
        do throws(RealError) {
            let plan = try RealPlan(runnable.scenario, node: name, interfaces: port.map(\.assignment))
            let node = RealNode(runnable.scenario, plan, options) { Console.error("patronus-sim: \($0)\n") }
            if real, !dryRun {
                end = try node.run()
            } else {
                // Nobody who has named no interface wants to hear that they are missing.
                if real || !port.isEmpty { try node.check() }
                Console.output(plan.describe(keepsAddresses: keepAddresses).map { $0 + "\n" }.joined())
            }
        } catch {
            throw Failure(error)
        }
        if let end { try finish(end) }
    }

    private func finish(_ end: RealEnd) throws(Failure) {
        switch end {
        case .asked: break
        case .unconfirmed:
            throw Failure(
                .unmet, "patronus-sim: nobody confirmed within \(confirmWithin?.text ?? "the time"); all is as it was")
        case .signal(let number):
            let word = number == SIGINT ? "interrupted" : number == SIGHUP ? "hung up" : "terminated"
            throw Failure(.interrupted(number), "patronus-sim: \(word); all is as it was")
        }
    }

    private var options: RealOptions {
        var options = RealOptions()
        options.allowsManagement = allowManagement
        options.allowsGeneric = allowGeneric
        options.keepsAddresses = keepAddresses
        options.confirmWithin = confirmWithin?.interval
        return options
    }
}
