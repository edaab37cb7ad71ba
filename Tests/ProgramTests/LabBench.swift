import Foundation
import Glibc
import LinuxSystem
import Testing

/// A folder for the state of labs of its own, and the machine that they run on.
///
/// Every process that the program starts is known by that folder, whose name it has in its environment. Whatever a test
/// leaves, nothing of it stays.
final class LabBench {
    let workspace: Workspace
    private let machine: MachineBox?

    /// A namespace that stands for the machine, with a veth in it that is nobody's concern.
    private final class MachineBox {
        let namespace: NetworkNamespace
        let foreignName = "foreign.\(UInt32.random(in: 0...UInt32.max))"

        init() throws {
            namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            try routes.change {
                $0.createVeth(VethEnd("foreign0"), peer: VethEnd("foreign1"))
                $0.changeLink(.named("foreign1"), LinkChange(isUp: true, alias: "patronus:other:machine:foreign1"))
            }
            try NetworkNamespace().publish(as: foreignName)
        }

        deinit { try? NetworkNamespace.withdraw(foreignName) }
    }

    /// Without `isApart` the machine is this one.
    init(isApart: Bool = false) throws {
        workspace = try Workspace()
        machine = isApart ? try MachineBox() : nil
    }

    deinit {
        for process in processes { kill(process.number, SIGKILL) }
        _ = try? run("gc")
    }

    var environment: [String: String] { ["PATRONUS_STATE": workspace.url("state").path] }

    func run(_ arguments: String...) throws -> Outcome { try start(arguments).outcome() }

    func start(_ arguments: String...) throws -> RunningProgram { try start(arguments) }

    func start(
        _ arguments: [String], through wrapper: [String] = [], program: String = RunningProgram.executable
    ) throws -> RunningProgram {
        let start = { [self] in
            try workspace.start(arguments, environment: environment, through: wrapper, program: program)
        }
        guard let machine else { return try start() }
        var result: Result<RunningProgram, any Error>?
        try machine.namespace.perform { () throws(SystemError) in result = Result { try start() } }
        return try #require(result).get()
    }

    /// Runs another program to its end, with the environment that the program here has.
    func tool(_ path: String, _ arguments: [String]) throws -> Outcome {
        try start(arguments, program: path).outcome()
    }

    /// The names of the labs that are written down.
    var labs: [String] { workspace.names(in: "state/labs") }

    /// What a node says of one of its tunnels.
    func tunnel(_ name: String, of node: String) throws -> [String: Any] {
        let tunnels = try state(of: node)["tunnels"] as? [[String: Any]]
        return tunnels?.first { $0["name"] as? String == name } ?? [:]
    }

    /// The states of a node's sessions, by their names.
    func sessions(of node: String) throws -> [String: String] {
        let sessions = try state(of: node)["sessions"] as? [[String: String]] ?? []
        return Dictionary(sessions.map { ($0["peer"] ?? "", $0["state"] ?? "") }) { $1 }
    }

    /// What a node says of itself; nothing where there is no lab.
    private func state(of node: String) throws -> [String: Any] {
        let outcome = try run("lab", "inspect", node, "--json")
        let states = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
        return states?.first ?? [:]
    }

    func supervisor(of lab: String) throws -> Int32 {
        let list = try run("lab", "list").output
        let word = list.firstMatch(of: #/process (\d+)/#)?.output.1
        return try #require(word.flatMap { Int32($0) })
    }

    /// What is the machine's own: links with their marks, and whether the name that is nobody's concern is there.
    func foreignThings() throws -> [String] {
        guard let machine else { return [] }
        var routes = try RouteSocket(in: machine.namespace)
        let links = try routes.links().filter { $0.name != "lo" && $0.name != "sit0" }
        let isThere = (try? NetworkNamespace(named: machine.foreignName)) != nil
        return links.map { "\($0.name) \($0.alias)" }.sorted() + (isThere ? [machine.foreignName] : [])
    }
}

extension LabBench {
    /// A process of a lab.
    struct Process {
        let number: Int32
        let arguments: [String]

        /// Whether it is this program with that subcommand.
        func does(_ words: String...) -> Bool { Array(arguments.dropFirst().prefix(words.count)) == words }
    }

    /// All that the program has started here and that lives, in the order of their numbers.
    var processes: [Process] {
        let mark = Array("PATRONUS_STATE=\(workspace.url("state").path)\0".utf8)
        let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        return numbers.sorted().compactMap { number in
            guard number != getpid(), let octets = FileManager.default.contents(atPath: "/proc/\(number)/environ"),
                octets.firstRange(of: mark) != nil,
                let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline")
            else { return nil }
            return Process(
                number: number, arguments: words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
        }
    }
}
