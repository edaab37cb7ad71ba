import BGP
import Basics
import TestKit
import Testing
import Wire

/// A speaker with four peers by the test's hand: 0 and 1 number what they tell, 2 and 3 are told all, 4 is plain.
private struct Exchange {
    static let tellers = [0, 1]
    static let listeners = [2, 3]

    let bench: Bench

    init(configure: (inout SpeakerConfiguration) -> Void = { _ in }) {
        bench = Bench {
            $0.peers = (0...4).map { peer in
                var settings = PeerConfiguration(
                    address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: 65010 + UInt32(peer),
                    localAddress: "192.0.2.1")
                settings.families = [.ipv4Unicast, .ipv6Unicast]
                if Self.tellers.contains(peer) {
                    settings.session.capabilities.numberedFamiliesHeard = [.ipv4Unicast, .ipv6Unicast]
                    settings.session.gracefulRestart = GracefulRestartConfiguration()
                }
                if Self.listeners.contains(peer) {
                    settings.session.capabilities.numberedFamiliesTold = [.ipv4Unicast, .ipv6Unicast]
                }
                return settings
            }
            configure(&$0)
        }
        bench.start()
        for peer in 0...4 { raise(peer) }
        for peer in 0...4 { _ = bench.takeMessages(on: connection(peer)) }
    }

    func connection(_ peer: Int) -> UInt32 { UInt32(peer) + 1 }

    func raise(_ peer: Int, on connection: UInt32? = nil) {
        let connection = connection ?? self.connection(peer)
        bench.speaker.connected(
            peer: peer, connection: ConnectionID(connection), isIncoming: connection > 5, at: bench.now,
            into: &bench.outbox)
        var capabilities: [Capability] = [
            .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh,
            .fourOctetAS(65010 + UInt32(peer)),
            .additionalPaths(
                AddressFamily.allCases.map {
                    AdditionalPathsOffer(
                        FamilyIdentifiers($0), canReceive: Self.listeners.contains(peer),
                        canSend: Self.tellers.contains(peer))
                }),
        ]
        if Self.tellers.contains(peer) {
            capabilities.append(
                .gracefulRestart(
                    GracefulRestartOffer(
                        isRestarting: false, coversNotifications: false, restartTime: 60,
                        families: AddressFamily.allCases.map {
                            .init(FamilyIdentifiers($0), isForwardingKept: true)
                        })))
        }
        bench.send(
            Bench.open(
                autonomousSystem: 65010 + UInt32(peer), identifier: IPv4Address(10, 0, 0, UInt8(peer + 10)),
                capabilities: capabilities) + keepalive, on: connection)
    }

    /// Tells paths that begin with the peer's number and are as long as they are told to be.
    func tell(
        _ peer: Int, _ prefixes: [IPPrefix], numbers: [UInt32]? = nil, length: Int = 1, on connection: UInt32? = nil
    ) {
        var path = ASPath(65010 + UInt32(peer))
        for _ in 1..<length { path.prepend(65010 + UInt32(peer)) }
        let nextHop: IPAddress =
            prefixes[0].isIPv4 ? .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))) : "2001:db8:ffff::1"
        bench.send(
            announcement(prefixes, numbered: numbers, path: path, nextHop: nextHop),
            on: connection ?? self.connection(peer))
    }

    /// What is held of a prefix, as teller, number and length of the path.
    func held(_ prefix: IPPrefix) -> [[Int]] {
        bench.speaker.candidates(for: prefix).map {
            [$0.peer ?? -1, Int($0.pathIdentifier), $0.attributes.path.length]
        }
    }

    /// What a peer has been told of all prefixes, as number and length of the path.
    func told(_ peer: Int) -> [[Int]] {
        bench.speaker.advertisedRoutes(to: peer).map { [Int($0.pathIdentifier), $0.attributes.path.length] }
    }

    /// The UPDATEs to a peer since the last look.
    func takeUpdates(_ peer: Int) throws -> [UpdateMessage] {
        var context = UpdateContext(isInternal: false)
        if Self.listeners.contains(peer) { context.numberedFamilies = [.ipv4Unicast, .ipv6Unicast] }
        return try bench.takeMessages(on: connection(peer)).filter { $0.type == 2 }.map {
            try decodeUpdate($0.body, context).get()
        }
    }
}

@Suite struct AdditionalPathsTests {
    private let prefix: IPPrefix = "198.51.100.0/24"

    @Test(arguments: ["198.51.100.0/24", "2001:db8:1::/48"] as [IPPrefix])
    func `paths of one peer are kept apart by their numbers`(prefix: IPPrefix) throws {
        let exchange = Exchange()
        exchange.tell(0, [prefix], numbers: [7], length: 3)
        exchange.tell(1, [prefix], numbers: [7], length: 4)
        exchange.tell(0, [prefix], numbers: [2], length: 2)
        exchange.tell(0, [prefix], numbers: [.max], length: 5)
        #expect(exchange.held(prefix) == [[0, 2, 2], [0, 7, 3], [0, Int(UInt32.max), 5], [1, 7, 4]])
        #expect(exchange.bench.speaker.bestRoute(to: prefix)?.pathIdentifier == 2)
        #expect(exchange.bench.speaker.status(of: 0).receivedRoutes == 3)
        // The same number again takes the place of what it had, another number does not.
        exchange.tell(0, [prefix], numbers: [2], length: 9)
        #expect(exchange.held(prefix) == [[0, 2, 9], [0, 7, 3], [0, Int(UInt32.max), 5], [1, 7, 4]])
        exchange.bench.send(withdrawal([prefix, prefix], numbered: [5, 7]))
        #expect(exchange.held(prefix) == [[0, 2, 9], [0, Int(UInt32.max), 5], [1, 7, 4]])
        let explanation = try #require(exchange.bench.speaker.explain(prefix))
        #expect(explanation.paths.map(\.route.pathIdentifier) == [2, .max, 7])
        #expect(explanation.paths.map(\.verdict) == [.lost(.pathLength), .lost(.pathLength), .best])
        exchange.bench.send(withdrawal([prefix, prefix], numbered: [2, .max]))
        exchange.bench.send(withdrawal([prefix], numbered: [7]), on: 2)
        #expect(exchange.bench.speaker.bestRoutes.isEmpty && exchange.bench.speaker.attributeSetCount == 0)
    }

    @Test(arguments: ["198.51.100.0/24", "2001:db8:1::/48"] as [IPPrefix])
    func `a peer that takes several paths is told all, by numbers that stay`(prefix: IPPrefix) throws {
        let exchange = Exchange()
        exchange.tell(0, [prefix], numbers: [40], length: 3)
        exchange.tell(0, [prefix], numbers: [30], length: 4)
        exchange.tell(4, [prefix], length: 5)
        let expected = [[5, 6], [65_536, 4], [65_537, 5]]
        #expect(exchange.told(2) == expected && exchange.told(3) == expected)
        #expect(exchange.told(1) == [[0, 4]], "the best alone for one that takes one")
        #expect(
            try exchange.takeUpdates(2).map { $0.announcements.map(\.identifiers) } == [[[65_536]], [[65_537]], [[5]]])
        // Another path becomes the best, and no other path is told anew.
        exchange.tell(0, [prefix], numbers: [30], length: 1)
        #expect(exchange.told(2) == [[5, 6], [65_536, 4], [65_537, 2]])
        #expect(try exchange.takeUpdates(2).map { $0.announcements.map(\.identifiers) } == [[[65_537]]])
        // A path goes, and its number with it.
        exchange.bench.send(withdrawal([prefix], numbered: [40]))
        let withdrawn = try exchange.takeUpdates(2)
        #expect(withdrawn.map(\.withdrawn) == [[prefix]] && withdrawn.map(\.withdrawnIdentifiers) == [[65_536]])
        exchange.tell(1, [prefix], numbers: [1], length: 7)
        #expect(exchange.told(2) == [[5, 6], [65_536, 8], [65_537, 2]])
        exchange.bench.send(withdrawal([prefix]), on: 5)
        exchange.tell(4, [prefix], length: 8)
        #expect(exchange.told(2) == [[5, 9], [65_536, 8], [65_537, 2]])
    }

    @Test func `the best few are told where no more are wanted`() throws {
        let exchange = Exchange {
            $0.peers[2].additionalPaths = .best(2)
            $0.peers[3].additionalPaths = .best(1)
        }
        for (number, length) in [(1, 6), (2, 4), (3, 5)] as [(UInt32, Int)] {
            exchange.tell(0, [prefix], numbers: [number], length: length)
        }
        #expect(exchange.told(2) == [[65_537, 5], [65_538, 6]])
        #expect(exchange.told(3) == [[65_537, 5]])
        exchange.bench.send(withdrawal([prefix], numbered: [2]))
        #expect(exchange.told(2) == [[65_536, 7], [65_538, 6]])
        let updates = try exchange.takeUpdates(3)
        #expect(updates.suffix(2).map(\.withdrawnIdentifiers) == [[65_537], []])
        #expect(updates.last?.announcements.map(\.identifiers) == [[65_538]])
    }

    @Test func `a peer is told the second best where the best is its own`() {
        let exchange = Exchange { $0.peers[2].additionalPaths = .best(1) }
        exchange.tell(2, [prefix], length: 1)
        exchange.tell(4, [prefix], length: 3)
        #expect(exchange.told(2) == [[5, 4]])
        #expect(exchange.told(3) == [[3, 2], [5, 4]])
        #expect(exchange.told(4) == [[0, 2]])
    }

    @Test func `own routes have a number as well`() {
        let exchange = Exchange { $0.networks = ["10.0.0.0/8"] }
        #expect(exchange.told(2) == [[65_535, 1]])
        exchange.bench.speaker.withdraw("10.0.0.0/8", at: exchange.bench.now, into: &exchange.bench.outbox)
        #expect(exchange.told(2).isEmpty && exchange.bench.speaker.attributeSetCount == 0)
    }

    @Test func `a refresh repeats all paths with their numbers`() throws {
        let exchange = Exchange()
        exchange.tell(0, [prefix, "203.0.113.0/24"], numbers: [1, 1])
        exchange.tell(0, [prefix], numbers: [2], length: 2)
        _ = try exchange.takeUpdates(2)
        exchange.bench.send(encoded { RouteRefreshMessage(.ipv4Unicast).append(to: &$0) }, on: 3)
        let updates = try exchange.takeUpdates(2)
        #expect(updates.flatMap { $0.announcements.flatMap(\.prefixes) } == [prefix, "203.0.113.0/24", prefix])
        #expect(updates.flatMap { $0.announcements.flatMap(\.identifiers) } == [65_536, 65_536, 65_537])
    }

    @Test func `every path outlives a restart that the peer tells again`() {
        let exchange = Exchange()
        exchange.tell(0, [prefix, prefix], numbers: [1, 2])
        exchange.tell(0, [prefix], numbers: [2], length: 2)
        exchange.bench.close(1)
        #expect(exchange.held(prefix) == [[0, 1, 1], [0, 2, 2]])
        exchange.bench.advance(by: .seconds(2))
        exchange.raise(0, on: 10)
        exchange.tell(0, [prefix], numbers: [2], length: 3, on: 10)
        #expect(exchange.held(prefix) == [[0, 1, 1], [0, 2, 3]])
        exchange.bench.send(encoded { UpdateEncoder(isFourOctet: true).endOfRIB(.ipv4Unicast, to: &$0) }, on: 10)
        #expect(exchange.held(prefix) == [[0, 2, 3]])
        #expect(exchange.told(2) == [[65_537, 4]])
        exchange.bench.close(10)
        exchange.bench.advance(by: .seconds(61))
        #expect(exchange.held(prefix).isEmpty && exchange.told(2).isEmpty)
        #expect(exchange.bench.speaker.attributeSetCount == 0)
    }

    @Test func `numbers that a peer has not asked for are not there`() throws {
        let exchange = Exchange()
        exchange.tell(4, [prefix])
        let update = try #require(try exchange.takeUpdates(1).first)
        #expect(update.announcements.map(\.prefixes) == [[prefix]] && update.announcements[0].identifiers.isEmpty)
    }

    /// What a peer that numbers its paths tells, however damaged, comes to the same as its octets read one by one.
    @Test func `a damaged UPDATE with numbers leaves what the decoder says`() {
        forEachSeed(150) { random in
            let exchange = Exchange()
            var context = UpdateContext(isInternal: false, requiredFirstAS: 65010)
            context.numberedFamilies = [.ipv4Unicast, .ipv6Unicast]
            context.hasExtendedNextHop = false
            var held: [IPPrefix: [UInt32: PathAttributes]] = [:]
            for _ in 0..<12 {
                let body = randomUpdate(&random)
                exchange.bench.send(message(2, body))
                guard case .success(let update) = decodeUpdate(body, context) else {
                    try #require(exchange.bench.state != .established)
                    return
                }
                for (place, prefix) in update.withdrawn.enumerated() {
                    held[prefix]?[update.withdrawnIdentifiers.isEmpty ? 0 : update.withdrawnIdentifiers[place]] = nil
                }
                for announcement in update.announcements {
                    for (place, prefix) in announcement.prefixes.enumerated() where isRoutable(prefix) {
                        let number = announcement.identifiers.isEmpty ? 0 : announcement.identifiers[place]
                        held[prefix, default: [:]][number] = announcement.attributes
                    }
                }
                let expected = held.sorted { $0.key < $1.key }.flatMap { prefix, paths in
                    paths.sorted { $0.key < $1.key }.map { (prefix, $0.key, $0.value) }
                }
                let received = exchange.bench.speaker.receivedRoutes(from: 0)
                try #require(received.map(\.prefix) == expected.map(\.0))
                try #require(received.map(\.pathIdentifier) == expected.map(\.1))
                try #require(received.map(\.attributes) == expected.map(\.2))
            }
        }
    }

    /// The body of an UPDATE of IPv4 paths, every other one damaged.
    private func randomUpdate(_ random: inout SeededRandom) -> [UInt8] {
        var prefixes: [IPPrefix] = []
        for _ in 0..<1 + random.below(4) {
            prefixes.append(.v4(IPv4Prefix(IPv4Address(10, UInt8(random.below(3)), 0, 0), length: 16)))
        }
        let numbers = prefixes.map { _ in UInt32(random.below(4)) }
        let octets =
            random.below(3) == 0
            ? withdrawal(prefixes, numbered: numbers)
            : announcement(
                prefixes, numbered: numbers, path: ASPath(65010, UInt32(65100 + random.below(3))),
                nextHop: "192.0.2.10")
        let body = Array(octets.dropFirst(19))
        return random.below(2) == 0 ? body : random.mutated(body)
    }

    private func isRoutable(_ prefix: IPPrefix) -> Bool {
        guard case .v4(let prefix) = prefix else { return true }
        let first = prefix.address.bits >> 24
        return prefix.length == 0 || (first != 127 && first < 224)
    }
}
