import Foundation
import Glibc
public import LinuxSystem
import Synchronization

// What a lab has made, on disk before it is made.
//
// A lab's folder holds its journal: one line of JSON for each thing that would outlive a supervisor that is killed, or
// that another process has to find. Namespaces, veths and TAPs are held by descriptors, so the kernel takes them away
// with the supervisor, however that ends; what it does not take away is what `LabStore.collectGarbage` reads here. No
// line is forced to the disk: what a journal is about does not outlive the kernel either.

/// The journal of a living lab, written by its supervisor, from any of its threads.
public final class LabJournal: Sendable {
    public let lab: LabName
    /// The lab's folder, where what else belongs to it may lie.
    public let folder: String
    private let file: FileDescriptor
    private let count = Mutex(0)
    private let observer: Observer?

    /// Called with the number of each record, from 1, when it is written and what it announces is not yet made.
    public typealias Observer = @Sendable (Int) -> Void

    init(_ lab: LabName, in folder: String, _ file: consuming FileDescriptor, _ observer: Observer?) {
        self.lab = lab
        self.folder = folder
        self.file = file
        self.observer = observer
    }

    /// Writes down what is about to be made.
    public func write(_ record: LabRecord) throws(SystemError) {
        try append(record.line)
        let number = count.withLock { count in
            count += 1
            return count
        }
        observer?(number)
    }

    /// Writes down several things that are about to be made together.
    func write(_ records: [LabRecord]) throws(SystemError) {
        guard observer == nil else {
            for record in records { try write(record) }
            return
        }
        guard !records.isEmpty else { return }
        try append(records.map(\.line).joined())
        count.withLock { $0 += records.count }
    }

    /// Gives a namespace a name below /run/netns, after writing that down; a name that is taken is refused.
    public func publish(_ namespace: borrowing NetworkNamespace, as name: String) throws(SystemError) {
        if access("/run/netns/\(name)", F_OK) == 0 {
            throw .refused("name a namespace \(name)", number: EEXIST, explanation: "")
        }
        try write(.name(name, identity: namespace.identity))
        try namespace.publish(as: name)
    }

    /// Writes down that an object will be kept at a path, at which nothing may be yet.
    public func willPin(at path: String) throws(SystemError) {
        if access(path, F_OK) == 0 { throw .refused("pin at \(path)", number: EEXIST, explanation: "") }
        try write(.pin(path))
    }

    /// Writes down a process that was just started.
    ///
    /// It must have asked to die with its parent (PR_SET_PDEATHSIG), for a parent that dies before it wrote this.
    public func add(process number: Int32, role: String) throws(SystemError) {
        guard let process = ProcessIdentity(of: number) else { return }
        try write(.process(process, role: role))
    }

    /// Removes what the journal speaks of and that is still there, and the lab's folder with it: the lab is over.
    public func finish() throws(GroundError) {
        var cleaner = Cleaner(lab)
        cleaner.clean(LabState(lab, folder: folder).records)
        removeFolder(folder)
        if let failure = cleaner.failures.first { throw .kernel(failure) }
    }

    private func append(_ text: String) throws(SystemError) {
        var text = text
        let result = text.withUTF8 { octets in
            uninterrupted { Glibc.write(file.number, octets.baseAddress, octets.count) }
        }
        if result < 0 {
            let number = errno
            throw .refused("write the journal of \(lab)", number: number, explanation: "")
        }
    }
}

/// Removes a folder with all that is in it; links are removed, not followed.
func removeFolder(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
}
