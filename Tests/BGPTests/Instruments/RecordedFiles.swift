import BGP
import Basics
import Foundation
import Wire

/// Files that collectors have written, read from beside the repository.
enum RecordedFiles {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../../shared/data/bgp").standardizedFileURL

    static let isPresent = FileManager.default.fileExists(atPath: folder.path)
    static let bgpdump = ["/usr/bin/bgpdump", "/usr/local/bin/bgpdump"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func octets(_ name: String) throws -> [UInt8] {
        let file = folder.appending(path: name)
        guard name.hasSuffix(".gz") else { return [UInt8](try Data(contentsOf: file)) }
        return try output(of: "/usr/bin/gzip", ["-dc", file.path])
    }

    /// What a program prints.
    static func output(of program: String, _ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](data)
    }
}

/// All records of a file, and the faults met on the way.
func readRecords(_ octets: [UInt8]) -> (records: [MRTRecord], faults: [RecordFault]) {
    var reader = MRTReader()
    var result: (records: [MRTRecord], faults: [RecordFault]) = ([], [])
    while true {
        do throws(RecordFault) {
            guard let record = try reader.next(in: octets.span.bytes) else { return result }
            result.records.append(record)
        } catch {
            result.faults.append(error)
        }
    }
}

func readEntries(_ routes: MRTRoutes, in octets: [UInt8]) throws(RecordFault) -> [MRTEntry] {
    var reader = MRTEntryReader(routes)
    var entries: [MRTEntry] = []
    while let entry = try reader.next(in: octets.span.bytes) { entries.append(entry) }
    return entries
}

/// The UPDATE that an entry comes to, or the NOTIFICATION that it would have cost.
func decodeEntry(_ entry: MRTEntry, of prefix: IPPrefix, in octets: [UInt8]) -> Result<UpdateMessage, BGP.Notification>
{
    do throws(BGP.Notification) {
        return .success(
            try UpdateMessage(
                tableEntry: octets.span.bytes.extracting(entry.attributes), of: prefix,
                identifier: entry.pathIdentifier))
    } catch {
        return .failure(error)
    }
}

/// The lines that bgpdump prints of a file, in its own order of fields.
struct DumpedLines {
    private let octets: [UInt8]
    private var peers: [MRTPeer] = []
    private(set) var lines: [String] = []
    /// Entries without the attributes that every route must have.
    private(set) var incompleteEntries = 0

    init(_ octets: [UInt8]) throws {
        self.octets = octets
        for record in readRecords(octets).records {
            switch record.content {
            case .peers(let table): peers = table.peers
            case .routes(let routes): try add(routes, at: record.time)
            case .message(let message): try add(message, at: record.time)
            case .stateChange(let change):
                let session = change.session
                lines.append(
                    "BGP4MP|\(record.time.seconds)|STATE|\(session.peerAddress)|\(session.peerAS)"
                        + "|\(change.oldNumber)|\(change.newNumber)")
            case .other: break
            }
        }
    }

    private mutating func add(_ routes: MRTRoutes, at time: WallTime) throws {
        for entry in try readEntries(routes, in: octets) {
            let update = try decodeEntry(entry, of: routes.prefix, in: octets).get()
            guard let attributes = update.announcements.first?.attributes else {
                incompleteEntries += 1
                continue
            }
            let peer = peers[entry.peer]
            let kind = routes.isNumbered ? "TABLE_DUMP2_AP" : "TABLE_DUMP2"
            let number = entry.pathIdentifier.map { "|\($0)" } ?? ""
            lines.append(
                "\(kind)|\(time.seconds)|B|\(peer.address)|\(peer.autonomousSystem)"
                    + "|\(Self.text(routes.prefix))\(number)|\(Self.text(attributes))")
        }
    }

    private mutating func add(_ message: MRTMessage, at time: WallTime) throws {
        for (type, body) in messages(in: Array(octets[message.message])) where type == 2 {
            let update = try decodeUpdate(body, message.context).get()
            let kind = message.isNumbered ? "BGP4MP_AP" : "BGP4MP"
            let peer = "\(message.session.peerAddress)|\(message.session.peerAS)"
            for prefix in update.withdrawn {
                lines.append("\(kind)|\(time.seconds)|W|\(peer)|\(Self.text(prefix))")
            }
            for announcement in update.announcements {
                for (index, prefix) in announcement.prefixes.enumerated() {
                    let number = message.isNumbered ? "|\(announcement.identifiers[index])" : ""
                    lines.append(
                        "\(kind)|\(time.seconds)|A|\(peer)|\(Self.text(prefix))\(number)"
                            + "|\(Self.text(announcement.attributes))")
                }
            }
        }
    }

    private static func text(_ prefix: IPPrefix) -> String { "\(Self.text(prefix.address))/\(prefix.length)" }

    private static func text(_ address: IPAddress) -> String { "\(address)" }

    private static func text(_ attributes: PathAttributes) -> String {
        let origin =
            switch attributes.origin {
            case .interior: "IGP"
            case .exterior: "EGP"
            case .incomplete: "INCOMPLETE"
            }
        let path = attributes.path.segments.map { segment in
            let numbers = segment.members.map { "\($0)" }
            return segment.kind == .set ? "{\(numbers.joined(separator: ","))}" : numbers.joined(separator: " ")
        }
        let communities = attributes.communities.map { text($0) }
        let aggregator = attributes.aggregator.map { "\($0.autonomousSystem) \($0.identifier)" } ?? ""
        return [
            path.joined(separator: " "), origin, text(attributes.nextHop), "\(attributes.localPreference ?? 0)",
            "\(attributes.multiExitDiscriminator ?? 0)", communities.joined(separator: " "),
            attributes.isAtomicAggregate ? "AG" : "NAG", aggregator, "",
        ].joined(separator: "|")
    }

    private static func text(_ community: Community) -> String {
        switch community {
        case .noExport: "no-export"
        case .noAdvertise: "no-advertise"
        default: "\(community.rawValue >> 16):\(community.rawValue & 0xFFFF)"
        }
    }
}
