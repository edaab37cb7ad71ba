import Glibc
public import LinuxSystem

/// What a lab's journal says of it, read by whoever wants to know.
public struct LabState: Sendable {
    public let lab: LabName
    public let folder: String
    public let records: [LabRecord]

    init(_ lab: LabName, folder: String) {
        self.lab = lab
        self.folder = folder
        let octets = wholeContents(of: "\(folder)/\(LabStore.journalName)") ?? []
        records = String(decoding: octets, as: UTF8.self).split(separator: "\n").compactMap { LabRecord(line: $0) }
    }

    /// The process that holds the lab, whether it lives or not.
    public var supervisor: ProcessIdentity? {
        for case .lab(let supervisor, _, _) in records { return supervisor }
        return nil
    }

    /// The topology that it was made of.
    public var topology: String? {
        for case .lab(_, let topology, _) in records { return topology }
        return nil
    }

    /// Whether the process that holds it lives, since the machine was last started.
    public var isAlive: Bool {
        for case .lab(let supervisor, _, let boot) in records { return boot == bootIdentity && supervisor.isAlive }
        return false
    }

    /// The processes that were started for it, with what they are for.
    public var processes: [(process: ProcessIdentity, role: String)] {
        records.compactMap { if case .process(let process, let role) = $0 { (process, role) } else { nil } }
    }

    /// Opens the namespace of a node, by the supervisor's own descriptor.
    public func namespace(ofNode node: String) throws(GroundError) -> NetworkNamespace {
        var found: (descriptor: Int32, identity: UInt64)?
        for case .held(node, let descriptor, let identity) in records { found = (descriptor, identity) }
        guard let found, let supervisor, isAlive else {
            throw .kernel(.absent("node \(node) in lab \(lab)", among: nodes))
        }
        do throws(SystemError) {
            let namespace = try NetworkNamespace(at: "/proc/\(supervisor.number)/fd/\(found.descriptor)")
            guard try namespace.identity == found.identity else {
                throw .notAsAsked("the namespace of \(node)", asked: "\(found.identity)", found: "another")
            }
            return namespace
        } catch {
            throw GroundError(error)
        }
    }

    /// The nodes that have a namespace.
    public var nodes: [String] {
        records.compactMap { if case .held(let name, _, _) = $0 { name } else { nil } }
    }
}

/// What tells one start of the machine from another.
let bootIdentity: String = {
    let octets = contents(of: "/proc/sys/kernel/random/boot_id") ?? []
    return String(decoding: octets.prefix { $0 > 0x20 }, as: UTF8.self)
}()

/// What a file of any size holds; nil where it cannot be read.
func wholeContents(of path: String) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let file = FileDescriptor(owning: number)
    var octets: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(file.number, &piece, piece.count)
        guard count > 0 else { return octets }
        octets += piece.prefix(count)
    }
}
