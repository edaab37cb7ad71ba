import Foundation
import Glibc
import LinuxSystem

/// Where the nodes that this machine is are written down, and those that died as one.
public struct RealStore: Sendable {
    /// The folder; a node's own lies in `real` below it.
    public let root: String

    static let journalName = "journal"

    public init(root: String) {
        self.root = root
    }

    /// What `PATRONUS_STATE` names, else /run/patronus.
    public static var standard: RealStore { RealStore(root: LabStore.standard.root) }

    private var folder: String { "\(root)/real" }

    /// A node that is written down.
    public struct Entry: Sendable {
        public let node: String
        public let topology: String
        public let process: ProcessIdentity
        public let folder: String
        /// By the number that the namespace has while it lives.
        let namespace: UInt64
        let boot: String
        let records: [RealRecord]

        public var isAlive: Bool { boot == bootIdentity && process.isAlive }
        public var controlPath: String { "\(folder)/control" }
        public var journalPath: String { "\(folder)/\(RealStore.journalName)" }

        init?(folder: String) {
            let octets = wholeContents(of: "\(folder)/\(RealStore.journalName)") ?? []
            let records = octets.split(separator: UInt8(ascii: "\n")).compactMap { RealRecord(line: $0) }
            guard case .node(let name, let topology, let number, let start, let namespace, let boot) = records.first
            else { return nil }
            node = name
            self.topology = topology
            process = ProcessIdentity(number: number, start: start)
            self.folder = folder
            self.namespace = namespace
            self.boot = boot
            self.records = records
        }
    }

    /// All nodes that are written down, by name.
    public func entries() -> [Entry] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.compactMap { Entry(folder: "\(folder)/\($0)") }
    }

    /// The node that lives, of that name or the only one.
    public func living(_ name: String?) throws(RealError) -> Entry {
        let living = entries().filter(\.isAlive)
        let found = living.filter { name == nil || $0.node == name }
        guard let entry = found.first, found.count == 1 else { throw .noNode(name, living.map(\.node)) }
        return entry
    }

    /// Begins the journal of a node that this process is; what dead ones have left here is given back before.
    ///
    /// `report` is told, in words, of what was given back.
    func begin(node: String, topology: String, _ report: (String) -> Void) throws(RealError) -> RealJournal {
        try inReality { () throws(SystemError) in
            for path in [root, folder] where mkdir(path, 0o755) < 0 && errno != EEXIST {
                try checked(-1, "make \(path)")
            }
        }
        return try locked { () throws(RealError) in try beginAlone(node: node, topology: topology, report) }
    }

    /// Does something while nobody else begins a node or gives back what a dead one has left.
    private func locked<Value: ~Copyable>(_ body: () throws(RealError) -> Value) throws(RealError) -> Value {
        let lock = try inReality { () throws(SystemError) in
            FileDescriptor(
                owning: try checked(open("\(folder)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600), "lock \(folder)"))
        }
        flock(lock.number, LOCK_EX)
        defer { flock(lock.number, LOCK_UN) }
        return try body()
    }

    private func beginAlone(
        node: String, topology: String, _ report: (String) -> Void
    ) throws(RealError) -> RealJournal {
        let namespace = try inReality { () throws(SystemError) in try NetworkNamespace.current().identity }
        for entry in entries() {
            let isHere = entry.namespace == namespace
            if entry.isAlive {
                if isHere || entry.node == node { throw .alreadyRuns(entry.node, process: entry.process.number) }
                continue
            }
            if isHere || entry.boot != bootIdentity {
                try Self.giveBack(entry, report)
            } else if entry.node == node {
                throw .diedElsewhere(node, journal: entry.journalPath)
            }
        }
        let own = ProcessIdentity.own
        let place = "\(folder)/\(node)"
        return try inReality { () throws(SystemError) in
            removeFolder(place)
            try checked(mkdir(place, 0o755), "make \(place)")
            return try RealJournal(
                in: place,
                .node(
                    name: node, topology: topology, process: own.number, start: own.start, namespace: namespace,
                    boot: bootIdentity))
        }
    }

    /// What came of what dead nodes have left.
    public struct CleanUp: Sendable {
        /// What was given back, and what lies elsewhere.
        public internal(set) var words: [String] = []
        /// What could not be given back; it is tried again the next time.
        public internal(set) var failures: [RealError] = []
    }

    /// Gives back what dead nodes have left in this namespace; what lies in others is only spoken of.
    public func collectGarbage() throws(RealError) -> CleanUp {
        guard FileManager.default.fileExists(atPath: folder) else { return CleanUp() }
        return try locked { () throws(RealError) in try collectGarbageAlone() }
    }

    private func collectGarbageAlone() throws(RealError) -> CleanUp {
        let namespace = try inReality { () throws(SystemError) in try NetworkNamespace.current().identity }
        var result = CleanUp()
        for entry in entries() where !entry.isAlive {
            guard entry.namespace == namespace || entry.boot != bootIdentity else {
                result.words.append("\(RealError.diedElsewhere(entry.node, journal: entry.journalPath))")
                continue
            }
            do throws(RealError) {
                try Self.giveBack(entry) { result.words.append($0) }
            } catch {
                result.failures.append(error)
            }
        }
        return result
    }

    /// Gives back what a node has taken, and forgets the node where nothing of that failed.
    static func giveBack(_ entry: Entry, _ report: (String) -> Void) throws(RealError) {
        if entry.boot == bootIdentity {
            var restorer = RealRestorer(entry.records)
            restorer.restore()
            for thing in restorer.restored { report("node \(entry.node), which died: restored \(thing)") }
            guard restorer.failures.isEmpty else {
                throw .notRestored(restorer.failures, journal: entry.journalPath)
            }
        }
        removeFolder(entry.folder)
    }
}
