public import LinuxSystem
public import Scenario

/// Why there is no ground for a lab.
public enum GroundError: Error, Equatable, Sendable {
    /// This process may not make namespaces; what it may not do.
    case lacksPrivilege(String)
    /// A node of the topology stands for a cloud's gateway, which no namespace can be.
    case cloudNode(String, NodeKind)
    /// A port's name, given with its node's, is none that an interface can have.
    case interfaceName(String, NameFault)
    /// A lab of that name runs, under that process.
    case alreadyRuns(LabName, process: Int32)
    /// More descriptors would be open than a process may have.
    case tooManyDescriptors(needed: Int, allowed: Int)
    /// The kernel refused something.
    case kernel(SystemError)

    /// What is wrong with an interface's name.
    public enum NameFault: Sendable {
        case tooLong
        case reserved
        case unfitCharacter
        case taken
    }

    /// The error that a refusal by the kernel comes to.
    init(_ error: SystemError) {
        // EPERM and EACCES: the one for what is asked of the kernel, the other for files.
        self = [1, 13].contains(error.number) ? .lacksPrivilege("\(error)") : .kernel(error)
    }
}

extension GroundError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .lacksPrivilege(let what):
            "a lab takes the privileges of root, for it makes network namespaces and links (\(what)); run it with sudo"
        case .cloudNode(let name, let kind):
            "\(name) is of kind \(kind.rawValue), which a lab of namespaces cannot stand in for; "
                + "write patronus, router, host or linux"
        case .interfaceName(let port, let fault):
            "port \(port) cannot be an interface: \(fault.words)"
        case .alreadyRuns(let lab, let process):
            "lab \(lab) is already up, under process \(process); take it down first, or give this one another name"
        case .tooManyDescriptors(let needed, let allowed):
            "the lab needs \(needed) open files and a process may have \(allowed); raise the limit (ulimit -n)"
        case .kernel(let error): error.description
        }
    }
}

extension GroundError.NameFault {
    fileprivate var words: String {
        switch self {
        case .tooLong: "its name has more than \(GroundPlan.longestInterfaceName) octets"
        case .reserved: "its name has a meaning of its own for the kernel"
        case .unfitCharacter: "its name has a character that interfaces' names may not have"
        case .taken: "another port of the node has its name"
        }
    }
}
