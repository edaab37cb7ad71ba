import Foundation
import Glibc
public import LinuxSystem

/// Where the labs of a machine are written down, and where those are found that nobody holds any more.
public struct LabStore: Sendable {
    /// The folder; a lab's own lies in `labs` below it.
    public let root: String

    static let journalName = "journal"

    public init(root: String) {
        self.root = root
    }

    /// What `PATRONUS_STATE` names, else /run/patronus.
    public static var standard: LabStore {
        LabStore(root: environmentVariable("PATRONUS_STATE") ?? "/run/patronus")
    }

    private var folder: String { "\(root)/labs" }

    private func folder(of lab: LabName) -> String { "\(folder)/\(lab.text)" }

    /// Begins a lab that this process holds; what a dead one of its name left is removed before.
    public func begin(
        _ lab: LabName, topology: String, observer: LabJournal.Observer? = nil
    ) throws(GroundError) -> LabJournal {
        let own = ProcessIdentity.own
        // Written under another name first: a lab's folder always has a journal that says whose it is.
        let draft = "\(folder)/.new-\(own.number)-\(own.start)-\(lab.text)"
        let file = try grounded { () throws(SystemError) in try makeDraft(draft) }
        let journal = LabJournal(lab, in: folder(of: lab), file, observer)
        do throws(GroundError) {
            try grounded { () throws(SystemError) in
                try journal.write(.lab(supervisor: own, topology: topology, boot: bootIdentity))
            }
            try take(lab, from: draft)
        } catch {
            removeFolder(draft)
            throw error
        }
        return journal
    }

    private func makeDraft(_ draft: String) throws(SystemError) -> FileDescriptor {
        for path in [root, folder] where mkdir(path, 0o755) < 0 && errno != EEXIST {
            try checked(-1, "make \(path)")
        }
        removeFolder(draft)
        try checked(mkdir(draft, 0o755), "make \(draft)")
        let path = "\(draft)/\(Self.journalName)"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC
        return FileDescriptor(owning: try checked(open(path, flags, 0o644), "make \(path)"))
    }

    /// Gives a draft the lab's name, unless a living lab has it.
    private func take(_ lab: LabName, from draft: String) throws(GroundError) {
        var number = EBUSY
        for _ in 0..<10 {
            if rename(draft, folder(of: lab)) == 0 { return }
            number = errno
            guard number == ENOTEMPTY || number == EEXIST else { break }
            let state = LabState(lab, folder: folder(of: lab))
            if state.isAlive, let supervisor = state.supervisor {
                throw .alreadyRuns(lab, process: supervisor.number)
            }
            var cleaner = Cleaner(lab)
            cleaner.clean(state.records)
            removeFolder(state.folder)
        }
        throw GroundError(.refused("make \(folder(of: lab))", number: number, explanation: ""))
    }

    /// All labs that are written down, by name.
    public func labs() -> [LabState] {
        names().compactMap { LabName($0) }.sorted().map { LabState($0, folder: folder(of: $0)) }
    }

    /// The lab of that name, if it is written down.
    public func lab(_ name: LabName) -> LabState? {
        let state = LabState(name, folder: folder(of: name))
        return state.supervisor == nil ? nil : state
    }

    /// Removes what dead labs have left, and nothing else: what is not in a dead lab's journal, or does not carry its
    /// mark, stays.
    public func collectGarbage() -> [CleanUp] {
        var result: [CleanUp] = []
        for state in labs() where !state.isAlive {
            var cleaner = Cleaner(state.lab)
            cleaner.clean(state.records)
            // What could not be removed is tried again the next time.
            if cleaner.failures.isEmpty { removeFolder(state.folder) }
            result.append(CleanUp(lab: state.lab, removed: cleaner.removed, failures: cleaner.failures))
        }
        for name in names() where name.hasPrefix(".new-") {
            let parts = name.split(separator: "-", maxSplits: 3)
            guard parts.count == 4, let number = Int32(parts[1]), let start = UInt64(parts[2]) else { continue }
            if !ProcessIdentity(number: number, start: start).isAlive { removeFolder("\(folder)/\(name)") }
        }
        return result
    }

    private func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}

/// What was removed of one dead lab.
public struct CleanUp: Sendable {
    public let lab: LabName
    /// In words.
    public let removed: [String]
    public let failures: [SystemError]
}

/// What `body` does, with a refusal as what it means for a lab.
@discardableResult
func grounded<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(GroundError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw GroundError(error)
    }
}
