import BGP
import Basics
import TestKit
import Testing
import Wire

private let session = MRTSession(
    peerAS: 65002, localAS: 65001, interface: 3, peerAddress: "192.0.2.2", localAddress: "192.0.2.1")

private func routes(_ record: MRTRecord?) -> MRTRoutes? {
    if case .routes(let routes)? = record?.content { routes } else { nil }
}

private func faults(_ octets: String) -> [RecordFault] { readRecords([UInt8](hex: octets)).faults }

@Suite struct MRTTests {
    @Test func `a table of one route has the octets of RFC 6396`() throws {
        let written = encoded { arena in
            var writer = MRTWriter()
            let table = MRTPeerTable(
                identifier: IPv4Address(10, 0, 0, 1), viewName: "v",
                peers: [
                    MRTPeer(identifier: IPv4Address(10, 0, 0, 2), address: "192.0.2.2", autonomousSystem: 65002),
                    MRTPeer(
                        identifier: IPv4Address(10, 0, 0, 3), address: "2001:db8::3", autonomousSystem: 4_200_000_000),
                ])
            writer.append(table, at: WallTime(seconds: 0x5000_0000), to: &arena)
            let attributes = PathAttributes(path: ASPath(65002), nextHop: "192.0.2.2")
            _ = writer.append(
                "10.1.0.0/16", [.init(peer: 0, originatedAt: 7, attributes: attributes)],
                at: WallTime(seconds: 0x5000_0001), to: &arena)
            let other = PathAttributes(path: ASPath(), nextHop: "2001:db8::3")
            _ = writer.append(
                "2001:db8:1::/48", [.init(peer: 1, originatedAt: 8, pathIdentifier: 9, attributes: other)],
                isNumbered: true, at: WallTime(seconds: 0x5000_0002), to: &arena)
        }
        let expected = octets(
            """
            50000000 000D 0001 0000002F  # time, TABLE_DUMP_V2, PEER_INDEX_TABLE, length
            0A000001 0001 76 0002        # collector, view name, count
            02 0A000002 C0000202 0000FDEA
            03 0A000003 20010DB8000000000000000000000003 FA56EA00
            50000001 000D 0002 00000025  # RIB_IPV4_UNICAST
            00000000 10 0A01 0001        # sequence, prefix, count
            0000 00000007 0014           # peer, originated, attributes
            400101 00 400206 0201 0000FDEA 400304 C0000202
            50000002 000D 000A 00000034  # RIB_IPV6_UNICAST_ADDPATH
            00000001 30 20010DB80001 0001
            0001 00000008 00000009 001B
            800E11 10 20010DB8000000000000000000000003  # the next hop alone
            400101 00 400200
            """)
        #expect(hexadecimal(written) == hexadecimal(expected))
    }

    @Test func `messages and state changes have the octets of RFC 6396`() throws {
        let written = encoded { arena in
            let writer = MRTWriter()
            writer.append(
                keepalive.span.bytes, of: session, at: WallTime(seconds: 1, microseconds: 2), to: &arena)
            writer.append(
                keepalive.span.bytes, of: session, isFourOctet: false, isLocal: true, at: WallTime(seconds: 1),
                to: &arena)
            writer.append(session, from: .idle, to: .established, at: WallTime(seconds: 3), to: &arena)
        }
        let ends = "0003 0001 C0000202 C0000201"
        let expected = octets(
            """
            00000001 0011 0004 0000002B 00000002 0000FDEA 0000FDE9 \(ends) \(hexadecimal(keepalive))
            00000001 0010 0006 00000023 FDEA FDE9 \(ends) \(hexadecimal(keepalive))
            00000003 0010 0005 00000018 0000FDEA 0000FDE9 \(ends) 0001 0006
            """)
        #expect(hexadecimal(written) == hexadecimal(expected))
        let records = readRecords(written).records
        #expect(records.map(\.time) == [.init(seconds: 1, microseconds: 2), .init(seconds: 1), .init(seconds: 3)])
        guard case .message(let first) = records[0].content, case .message(let second) = records[1].content,
            case .stateChange(let third) = records[2].content
        else {
            Issue.record("not as written")
            return
        }
        #expect(first.session == session && first.isFourOctet && !first.isLocal)
        #expect(Array(written[first.message]) == keepalive)
        #expect(second.session == session && !second.isFourOctet && second.isLocal)
        #expect(third.old == .idle && third.new == .established)
    }

    @Test func `ends of two families are written as IPv6`() throws {
        var mixed = session
        mixed.localAddress = "2001:db8::1"
        let written = encoded { arena in
            MRTWriter().append(mixed, from: .idle, to: .active, at: WallTime(seconds: 0), to: &arena)
        }
        guard case .stateChange(let change)? = readRecords(written).records.first?.content else {
            Issue.record("not a state change")
            return
        }
        #expect(change.session.peerAddress == "::ffff:192.0.2.2")
        #expect(change.session.localAddress == "2001:db8::1")
    }

    @Test func `a fault names its octet, and reading goes on behind its record`() {
        let good = "00000003 0010 0005 00000018 0000FDEA0000FDE9 0003 0001 C0000202 C0000201 0001 0006"
        #expect(faults("00000001 0010 00") == [.init(.truncated(needed: 2, available: 1), at: 6)])
        #expect(faults("00000001 0010 0004 00000005 0000") == [.init(.truncated(needed: 5, available: 2), at: 12)])
        let short = "00000001 0010 0004 00000003 000000"
        #expect(faults(short) == [.init(.truncated(needed: 4, available: 3), at: 12)])
        #expect(readRecords([UInt8](hex: short + good)).records.count == 1)
        #expect(faults("00000001 0010 0001 00000008 0001000200030005") == [.init(.badFamily(5), at: 18)])
        #expect(
            faults("00000001 000D 0002 00000008 00000000 21 0A0000") == [.init(.badPrefixLength(33), at: 16)])
        #expect(faults("00000001 000D 0001 00000009 0A000001 0000 0000 FF") == [.init(.badLength(1), at: 20)])
        #expect(faults("00000001 0010 0005 00000019" + good.dropFirst(27) + "00") == [.init(.badLength(1), at: 36)])
        let other = readRecords([UInt8](hex: "00000001 0005 0007 00000001 FF")).records
        #expect(other.map(\.content) == [.other(type: 5, subtype: 7)])
    }

    @Test func `entries that do not fill their record, or overfill it, are faults`() throws {
        let head = "00000001 000D 0002 0000001A 00000000 08 0A 0002"
        let one = "0000 00000007 0002 AABB"
        let octets = [UInt8](hex: head + one + "0000 00000007 0001")
        let table = try #require(routes(readRecords(octets).records.first))
        #expect(throws: RecordFault(.truncated(needed: 1, available: 0), at: 38)) { try readEntries(table, in: octets) }
        let long = [UInt8](hex: "00000001 000D 0002 00000013 00000000 08 0A 0001" + one + "FF")
        let other = try #require(routes(readRecords(long).records.first))
        #expect(throws: RecordFault(.badLength(1), at: 30)) { try readEntries(other, in: long) }
    }

    @Test func `the next hop may stand alone or in a whole MP_REACH_NLRI`() throws {
        let rest = attribute(0x40, 1, [0]) + attribute(0x40, 2, pathValue(65002))
        let address = [UInt8](hex: "20010DB8000000000000000000000009")
        let nlri: [UInt8] = [0, 48, 0x20, 0x01, 0x0D, 0xB8, 0, 1]
        func read(_ reachable: [UInt8], of prefix: IPPrefix = "2001:db8:1::/48") throws -> UpdateMessage {
            let octets = rest + attribute(0x80, 14, reachable)
            return try UpdateMessage(tableEntry: octets.span.bytes, of: prefix)
        }
        let expected = Announcement(
            attributes: PathAttributes(path: ASPath(65002), nextHop: "2001:db8::9"), prefixes: ["2001:db8:1::/48"])
        #expect(try read([16] + address).announcements == [expected])
        #expect(try read([32] + address + address).announcements == [expected])
        #expect(try read([0, 2, 1, 16] + address + nlri).announcements == [expected])
        #expect(try read([16] + address, of: "10.0.0.0/8").announcements.map(\.prefixes) == [["10.0.0.0/8"]])
        #expect(throws: BGP.Notification.self) { try read([5] + address) }
        let bare = try UpdateMessage(tableEntry: rest.span.bytes, of: "2001:db8:1::/48")
        #expect(bare.announcements.isEmpty && bare.withdrawn == ["2001:db8:1::/48"])
    }

    @Test func `what is written is read again`() {
        forEachSeed(200) { random in
            let peers = (0..<1 + Int(random.below(4))).map { randomPeer($0, &random) }
            let table = MRTPeerTable(
                identifier: IPv4Address(10, 0, 0, 1), viewName: random.below(2) == 0 ? "" : "größe", peers: peers)
            var expected: [(IPPrefix, Bool, [MRTWriter.Entry])] = []
            for _ in 0..<random.below(20) {
                let isIPv4 = random.below(2) == 0
                let entries = (0..<1 + Int(random.below(4))).map { _ in
                    MRTWriter.Entry(
                        peer: Int(random.below(UInt64(peers.count))), originatedAt: UInt32(random.below(1 << 31)),
                        pathIdentifier: UInt32(random.below(9)),
                        attributes: arbitraryAttributes(isIPv4: isIPv4, &random))
                }
                expected.append((arbitraryPrefix(isIPv4: isIPv4, &random), random.below(3) == 0, entries))
            }
            let written = encoded { arena in
                var writer = MRTWriter()
                writer.append(table, at: WallTime(seconds: 1), to: &arena)
                for (prefix, isNumbered, entries) in expected {
                    let isWhole = writer.append(
                        prefix, ContiguousArray(entries), isNumbered: isNumbered, at: WallTime(seconds: 2), to: &arena)
                    if !isWhole { Issue.record("an entry was left out") }
                }
            }
            let (records, faults) = readRecords(written)
            try #require(faults.isEmpty)
            try #require(records.first?.content == .peers(table))
            try #require(records.count == expected.count + 1)
            for (index, (prefix, isNumbered, entries)) in expected.enumerated() {
                let read = try #require(routes(records[index + 1]))
                try #require(read.sequence == UInt32(index) && read.prefix == prefix && read.isNumbered == isNumbered)
                for (entry, wanted) in zip(try readEntries(read, in: written), entries) {
                    try #require(entry.peer == wanted.peer && entry.originatedAt == wanted.originatedAt)
                    try #require(entry.pathIdentifier == (isNumbered ? wanted.pathIdentifier : nil))
                    let update = try decodeEntry(entry, of: prefix, in: written).get()
                    try #require(update.announcements.map(\.attributes) == [wanted.attributes])
                    try #require(update.announcements.first?.prefixes == [prefix])
                }
                try #require(read.count == entries.count)
            }
        }
    }

    @Test func `random and tampered records give values or faults`() {
        forEachSeed(3000) { random in
            var octets: [UInt8]
            if random.below(8) == 0 {
                octets = random.octets(Int(random.below(120)))
            } else {
                octets = encoded { arena in
                    var writer = MRTWriter()
                    let table = MRTPeerTable(
                        identifier: IPv4Address(10, 0, 0, 1), peers: [randomPeer(0, &random), randomPeer(1, &random)])
                    writer.append(table, at: WallTime(seconds: 1), to: &arena)
                    let isIPv4 = random.below(2) == 0
                    let attributes = arbitraryAttributes(isIPv4: isIPv4, &random)
                    _ = writer.append(
                        arbitraryPrefix(isIPv4: isIPv4, &random),
                        [.init(peer: 1, originatedAt: 5, attributes: attributes)], isNumbered: random.below(2) == 0,
                        at: WallTime(seconds: 1), to: &arena)
                    writer.append(
                        keepalive.span.bytes, of: session, at: WallTime(seconds: 1, microseconds: 1), to: &arena)
                    writer.append(session, from: .connect, to: .active, at: WallTime(seconds: 1), to: &arena)
                }
                octets = random.mutated(octets)
            }
            for record in readRecords(octets).records {
                try #require(record.place.upperBound <= octets.count)
                guard let read = routes(record) else { continue }
                guard let entries = try? readEntries(read, in: octets) else { continue }
                try #require(entries.count <= read.count)
                for entry in entries {
                    guard case .success(let update) = decodeEntry(entry, of: read.prefix, in: octets) else { continue }
                    let told = update.announcements.flatMap(\.prefixes) + update.withdrawn
                    try #require(told == [read.prefix])
                }
            }
        }
    }
}

@Suite(.enabled(if: RecordedFiles.isPresent, "the recorded files lie in ../shared/data/bgp, which is not there"))
struct MRTFileTests {
    /// How many records of each kind a file has: peers, routes, entries, messages, state changes, others, faults.
    private func census(_ octets: [UInt8]) throws -> [Int] {
        let (records, faults) = readRecords(octets)
        var counts = [0, 0, 0, 0, 0, 0, faults.count]
        for record in records {
            switch record.content {
            case .peers: counts[0] += 1
            case .routes(let routes):
                counts[1] += 1
                counts[2] += try readEntries(routes, in: octets).count
            case .message: counts[3] += 1
            case .stateChange: counts[4] += 1
            case .other: counts[5] += 1
            }
        }
        return counts
    }

    @Test(arguments: [
        ("mrtparse/bird-mrtdump_bgp", [0, 0, 0, 15, 12, 0, 0]), ("mrtparse/bird-mrtdump_rib", [2, 12, 18, 0, 0, 0, 0]),
        ("mrtparse/bird6-mrtdump_bgp", [0, 0, 0, 15, 12, 0, 0]),
        ("mrtparse/bird6-mrtdump_rib", [2, 7, 10, 0, 0, 0, 0]),
        ("mrtparse/bird_bgp", [0, 0, 0, 17, 12, 0, 0]), ("mrtparse/bird6_bgp", [0, 0, 0, 17, 12, 0, 0]),
        ("mrtparse/openbgpd_bgp", [0, 0, 0, 71, 16, 0, 0]),
        // RIB_GENERIC, which OpenBGPD writes for its VPN routes, is not read.
        ("mrtparse/openbgpd_rib_table-v2", [1, 21, 31, 0, 0, 2, 0]), ("mrtparse/quagga_bgp", [0, 0, 0, 47, 20, 0, 0]),
        ("mrtparse/quagga_rib", [1, 6, 9, 0, 0, 0, 0]),
        // Only in the forms that RFC 6396 had already given up.
        ("mrtparse/openbgpd_rib_table", [0, 0, 0, 0, 0, 31, 0]),
        ("mrtparse/openbgpd_rib_table-mp", [0, 0, 0, 0, 0, 31, 0]),
        // Zebra wrote no ends of a session that it had not opened itself yet.
        ("bgpkit-parser/ripe_rrc01_2000.11_updates.20001104.0124.gz", [0, 0, 0, 901, 322, 0, 63]),
        ("bgpkit-parser/ripe_rrc00_2000.01_updates.20000102.2014.gz", [0, 0, 0, 0, 0, 3957, 0]),
    ])
    func `every record of a file is read`(_ file: (name: String, counts: [Int])) throws {
        let counts = try census(RecordedFiles.octets(file.name))
        #expect(counts == file.counts)
    }

    @Test(
        .enabled(if: RecordedFiles.bgpdump != nil, "bgpdump is not installed"),
        arguments: [
            ("mrtparse/bird-mrtdump_bgp", 0), ("mrtparse/bird6-mrtdump_bgp", 0),
            // BIRD writes its own static routes without any attributes, and IPv6 routes without next hops.
            ("mrtparse/bird-mrtdump_rib", 6), ("mrtparse/bird6-mrtdump_rib", 10),
            ("mrtparse/openbgpd_bgp", 0), ("mrtparse/openbgpd_rib_table-v2", 0), ("mrtparse/quagga_bgp", 0),
            ("mrtparse/quagga_rib", 0), ("bgpkit-parser/ripe_rrc01_2000.11_updates.20001104.0124.gz", 0),
        ])
    func `a file says to this reader what it says to bgpdump`(_ file: (name: String, incomplete: Int)) throws {
        let output = try RecordedFiles.output(of: RecordedFiles.bgpdump ?? "", ["-m", RecordedFiles.path(file.name)])
        let theirs = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        let own = try DumpedLines(RecordedFiles.octets(file.name))
        // Routes without a next hop, and Zebra's records without the ends of the session.
        let complete = theirs.filter { !$0.contains("|255.255.255.255|") && !$0.contains("|STATE|0.0.0.0|0|") }
        #expect(complete.sorted().difference(from: own.lines.sorted()).isEmpty)
        #expect(own.incompleteEntries == file.incomplete)
        #expect(theirs.count { $0.contains("|255.255.255.255|") } == file.incomplete)
    }

    @Test func `what is written of a file's table, bgpdump reads as it read the file`() throws {
        let octets = try RecordedFiles.octets("mrtparse/openbgpd_rib_table-v2")
        let written = try encodedAgain(octets)
        #expect(try DumpedLines(written).lines == DumpedLines(octets).lines)
    }

    /// The table of a file in this writer's words.
    private func encodedAgain(_ octets: [UInt8]) throws -> [UInt8] {
        var arena = ByteArena(capacity: 4096)
        var writer = MRTWriter()
        for record in readRecords(octets).records {
            switch record.content {
            case .peers(let table): writer.append(table, at: record.time, to: &arena)
            case .routes(let routes):
                let entries = try readEntries(routes, in: octets).map { entry in
                    let update = try decodeEntry(entry, of: routes.prefix, in: octets).get()
                    let attributes = try #require(update.announcements.first?.attributes)
                    return MRTWriter.Entry(
                        peer: entry.peer, originatedAt: entry.originatedAt, attributes: attributes)
                }
                let isWhole = writer.append(routes.prefix, ContiguousArray(entries), at: record.time, to: &arena)
                #expect(isWhole)
            default: break
            }
        }
        return copied(arena.bytes(ByteRange(start: 0, count: arena.count)))
    }
}

private func randomPeer(_ number: Int, _ random: inout SeededRandom) -> MRTPeer {
    MRTPeer(
        identifier: IPv4Address(10, 0, 1, UInt8(number)),
        address: random.below(2) == 0
            ? .v4(IPv4Address(192, 0, 2, UInt8(number))) : .v6(IPv6Address(high: random.next(), low: random.next())),
        autonomousSystem: UInt32(1 + random.below(1 << 32 - 1)))
}

/// A route's attributes with a bit of everything that a table can hold.
func arbitraryAttributes(isIPv4: Bool, _ random: inout SeededRandom) -> PathAttributes {
    var attributes = PathAttributes(
        path: ASPath(
            segments: (0..<Int(random.below(3))).map { _ in
                ASPath.Segment(
                    random.below(4) == 0 ? .set : .sequence,
                    (0..<1 + Int(random.below(5))).map { _ in UInt32(1 + random.below(1 << 20)) })
            }),
        nextHop: isIPv4 && random.below(4) != 0
            ? .v4(IPv4Address(bits: 0x0A00_0000 | UInt32(random.below(1 << 24))))
            : .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: random.next())))
    attributes.origin = Origin(rawValue: UInt8(random.below(3))) ?? .interior
    if random.below(2) == 0 { attributes.multiExitDiscriminator = UInt32(random.below(1000)) }
    if random.below(2) == 0 { attributes.localPreference = UInt32(random.below(1000)) }
    attributes.isAtomicAggregate = random.below(4) == 0
    if random.below(4) == 0 {
        attributes.aggregator = Aggregator(autonomousSystem: 70_000, identifier: IPv4Address(10, 0, 0, 1))
    }
    attributes.communities = (0..<random.below(90)).map { _ in Community(rawValue: UInt32(random.below(1 << 32))) }
    if random.below(4) == 0 { attributes.originatorID = IPv4Address(10, 9, 9, 9) }
    attributes.clusterList = (0..<random.below(3)).map { IPv4Address(bits: UInt32($0)) }
    attributes.largeCommunities = (0..<random.below(3)).map { LargeCommunity(UInt32($0), 1, 2) }
    if random.below(4) == 0 { attributes.accumulatedMetric = random.next() }
    return attributes
}

func arbitraryPrefix(isIPv4: Bool, _ random: inout SeededRandom) -> IPPrefix {
    isIPv4
        ? .v4(IPv4Prefix(IPv4Address(bits: UInt32(random.below(1 << 32))), length: Int(random.below(33))))
        : .v6(IPv6Prefix(IPv6Address(high: random.next(), low: random.next()), length: Int(random.below(129))))
}
