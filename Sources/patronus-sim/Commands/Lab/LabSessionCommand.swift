import ArgumentParser
import Emulator

/// `patronus-sim lab session`.
struct LabSessionCommand: ParsableCommand {
    /// What is to become of the session.
    enum Verb: String, ExpressibleByArgument {
        case reset
        case refresh
        case stop
        case start
    }

    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Acts on a BGP session of a node in a lab that runs.",
        usage: "patronus-sim lab session NODE PEER reset | refresh | stop [--reason TEXT] | start",
        discussion: """
            A session that is reset begins again by itself, one that is stopped when it is started. A refresh asks the
            peer for everything that it has told. The reason is for those who run the peer (RFC 9003).

            EXAMPLES
              patronus-sim lab session hq frr refresh
              patronus-sim lab session hq frr stop --reason "maintenance until 4"
            """)

    @Argument(help: ArgumentHelp("The node.", valueName: "node"))
    var node: String

    @Argument(help: ArgumentHelp("The peer, as `lab inspect` names it.", valueName: "peer"))
    var peer: String

    @Argument(help: ArgumentHelp("What to do.", valueName: "reset|refresh|stop|start"))
    var verb: Verb

    @Option(help: "Why it is stopped, for those who run the peer.")
    var reason: String?

    @OptionGroup var lab: LabOption

    mutating func validate() throws {
        if reason != nil, verb != .stop { throw ValidationError("--reason goes with stop") }
    }

    func run() throws {
        let order: SessionOrder =
            switch verb {
            case .reset: .reset
            case .refresh: .refresh
            case .stop: .stop(reason: reason ?? "")
            case .start: .start
            }
        _ = try LivingLab(lab).ask(.session(node: node, peer: peer, order))
    }
}
