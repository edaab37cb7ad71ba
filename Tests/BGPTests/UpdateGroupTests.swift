import BGP
import Basics
import TestKit
import Testing
import Wire

/// A speaker with five peers by the test's hand, all of whom are to be told the same but the last.
private struct Exchange {
    let bench: Bench

    init(groupsPeers: Bool = true, configure: (inout SpeakerConfiguration) -> Void = { _ in }) {
        bench = Bench {
            $0.groupsPeers = groupsPeers
            $0.holdTime = .zero
            $0.peers = (0...4).map { peer in
                var settings = PeerConfiguration(
                    address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: 65010 + UInt32(peer),
                    localAddress: "192.0.2.1")
                settings.families = [.ipv4Unicast, .ipv6Unicast]
                if peer == 4 {
                    settings.exportPolicy = RoutePolicy(
                        [PolicyRule(sequence: 1, .permit, conditions: [], settings: [.community(Community(1, 1))])],
                        otherwise: .permit)
                }
                return settings
            }
            configure(&$0)
        }
        bench.start()
        for peer in 0...4 { raise(peer) }
        for peer in 0...4 { _ = takeUpdates(peer) }
    }

    func raise(_ peer: Int) {
        bench.speaker.connected(
            peer: peer, connection: ConnectionID(UInt32(peer)), isIncoming: false, at: bench.now, into: &bench.outbox)
        let open = Bench.open(
            autonomousSystem: 65010 + UInt32(peer), holdTime: 0, identifier: IPv4Address(10, 0, 0, UInt8(peer + 10)))
        bench.send(open + keepalive, on: UInt32(peer))
        finish()
    }

    func tell(_ peer: Int, _ prefixes: [IPPrefix], medium: UInt32? = nil) {
        let nextHop = IPAddress.v4(IPv4Address(192, 0, 2, UInt8(peer + 10)))
        bench.send(
            announcement(prefixes, path: ASPath(65010 + UInt32(peer), 65500), nextHop: nextHop) {
                $0.communities = [Community(7, UInt16(medium ?? 0))]
            }, on: UInt32(peer))
        finish()
    }

    func withdraw(_ peer: Int, _ prefixes: [IPPrefix]) {
        bench.send(withdrawal(prefixes), on: UInt32(peer))
        finish()
    }

    /// Has the speaker do all that it can do now.
    func finish() { bench.advance(to: bench.now) }

    /// The bodies of the UPDATEs to a peer since the last look.
    func takeUpdates(_ peer: Int) -> [[UInt8]] {
        bench.takeMessages(on: UInt32(peer)).filter { $0.type == 2 }.map(\.body)
    }

    func told(_ peer: Int) -> [IPPrefix] { bench.speaker.advertisedRoutes(to: peer).map(\.prefix) }
}

@Suite struct UpdateGroupTests {
    private let prefix: IPPrefix = "198.51.100.0/24"

    @Test func `what several peers are told is written once and sent to each`() throws {
        let exchange = Exchange()
        let bench = exchange.bench
        #expect(bench.speaker.updateGroupCount == 1)
        let octets = announcement(
            [prefix, "203.0.113.0/24"], path: ASPath(65010, 65500), nextHop: "192.0.2.10")
        bench.speaker.received(octets.span.bytes, on: ConnectionID(0), at: bench.now, into: &bench.outbox)
        var writes: [UInt32: ByteRange] = [:]
        for case .write(let connection, let range) in bench.outbox.actions { writes[connection.rawValue] = range }
        #expect(writes.keys.sorted() == [1, 2, 3, 4])
        #expect(writes[1] == writes[2] && writes[2] == writes[3] && writes[3] != writes[4])
        bench.collect()
        #expect((1...4).map { bench.speaker.status(of: $0).counters.sent.update } == [1, 1, 1, 1])
        #expect(exchange.takeUpdates(1).count == 1)
        #expect((0...4).map { exchange.told($0).count } == [0, 2, 2, 2, 2])
    }

    @Test func `whoever tells a route is not told it, and loses what it was told before`() {
        let exchange = Exchange()
        exchange.tell(1, [prefix])
        for peer in [0, 1, 2, 3] { _ = exchange.takeUpdates(peer) }
        // The better teller takes the place of the other, who is told now.
        exchange.tell(0, [prefix])
        #expect(exchange.told(0).isEmpty && exchange.told(1) == [prefix] && exchange.told(2) == [prefix])
        #expect(exchange.takeUpdates(0) == [updateBody(withdrawn: [24, 198, 51, 100])])
        #expect(exchange.takeUpdates(1).count == 1 && exchange.takeUpdates(2).count == 1)
        exchange.withdraw(0, [prefix])
        #expect(exchange.told(0) == [prefix] && exchange.told(1).isEmpty)
        exchange.withdraw(1, [prefix])
        #expect((0...4).allSatisfy { exchange.told($0).isEmpty })
        #expect(exchange.takeUpdates(2).last == updateBody(withdrawn: [24, 198, 51, 100]))
        #expect(exchange.bench.speaker.attributeSetCount == 0)
    }

    @Test func `a route that leads to one of them is told to the others`() {
        let numbers: [UInt32] = [65002, 65001, 65001, 65001]
        let bench = Bench {
            $0.groupsPeers = true
            $0.holdTime = .zero
            $0.peers = numbers.indices.map { peer in
                PeerConfiguration(
                    address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: numbers[peer],
                    localAddress: "192.0.2.1")
            }
        }
        bench.start()
        for peer in numbers.indices {
            bench.speaker.connected(
                peer: peer, connection: ConnectionID(UInt32(peer)), isIncoming: false, at: bench.now,
                into: &bench.outbox)
            let open = Bench.open(
                autonomousSystem: numbers[peer], holdTime: 0, identifier: IPv4Address(10, 0, 0, UInt8(peer + 10)))
            bench.send(open + keepalive, on: UInt32(peer))
            bench.advance(to: bench.now)
        }
        #expect(bench.speaker.updateGroupCount == 1)
        // First through the teller, then through each of the others in turn, and back.
        for hop in [0, 1, 2, 3, 0] {
            let nextHop = IPAddress.v4(IPv4Address(192, 0, 2, UInt8(hop + 10)))
            bench.send(announcement([prefix], nextHop: nextHop), on: 0)
            bench.advance(to: bench.now)
            for peer in 1...3 {
                let told = bench.speaker.advertisedRoutes(to: peer).map(\.attributes.nextHop)
                #expect(told == (peer == hop ? [] : [nextHop]), "\(hop) to \(peer)")
            }
        }
    }

    @Test func `a peer that comes later is told all alone, and then with the others`() {
        let exchange = Exchange()
        exchange.bench.close(2)
        exchange.tell(0, [prefix])
        exchange.bench.advance(by: .seconds(2))
        exchange.raise(2)
        #expect(exchange.takeUpdates(2).count == 1 && exchange.told(2) == [prefix])
        for peer in [1, 3] { _ = exchange.takeUpdates(peer) }
        exchange.tell(0, [prefix], medium: 3)
        let updates = exchange.takeUpdates(1)
        #expect(updates.count == 1 && exchange.takeUpdates(2) == updates && exchange.takeUpdates(3) == updates)
        for peer in [0, 1, 2, 3] { exchange.bench.close(UInt32(peer)) }
        exchange.finish()
        #expect(exchange.bench.speaker.attributeSetCount == 0 && exchange.bench.speaker.updateGroupCount == 0)
    }

    @Test func `a peer that is drained leaves the others as they are`() {
        let exchange = Exchange()
        exchange.tell(0, [prefix])
        for peer in [1, 2, 3] { _ = exchange.takeUpdates(peer) }
        exchange.bench.speaker.drain(peer: 2, at: exchange.bench.now, into: &exchange.bench.outbox)
        exchange.bench.collect()
        #expect(exchange.takeUpdates(1).isEmpty && exchange.takeUpdates(2).count == 1)
        exchange.tell(0, [prefix], medium: 3)
        func communities(_ peer: Int) -> [Community]? {
            exchange.bench.speaker.advertisedRoutes(to: peer).first?.attributes.communities
        }
        #expect(communities(1) == [Community(7, 3)] && communities(2) == [Community(7, 3), .gracefulShutdown])
        exchange.bench.speaker.drain(peer: 2, false, at: exchange.bench.now, into: &exchange.bench.outbox)
        exchange.bench.collect()
        #expect(communities(2) == [Community(7, 3)])
    }

    @Test func `a refresh repeats to one what all have been told`() {
        let exchange = Exchange()
        exchange.tell(0, [prefix])
        for peer in [1, 2] { _ = exchange.takeUpdates(peer) }
        exchange.bench.send(encoded { RouteRefreshMessage(.ipv4Unicast).append(to: &$0) }, on: 2)
        exchange.finish()
        #expect(exchange.takeUpdates(1).isEmpty && exchange.takeUpdates(2).count == 1)
    }

    @Test func `peers end up with the same whether they are told together or alone`() {
        forEachSeed(4) { random in
            let together = Exchange()
            let alone = Exchange(groupsPeers: false)
            for _ in 0..<30 {
                let peer = Int(random.below(5))
                let prefixes = (0..<1 + random.below(2_000)).map { _ -> IPPrefix in
                    .v4(IPv4Prefix(IPv4Address(bits: 0x0A00_0000 | UInt32(random.below(20_000)) << 8), length: 24))
                }
                let medium = UInt32(random.below(3))
                let action = random.below(8)
                for exchange in [together, alone] {
                    let isUp = exchange.bench.speaker.state(of: peer) == .established
                    if action == 0, isUp {
                        exchange.bench.close(UInt32(peer))
                    } else if action == 0 || !isUp {
                        exchange.bench.advance(by: .seconds(2))
                        exchange.raise(peer)
                    } else if action < 4 {
                        exchange.bench.send(withdrawal(prefixes), on: UInt32(peer))
                    } else {
                        exchange.tell(peer, prefixes, medium: medium)
                    }
                }
            }
            for exchange in [together, alone] { exchange.finish() }
            for peer in 0...4 {
                let told = together.bench.speaker.advertisedRoutes(to: peer)
                try #require(told == alone.bench.speaker.advertisedRoutes(to: peer))
            }
            for exchange in [together, alone] {
                for peer in 0...4 { exchange.bench.close(UInt32(peer)) }
                exchange.finish()
                try #require(exchange.bench.speaker.attributeSetCount == 0)
            }
        }
    }
}
