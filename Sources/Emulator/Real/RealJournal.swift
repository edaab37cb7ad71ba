import Foundation
import Glibc
import LinuxSystem

// What a node on this machine's own interfaces is about to change, on disk before it does.
//
// A node's folder holds its journal, one line of JSON for each thing: whose it is, each interface as it was, each
// parameter as it was. What hangs on the process, which is the overlay interface with its routes, the sockets and the
// XDP programs, goes with it and is not written down.

/// One line of a journal.
enum RealRecord: Codable, Equatable {
    /// The journal's first: whose it is, where, and since which start of the machine.
    case node(name: String, topology: String, process: Int32, start: UInt64, namespace: UInt64, boot: String)
    /// An interface that is going to be taken, as it is.
    case interface(SavedInterface)
    /// A parameter that is going to be set, with what it is set to.
    case parameter(name: String, former: String)

    var line: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in a record is such that it cannot be written.
        return Array((try? encoder.encode(self)) ?? Data()) + [UInt8(ascii: "\n")]
    }

    /// Reads a line; nil for one that was cut off.
    init?(line: some Collection<UInt8>) {
        guard let record = try? JSONDecoder().decode(RealRecord.self, from: Data(line)) else { return nil }
        self = record
    }
}

/// The journal of a node, written by its process.
struct RealJournal: ~Copyable {
    /// The node's folder, where its control socket lies too.
    let folder: String
    private let file: FileDescriptor

    init(in folder: String, _ first: RealRecord) throws(SystemError) {
        let path = "\(folder)/\(RealStore.journalName)"
        // Written under another name first: a journal always says whose it is.
        let draft = "\(path).new"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC
        let made = FileDescriptor(owning: try checked(open(draft, flags, 0o644), "make \(draft)"))
        try Self.write(first, to: made.number, draft)
        try checked(rename(draft, path), "make \(path)")
        self.folder = folder
        file = made
    }

    /// Writes down what is about to be changed.
    func write(_ record: RealRecord) throws(SystemError) {
        try Self.write(record, to: file.number, "the journal in \(folder)")
    }

    private static func write(_ record: RealRecord, to file: Int32, _ name: String) throws(SystemError) {
        let octets = record.line
        var place = 0
        while place < octets.count {
            let count = octets.withUnsafeBytes { octets in
                uninterrupted { Glibc.write(file, octets.baseAddress.map { $0 + place }, octets.count - place) }
            }
            place += Int(try checked(Int32(count), "write \(name)"))
        }
    }
}
