import BGP
import Basics
import Foundation
import Testing
import Wire

/// Malformed and well-formed messages collected by other implementations, read from beside the repository.
private enum Corpus {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/data/bgp").standardizedFileURL

    static let isPresent = FileManager.default.fileExists(atPath: folder.path)

    static func files(in name: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: name), includingPropertiesForKeys: nil
        ).filter { !$0.lastPathComponent.contains("LICEN") }.sorted { $0.path < $1.path }
    }
}

private struct AttributeCase: Decodable {
    enum CodingKeys: String, CodingKey {
        case name
        case type = "attr_type"
        case flags
        case value = "value_hex"
        case nextHop = "next_hop"
        case expect
    }

    let name: String
    let type: UInt8?
    let flags: UInt8
    let value: String
    let nextHop: String?
    let expect: [String: String?]
}

private struct AttributeCases: Decodable {
    let cases: [AttributeCase]
}

@Suite(.enabled(if: Corpus.isPresent, "the corpora lie in ../shared/data/bgp, which is not there"))
struct CorpusTests {
    private func outcome(_ test: AttributeCase, isInternal: Bool) -> String {
        var attributes: [UInt8: [UInt8]] = [
            1: attribute(0x40, 1, [0]), 2: attribute(0x40, 2, isInternal ? [] : pathValue(65002)),
            3: attribute(0x40, 3, [192, 0, 2, 2]),
        ]
        if isInternal { attributes[5] = attribute(0x40, 5, [0, 0, 0, 100]) }
        if let type = test.type { attributes[type] = attribute(test.flags, type, octets(test.value)) }
        if let address = test.nextHop.flatMap({ IPv4Address($0) }) {
            attributes[3] = attribute(0x40, 3, bigEndian(address.bits))
        }
        let body = updateBody(attributes: attributes.keys.sorted().compactMap { attributes[$0] }, prefixes: [8, 10])
        switch decodeUpdate(body, UpdateContext(isInternal: isInternal)) {
        case .failure: return "session-reset"
        case .success(let message): return message.announcements.isEmpty ? "withdraw" : "discard"
        }
    }

    @Test func `FRR's table of RFC 7606`() throws {
        let data = try Data(contentsOf: Corpus.folder.appending(path: "frr-rfc7606/cases.json"))
        let cases = try JSONDecoder().decode(AttributeCases.self, from: data).cases
        #expect(cases.count > 80)
        // Attributes that are not known here are passed on unread, as RFC 4271 §5 wants; and AS4_PATH is
        // discarded between new speakers (RFC 6793 §4.1), whatever is in it.
        let unread: Set<UInt8> = [22, 23, 29, 39, 40]
        for test in cases {
            for (kind, isInternal) in [("ebgp", false), ("ibgp", true)] {
                guard let expected = test.expect[kind] ?? nil else { continue }
                let isUnread = test.type.map { unread.contains($0) } ?? false
                // RFC 7606 §3 c names the Optional and Transitive bits alone; FRR also minds the Partial bit.
                let isPartialOnly = test.flags == 0x60
                let isStray = test.name == "as4path-seg-type-0"
                let wanted = isUnread || isPartialOnly || isStray ? "discard" : expected
                #expect(outcome(test, isInternal: isInternal) == wanted, "\(test.name), \(kind)")
            }
        }
    }

    @Test func `GoBGP's fuzzing corpus`() throws {
        let files = try Corpus.files(in: "gobgp-fuzz")
        #expect(files.count > 10)
        for file in files {
            var stream = [UInt8](try Data(contentsOf: file))
            // The corpus does not mind the marker, which hides everything behind it.
            for index in stream.indices.prefix(16) { stream[index] = 0xFF }
            let bench = Bench()
            bench.establish()
            _ = bench.takeMessages()
            bench.send(stream)
            let answers = bench.takeMessages().filter { $0.type == 3 }
            #expect(answers.count == (bench.state == .established ? 0 : 1), "\(file.lastPathComponent)")
            for index in 1...5 {
                _ = decodeUpdate(Array(stream.dropFirst(19 + index)), UpdateContext(isInternal: index % 2 == 0))
                _ = decodeOpen(Array(stream.dropFirst(18 + index)))
            }
        }
    }

    @Test func `ExaBGP's messages`() throws {
        let numbered = ["conf-addpath.ci", "conf-path-information.ci"]
        /// An unknown attribute that claims to be well known (RFC 4271 §6.3), and IPv6 routes with an IPv4 next hop,
        /// which no RFC provides for.
        let refused: [String: UInt8] = ["conf-generic-attribute.ci": 2, "extended-nexthop.ci": 9]
        var prefixes = 0
        /// 127.0.0.1, ::1 and 255.255.255.255 are among them.
        var impossibleNextHops = 0
        for file in try Corpus.files(in: "exabgp-qa/encoding") where file.pathExtension == "ci" {
            let name = file.lastPathComponent
            var context = UpdateContext(isInternal: true, isFourOctet: !name.contains("asn4"))
            if numbered.contains(name) { context.numberedFamilies = .ipv4Unicast }
            context.hasExtendedNextHop = name == "extended-nexthop.ci"
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let raw = line.range(of: ":raw:") else { continue }
                let stream = octets(String(line[raw.upperBound...].filter { $0 != ":" }))
                for message in messages(in: stream) where message.type == 2 {
                    switch decodeUpdate(message.body, context) {
                    case .success(let update):
                        impossibleNextHops += update.faults.count
                        let nextHops: [UpdateFault] = [
                            .treatAsWithdraw(.nextHop), .treatAsWithdraw(.multiprotocolReachable),
                        ]
                        #expect(update.faults.allSatisfy { nextHops.contains($0) }, "\(line)")
                        for announcement in update.announcements where numbered.contains(name) {
                            #expect(announcement.identifiers.count == announcement.prefixes.count)
                            #expect(announcement.identifiers.allSatisfy { $0 > 0 })
                        }
                        prefixes += update.announcements.reduce(update.withdrawn.count) { $0 + $1.prefixes.count }
                    case .failure(let notification):
                        #expect(notification.code == 3 && notification.subcode == refused[name], "\(line)")
                    }
                }
            }
        }
        #expect(prefixes >= 70)
        #expect(impossibleNextHops == 3)
    }

    @Test func `ExaBGP's OPENs leave as they came`() throws {
        var count = 0
        for folder in ["encoding", "decoding"] {
            for file in try Corpus.files(in: "exabgp-qa/\(folder)") {
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    let text = line.range(of: ":raw:").map { line[$0.upperBound...] } ?? line
                    guard text.hasPrefix("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF") else { continue }
                    for message in messages(in: octets(String(text.filter { $0 != ":" }))) where message.type == 1 {
                        count += 1
                        let open = try decodeOpen(message.body).get()
                        // Each capability there has a parameter of its own; here all have one.
                        let again = encoded { open.append(to: &$0) }
                        #expect(try decodeOpen(Array(again.dropFirst(19))).get() == open, "\(line)")
                        let inside = hexadecimal(message.body)
                        for capability in open.capabilities {
                            #expect(inside.contains(hexadecimal(capability.octets)), "\(capability) in \(line)")
                        }
                    }
                }
            }
        }
        #expect(count > 0)
    }
}
