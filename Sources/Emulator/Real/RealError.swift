public import LinuxHost
public import LinuxSystem
public import Scenario

/// Why this machine cannot be a node, or cannot stay one.
public enum RealError: Error, Equatable, Sendable {
    // What the command says does not fit
    case unknownNode(String, [String])
    case notANode(String, NodeKind, [String])
    case unknownPort(String, [String])
    case portNamedTwice(String)
    case interfaceNamedTwice(String, String, String)
    case unnamedPorts([String], of: String, all: [String])
    case unknownInterface(String, [String])
    /// The machine is reached by it, and how.
    case management(String, reason: String)
    case partOf(String, String)
    case hasProgram(String)
    case lacksAddress(String, port: String, address: String)
    /// A node runs, under that process.
    case alreadyRuns(String, process: Int32)
    /// A node that died has taken interfaces in another network namespace.
    case diedElsewhere(String, journal: String)
    case noNode(String?, [String])

    // What the machine lacks
    case lacksPrivilege(String)
    case tooLargeForProgram(String, driver: String, mtu: UInt32, limit: UInt32)
    case system(SystemError)
    case host(HostError)
    /// Something could not be given back.
    case notRestored([String], journal: String)

    init(_ error: SystemError) {
        // EPERM and EACCES: the one for what is asked of the kernel, the other for files.
        self = [1, 13].contains(error.number) ? .lacksPrivilege("\(error)") : .system(error)
    }

    init(_ error: HostError) {
        if case .system(let error) = error { self.init(error) } else { self = .host(error) }
    }

    /// Whether the user has to write something else, rather than to change the machine.
    public var isOfCommand: Bool {
        switch self {
        case .lacksPrivilege, .tooLargeForProgram, .system, .host, .notRestored: false
        default: true
        }
    }
}

extension RealError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownNode(let name, let known):
            "there is no node \"\(name)\"; there are \(list(known))"
        case .notANode(let name, let kind, let known):
            "\(name) is of kind \(kind.rawValue), which no machine can be; there are \(list(known))"
        case .unknownPort(let name, let known): "the node has no port \"\(name)\"; it has \(list(known))"
        case .portNamedTwice(let name): "port \(name) is named twice; give it one interface"
        case .interfaceNamedTwice(let interface, let first, let second):
            "\(interface) is named for \(first) and for \(second); each port needs an interface of its own"
        case .unnamedPorts(let missing, let node, let all):
            "no interface is named for \(list(missing)); every port of \(node) needs one: "
                + all.map { "--port \($0)=INTERFACE" }.joined(separator: " ")
        case .unknownInterface(let name, let known):
            "there is no interface \"\(name)\"; there are \(list(known))"
        case .management(let interface, let reason):
            "\(interface) is \(reason), and is not taken; name another, or say --allow-management"
        case .partOf(let interface, let controller):
            "\(interface) is a port of \(controller); take it out of there, or name another"
        case .hasProgram(let interface):
            "\(interface) runs an XDP program already; take that off, or name another"
        case .lacksAddress(let interface, let port, let address):
            "\(interface) does not have the address \(address) of port \(port); give it that, or leave --keep-addresses"
        case .alreadyRuns(let node, let process):
            "this machine is node \(node) already, under process \(process); end that first (node --down)"
        case .diedElsewhere(let node, let journal):
            "node \(node) died in another network namespace; run `patronus-sim gc` there, or remove \(journal)"
        case .noNode(let name?, let known):
            "no node \"\(name)\" runs here; " + (known.isEmpty ? "none does" : "there is \(list(known))")
        case .noNode(nil, let known):
            known.isEmpty
                ? "this machine is no node; make it one with `patronus-sim node TOPOLOGY --name NODE --real`"
                : "several nodes run (\(list(known))); say which with --name"
        case .lacksPrivilege(let what):
            "to be a node takes the privileges of root, for it changes interfaces (\(what)); run it with sudo"
        case .tooLargeForProgram(let interface, let driver, let mtu, let limit):
            "\(interface) would have an MTU of \(mtu), and its driver \(driver) takes XDP programs up to \(limit); "
                + "write a smaller mtu for its link in the topology"
        case .system(let error): error.description
        case .host(let error): error.description
        case .notRestored(let failures, let journal):
            "not all could be restored: \(failures.joined(separator: "; ")); `patronus-sim gc` tries again (\(journal))"
        }
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}

/// Hands what the kernel refuses on as what it means for a node.
func inReality<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(RealError) -> Value {
    do throws(SystemError) { return try body() } catch { throw RealError(error) }
}

/// Hands what a host refuses on as what it means for a node.
func inRealHost<Value: ~Copyable>(_ body: () throws(HostError) -> Value) throws(RealError) -> Value {
    do throws(HostError) { return try body() } catch { throw RealError(error) }
}
