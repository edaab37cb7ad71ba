import BGP
import Basics
import TestKit
import Testing
import Wire

private let peer: BMPPeer = {
    var peer = BMPPeer(
        address: "192.0.2.2", autonomousSystem: 65002, identifier: IPv4Address(10, 0, 0, 2),
        time: WallTime(seconds: 0x5000_0000, microseconds: 7))
    peer.distinguisher = 0
    return peer
}()

/// All messages of a stream, and the faults met on the way.
func readMonitoring(_ octets: [UInt8]) -> (messages: [BMPMessage], faults: [RecordFault]) {
    var reader = BMPReader()
    var result: (messages: [BMPMessage], faults: [RecordFault]) = ([], [])
    var last = -1
    while last != reader.offset {
        last = reader.offset
        do throws(RecordFault) {
            guard let message = try reader.next(in: octets.span.bytes) else { break }
            result.messages.append(message)
        } catch {
            result.faults.append(error)
        }
    }
    return result
}

private func open(_ number: UInt32) -> [UInt8] { Bench.open(autonomousSystem: number) }

private func peerUp(_ peer: BMPPeer, to arena: inout ByteArena) {
    BMPWriter.peerUp(
        peer, ends: (SocketAddress("192.0.2.1", port: 179), 40_000), sent: open(65001).span.bytes,
        received: open(65002).span.bytes, information: [.string("up")], to: &arena)
}

@Suite struct BMPTests {
    private static let peerOctets = """
        00 00 0000000000000000 000000000000000000000000C0000202 0000FDEA 0A000002 50000000 00000007
        """

    @Test func `messages have the octets of RFC 7854`() {
        let written = encoded { arena in
            BMPWriter.initiation([.description("d"), .name("node")], to: &arena)
            BMPWriter.routes(peer, withdrawal(["10.0.0.0/8"]).span.bytes, to: &arena)
            BMPWriter.statistics(
                peer, [BMPStatistic(.receivedRoutes, 5), BMPStatistic(.withdrawnUpdates, 1)], to: &arena)
            BMPWriter.peerDown(peer, .remoteNotification(.holdTimerExpired), to: &arena)
            BMPWriter.peerDown(peer, .localEvent(10), to: &arena)
            BMPWriter.peerDown(peer, .remoteClosed, to: &arena)
            BMPWriter.termination(.outOfResources, text: "no", to: &arena)
        }
        let expected = octets(
            """
            03 00000013 04 0001 0001 64 0002 0004 6E6F6465
            03 00000049 00 \(Self.peerOctets) \(hexadecimal(withdrawal(["10.0.0.0/8"])))
            03 00000048 01 \(Self.peerOctets) 00000002 0007 0008 0000000000000005 000B 0004 00000001
            03 00000046 02 \(Self.peerOctets) 03 \(hexadecimal(message(3, [4, 0])))
            03 00000033 02 \(Self.peerOctets) 02 000A
            03 00000031 02 \(Self.peerOctets) 04
            03 00000012 05 0001 0002 0002 0000 0002 6E6F
            """)
        #expect(hexadecimal(written) == hexadecimal(expected))
    }

    @Test func `a session that comes up is told with both OPENs`() throws {
        var other = peer
        other.address = "2001:db8::2"
        other.isTwoOctet = true
        other.isPostPolicy = true
        let written = encoded { peerUp(other, to: &$0) }
        let opens = hexadecimal(open(65001)) + hexadecimal(open(65002))
        let expected = octets(
            """
            03 \(hexadecimal(bigEndian(UInt32(written.count)))) 03
            00 E0 0000000000000000 20010DB8000000000000000000000002 0000FDEA 0A000002 50000000 00000007
            000000000000000000000000C0000201 00B3 9C40 \(opens) 0000 0002 7570
            """)
        #expect(hexadecimal(written) == hexadecimal(expected))
        let read = try #require(readMonitoring(written).messages.first)
        guard case .peerUp(let header, let up) = read.content else {
            Issue.record("not a Peer Up")
            return
        }
        #expect(header == other)
        #expect(up.local == SocketAddress("192.0.2.1", port: 179) && up.remotePort == 40_000)
        #expect(Array(written[up.sentOpen]) == open(65001) && Array(written[up.receivedOpen]) == open(65002))
        #expect(up.information == [.string("up")])
    }

    @Test func `what is chosen has no flags of peers`() throws {
        var chosen = peer
        chosen.kind = .bestRoutes
        chosen.address = "0.0.0.0"
        let written = encoded { BMPWriter.peerDown(chosen, .bestRoutesEnd([.table("global")]), to: &$0) }
        #expect(hexadecimal(written.prefix(8)) == "030000003b020300")
        #expect(hexadecimal(written.suffix(11)) == "0600030006676c6f62616c")
        #expect(
            readMonitoring(written).messages.map(\.content) == [.peerDown(chosen, .bestRoutesEnd([.table("global")]))])
    }

    @Test func `a message that has not come whole is waited for`() throws {
        let whole = encoded { BMPWriter.initiation([.name("n")], to: &$0) }
        for count in 0..<whole.count {
            let (messages, faults) = readMonitoring(Array(whole.prefix(count)))
            #expect(messages.isEmpty && faults.isEmpty)
        }
        #expect(readMonitoring(whole + whole.prefix(3)).messages.map(\.content) == [.initiation([.name("n")])])
    }

    @Test func `a fault names its octet`() {
        func faults(_ text: String) -> [RecordFault] { readMonitoring([UInt8](hex: text)).faults }
        #expect(faults("02 00000006 04") == [.init(.badVersion(2), at: 0)])
        #expect(faults("03 00000005 04") == [.init(.badLength(5), at: 1)])
        #expect(faults("03 FFFFFFFF 04") == [.init(.badLength(0xFFFF_FFFF), at: 1)])
        #expect(faults("03 00000009 04 000100") == [.init(.truncated(needed: 2, available: 1), at: 8)])
        #expect(faults("03 00000031 02 09 00" + String(repeating: "00", count: 41)) == [.init(.badType(9), at: 6)])
        let head = "02 " + Self.peerOctets
        #expect(faults("03 00000031 \(head) 09") == [.init(.badType(9), at: 48)])
        #expect(faults("03 00000032 \(head) 0400") == [.init(.badLength(1), at: 49)])
        #expect(faults("03 00000034 \(head) 03FFFFFF") == [.init(.truncated(needed: 19, available: 3), at: 49)])
        let keepalive = hexadecimal(message(4))
        #expect(faults("03 00000044 \(head) 03 \(keepalive)") == [.init(.badType(4), at: 67)])
        #expect(readMonitoring([3, 0, 0, 0, 7, 6, 9]).messages.map(\.content) == [.other(type: 6)])
    }

    @Test func `what is written is read again`() {
        forEachSeed(300) { random in
            var expected: [BMPMessage.Content] = []
            let written = encoded { arena in
                for _ in 0..<1 + random.below(8) { expected.append(writeSomething(&random, to: &arena)) }
            }
            let (messages, faults) = readMonitoring(written)
            try #require(faults.isEmpty && messages.map(\.content) == expected)
        }
    }

    @Test func `random and tampered streams give values or faults`() {
        forEachSeed(3000) { random in
            var octets = encoded { arena in
                for _ in 0..<1 + random.below(3) { _ = writeSomething(&random, to: &arena) }
            }
            octets = random.below(8) == 0 ? random.octets(Int(random.below(100))) : random.mutated(octets)
            for message in readMonitoring(octets).messages {
                try #require(message.place.upperBound <= octets.count)
                if case .routes(_, let update) = message.content { try #require(octets[update].count >= 23) }
            }
        }
    }

    /// Appends a message of any kind and says how it must read.
    private func writeSomething(_ random: inout SeededRandom, to arena: inout ByteArena) -> BMPMessage.Content {
        var header = BMPPeer(
            random.below(4) == 0 ? .distinguished : .global,
            address: random.below(2) == 0
                ? .v4(IPv4Address(bits: UInt32(random.below(1 << 32))))
                : .v6(IPv6Address(high: random.next(), low: random.next())),
            autonomousSystem: UInt32(random.below(1 << 32)), identifier: IPv4Address(bits: UInt32(random.below(9))),
            time: WallTime(seconds: UInt32(random.below(1 << 32)), microseconds: UInt32(random.below(1_000_000))))
        header.distinguisher = header.kind == .distinguished ? random.next() : 0
        header.isPostPolicy = random.below(2) == 0
        header.isTwoOctet = random.below(2) == 0
        let start = arena.count
        switch random.below(6) {
        case 0:
            let parts: [BMPInformation] = [.name("größe"), .description(""), .string("x")]
            BMPWriter.initiation(parts, to: &arena)
            return .initiation(parts)
        case 1:
            BMPWriter.termination(.redundant, text: "bye", to: &arena)
            return .termination(.redundant, [.string("bye")])
        case 2:
            let notification = Notification(code: 6, subcode: 2, data: random.octets(Int(random.below(9))))
            let reasons: [BMPPeerDownReason] = [
                .localNotification(notification), .remoteNotification(notification), .localEvent(18), .remoteClosed,
                .notMonitored,
            ]
            let reason = reasons[Int(random.below(5))]
            BMPWriter.peerDown(header, reason, to: &arena)
            return .peerDown(header, reason)
        case 3:
            let statistics = (0..<random.below(4)).map { number in
                BMPStatistic(number % 2 == 0 ? .receivedRoutes : .rejectedPrefixes, random.below(1 << 32))
            }
            BMPWriter.statistics(header, statistics, to: &arena)
            return .statistics(header, statistics)
        case 4:
            peerUp(header, to: &arena)
            let sent = start + 6 + 42 + 20..<start + 6 + 42 + 20 + open(65001).count
            return .peerUp(
                header,
                BMPPeerUp(
                    local: SocketAddress("192.0.2.1", port: 179), remotePort: 40_000, sentOpen: sent,
                    receivedOpen: sent.upperBound..<sent.upperBound + open(65002).count, information: [.string("up")]))
        default:
            let update = withdrawal([arbitraryPrefix(isIPv4: true, &random)])
            BMPWriter.routes(header, update.span.bytes, to: &arena)
            return .routes(header, update: start + 48..<start + 48 + update.count)
        }
    }
}
