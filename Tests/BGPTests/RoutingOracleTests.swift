import BGP
import Basics
import TestKit
import Testing
import Wire

/// A speaker whose peers are played from a seed, and what each has been told so far.
private struct Play {
    var speaker: Speaker
    var oracle: RoutingOracle
    var now = Instant.zero
    /// What the UPDATEs to each peer come to, by prefix and number of the path.
    var views: [[IPPrefix: [UInt32: PathAttributes]]]
    var forwarding: [IPPrefix: IPAddress] = [:]
    /// All next hops, as they were when the prefix was last installed.
    var hops: [IPPrefix: [IPAddress]] = [:]
    private var connections: [UInt32]
    private var input: [[UInt8]]
    private var nextConnection: UInt32 = 1

    init(_ configuration: SpeakerConfiguration, seed: UInt64) {
        speaker = Speaker(configuration, random: SeededRandom(seed: seed))
        oracle = RoutingOracle(configuration)
        views = Array(repeating: [:], count: configuration.peers.count)
        connections = Array(repeating: 0, count: configuration.peers.count)
        input = Array(repeating: [], count: configuration.peers.count)
        act { $0.start(at: $1, into: &$2) }
    }

    mutating func act(_ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        var outbox = SpeakerOutbox()
        body(&speaker, now, &outbox)
        for action in outbox.actions {
            switch action {
            case .write(let connection, let range):
                if let peer = connections.firstIndex(of: connection.rawValue) {
                    input[peer] += copied(outbox.bytes(range))
                }
            case .install(let prefix, let nextHop):
                forwarding[prefix] = nextHop
                hops[prefix] = speaker.nextHops(to: prefix)
            case .withdraw(let prefix):
                forwarding[prefix] = nil
                hops[prefix] = nil
            default: break
            }
        }
    }

    mutating func raise(_ peer: Int) {
        guard !oracle.isUp[peer] else { return }
        now += .seconds(2)
        act { $0.wake(at: $1, into: &$2) }
        let connection = nextConnection
        nextConnection += 1
        connections[peer] = connection
        act { $0.connected(peer: peer, connection: ConnectionID(connection), isIncoming: true, at: $1, into: &$2) }
        let settings = oracle.configuration.peers[peer]
        let offer = settings.session.capabilities
        var capabilities: [Capability] = [
            .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh,
            .fourOctetAS(settings.autonomousSystem),
        ]
        capabilities.append(
            .additionalPaths(
                AddressFamily.allCases.map {
                    AdditionalPathsOffer(
                        FamilyIdentifiers($0), canReceive: offer.numberedFamiliesTold.contains($0),
                        canSend: offer.numberedFamiliesHeard.contains($0))
                }))
        send(
            Bench.open(
                autonomousSystem: settings.autonomousSystem, holdTime: 0, identifier: oracle.identifier(peer),
                capabilities: capabilities) + keepalive, from: peer)
        oracle.isUp[peer] = true
    }

    mutating func lose(_ peer: Int) {
        guard oracle.isUp[peer] else { return }
        let connection = ConnectionID(connections[peer])
        act { $0.closed(connection, at: $1, into: &$2) }
        oracle.isUp[peer] = false
        oracle.heard[peer] = [:]
        views[peer] = [:]
        input[peer] = []
        connections[peer] = 0
    }

    mutating func send(_ octets: [UInt8], from peer: Int) {
        let connection = ConnectionID(connections[peer])
        act { $0.received(octets.span.bytes, on: connection, at: $1, into: &$2) }
    }

    /// Lets the speaker finish, and takes in what it has told.
    mutating func settle() throws {
        while let deadline = speaker.nextDeadline, deadline <= now { act { $0.wake(at: $1, into: &$2) } }
        for peer in views.indices {
            for message in messages(in: input[peer]) where message.type == 2 {
                let settings = oracle.configuration.peers[peer]
                var context = UpdateContext(isInternal: settings.autonomousSystem == 65001)
                context.numberedFamilies = settings.session.capabilities.numberedFamiliesTold
                let update = try decodeUpdate(message.body, context).get()
                for (place, prefix) in update.withdrawn.enumerated() {
                    let number = update.withdrawnIdentifiers.isEmpty ? 0 : update.withdrawnIdentifiers[place]
                    views[peer][prefix]?[number] = nil
                    if views[peer][prefix]?.isEmpty == true { views[peer][prefix] = nil }
                }
                for announcement in update.announcements {
                    for (place, prefix) in announcement.prefixes.enumerated() {
                        let number = announcement.identifiers.isEmpty ? 0 : announcement.identifiers[place]
                        views[peer][prefix, default: [:]][number] = announcement.attributes
                    }
                }
            }
            input[peer] = []
        }
    }

    func check() throws {
        let prefixes = oracle.prefixes
        let best = prefixes.compactMap { oracle.best($0) }
        try #require(speaker.bestRoutes == best)
        let expected = best.filter { $0.peer != nil }.map { ($0.prefix, $0.attributes.nextHop) }
        try #require(forwarding == Dictionary(uniqueKeysWithValues: expected))
        for prefix in prefixes { try #require(hops[prefix] ?? [] == oracle.hops(prefix)) }
        for peer in views.indices where oracle.isUp[peer] {
            try check(told: prefixes.map { ($0, oracle.told($0, to: peer)) }, peer)
            let heard = oracle.heard[peer].sorted { $0.key < $1.key }.flatMap { prefix, paths in
                paths.sorted { $0.key < $1.key }.map {
                    Route(prefix: prefix, peer: peer, attributes: $0.value, pathIdentifier: $0.key)
                }
            }
            try #require(speaker.receivedRoutes(from: peer) == heard)
            try #require(speaker.status(of: peer).receivedRoutes == heard.count)
        }
    }

    private func check(
        told: [(prefix: IPPrefix, paths: [(candidate: RoutingOracle.Candidate, attributes: PathAttributes)])],
        _ peer: Int
    ) throws {
        let advertised = speaker.advertisedRoutes(to: peer)
        try #require(speaker.status(of: peer).advertisedRoutes == advertised.count)
        var place = advertised.startIndex
        for (prefix, paths) in told {
            let end = advertised[place...].firstIndex { $0.prefix != prefix } ?? advertised.endIndex
            let routes = advertised[place..<end]
            place = routes.endIndex
            try #require(routes.count == paths.count)
            let view = Dictionary(uniqueKeysWithValues: routes.map { ($0.pathIdentifier, $0.attributes) })
            try #require(views[peer][prefix] ?? [:] == view, "\(prefix) told to \(peer)")
            if routes.count == 1 {
                try #require(routes.first?.peer == paths[0].candidate.peer)
                try #require(routes.first?.attributes == paths[0].attributes)
            } else {
                let expected = describe(paths.map { ($0.candidate.peer, $0.attributes) })
                try #require(describe(routes.map { ($0.peer, $0.attributes) }) == expected)
            }
            for route in routes {
                let own = paths.filter { $0.candidate.peer == route.peer && $0.candidate.number == 0 }
                guard route.pathIdentifier != 0, route.pathIdentifier < 65_536 else { continue }
                try #require(own.map(\.attributes) == [route.attributes])
                try #require(route.pathIdentifier == UInt32(route.peer ?? 65_534) + 1)
            }
        }
        try #require(place == advertised.endIndex)
        try #require(views[peer].count == told.count { !$0.paths.isEmpty })
    }

    private func describe(_ paths: [(peer: Int?, attributes: PathAttributes)]) -> [String] {
        paths.map { "\($0.peer ?? -1) \($0.attributes)" }.sorted()
    }
}

private func configuration(_ random: inout SeededRandom, numbersPaths: Bool) -> SpeakerConfiguration {
    var configuration = SpeakerConfiguration(autonomousSystem: 65001, routerID: IPv4Address(10, 0, 0, 1))
    configuration.holdTime = .zero
    configuration.maximumPaths = 1 + Int(random.below(3))
    configuration.spreadsOverNeighbors = random.below(2) == 0
    configuration.groupsPeers = random.below(2) == 0
    // Of some speakers most peers are of their own AS, and told together.
    let isInside = random.below(3) == 0
    for peer in 0..<2 + Int(random.below(4)) {
        let isInternal = random.below(4) < (isInside ? 3 : 1)
        let number = isInternal ? 65001 : 65002 + UInt32(random.below(3))
        var settings = PeerConfiguration(
            address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: number,
            localAddress: .v4(IPv4Address(192, 0, 2, 1)))
        settings.families = [.ipv4Unicast, .ipv6Unicast]
        settings.isPassive = true
        if numbersPaths {
            let choices: [AddressFamilies] = [[], .ipv4Unicast, .ipv6Unicast, [.ipv4Unicast, .ipv6Unicast]]
            settings.session.capabilities.numberedFamiliesHeard = choices[Int(random.below(4))]
            settings.session.capabilities.numberedFamiliesTold = choices[Int(random.below(4))]
            let count = Int(random.below(4))
            settings.additionalPaths = count == 0 ? .all : .best(count)
        }
        if random.below(4) == 0 {
            settings.importPolicy = RoutePolicy(
                [
                    PolicyRule(sequence: 1, .deny, conditions: [.community(Community(1, 1))]),
                    PolicyRule(
                        sequence: 2, .permit,
                        conditions: [.prefixList(PrefixList([.init(.permit, "10.0.0.0/9", lengths: 9...32)]))],
                        settings: [.localPreference(UInt32(random.below(3)) * 100), .community(Community(7, 7))]),
                ], otherwise: .permit)
        }
        if random.below(4) == 0, let passesThrough = ASPathPattern("65003") {
            settings.exportPolicy = RoutePolicy(
                [
                    PolicyRule(sequence: 1, .deny, conditions: [.community(Community(2, 2))]),
                    PolicyRule(
                        sequence: 2, .permit, conditions: [.path(passesThrough)],
                        settings: [.multiExitDiscriminator(9), .prependPath(65001, count: 2)]),
                ], otherwise: .permit)
        }
        configuration.peers.append(settings)
    }
    return configuration
}

private func randomPrefix(_ random: inout SeededRandom, of count: UInt64) -> IPPrefix {
    let number = UInt32(random.below(count)) &* 40_503 & 0xFFFF
    guard random.below(4) == 0 else {
        return .v4(IPv4Prefix(IPv4Address(bits: 0x0A00_0000 | number << 8), length: 24 + Int(number % 9)))
    }
    return .v6(IPv6Prefix(IPv6Address(high: 0x2001_0DB8_0000_0000 | UInt64(number) << 16, low: 0), length: 48))
}

private func randomAttributes(
    _ random: inout SeededRandom, _ peer: PeerConfiguration, among peers: [PeerConfiguration], isIPv4: Bool
) -> PathAttributes {
    // On a link that several share, one may tell of a way through another.
    let teller = random.below(3) == 0 ? peers[Int(random.below(UInt64(peers.count)))] : peer
    let nextHop = isIPv4 ? teller.address : IPAddress("2001:db8:ffff::\(random.below(2) + 1)")
    var attributes = PathAttributes(nextHop: nextHop ?? peer.address)
    attributes.origin = Origin(rawValue: UInt8(random.below(3))) ?? .interior
    let isInternal = peer.autonomousSystem == 65001
    for _ in 0..<random.below(3) { attributes.path.prepend(65001 + UInt32(random.below(6))) }
    if random.below(8) == 0 { attributes.path.segments.append(.init(.set, [65007, 65008])) }
    if !isInternal { attributes.path.prepend(peer.autonomousSystem) }
    if random.below(3) == 0 { attributes.multiExitDiscriminator = UInt32(random.below(3)) }
    if isInternal { attributes.localPreference = 100 + UInt32(random.below(2)) }
    if random.below(2) == 0 {
        let choice: [Community] = [Community(1, 1), Community(2, 2), .noExport, .noAdvertise, Community(3, 3)]
        attributes.communities = [choice[Int(random.below(5))]]
    }
    if random.below(6) == 0 { attributes.largeCommunities = [LargeCommunity(1, 2, UInt32(random.below(2)))] }
    if random.below(8) == 0 {
        attributes.unrecognized = [
            UnrecognizedAttribute(
                type: AttributeType(rawValue: 99), flags: [.optional, .transitive, .partial],
                value: [UInt8(random.below(2))])
        ]
    }
    return attributes
}

/// Numbers of paths to prefixes of one family, a few for each; nil where the peer numbers none.
private func numbers(
    _ prefixes: [IPPrefix], _ peer: PeerConfiguration, _ random: inout SeededRandom
) -> [UInt32]? {
    let family: AddressFamily = prefixes[0].isIPv4 ? .ipv4Unicast : .ipv6Unicast
    guard peer.session.capabilities.numberedFamiliesHeard.contains(family) else { return nil }
    return prefixes.map { _ in [0, 1, 2, 7, .max][Int(random.below(5))] }
}

@Suite struct RoutingOracleTests {
    private func step(_ play: inout Play, _ random: inout SeededRandom, prefixes: UInt64, batch: UInt64) throws {
        let peer = Int(random.below(UInt64(play.views.count)))
        switch random.below(16) {
        case 0: play.lose(peer)
        case 1, 2: play.raise(peer)
        case 3:
            let prefix = randomPrefix(&random, of: prefixes)
            if play.oracle.own.remove(prefix) != nil {
                play.act { $0.withdraw(prefix, at: $1, into: &$2) }
            } else {
                play.oracle.own.insert(prefix)
                play.act { $0.announce(prefix, at: $1, into: &$2) }
            }
        case 4:
            let address = play.oracle.configuration.peers[peer].address
            let isGone = play.oracle.unreachable.insert(address).inserted
            if !isGone { play.oracle.unreachable.remove(address) }
            play.act { $0.nextHopChanged(address, cost: isGone ? nil : 0, at: $1, into: &$2) }
        case 5:
            guard play.oracle.isUp[peer] else { return }
            play.send(encoded { RouteRefreshMessage(.ipv4Unicast).append(to: &$0) }, from: peer)
        case 6...8:
            guard play.oracle.isUp[peer] else { return }
            let prefixes = (0..<1 + random.below(batch)).map { _ in randomPrefix(&random, of: prefixes) }
            for isIPv4 in [true, false] {
                let some = prefixes.filter { $0.isIPv4 == isIPv4 }
                guard !some.isEmpty else { continue }
                let numbers = numbers(some, play.oracle.configuration.peers[peer], &random)
                play.send(withdrawal(some, numbered: numbers), from: peer)
                for (place, prefix) in some.enumerated() {
                    play.oracle.heard[peer][prefix]?[numbers?[place] ?? 0] = nil
                    if play.oracle.heard[peer][prefix]?.isEmpty == true { play.oracle.heard[peer][prefix] = nil }
                }
            }
        default:
            guard play.oracle.isUp[peer] else { return }
            for isIPv4 in [true, false] {
                let peers = play.oracle.configuration.peers
                let attributes = randomAttributes(&random, peers[peer], among: peers, isIPv4: isIPv4)
                let some = Set((0..<1 + random.below(batch)).map { _ in randomPrefix(&random, of: prefixes) })
                    .filter { $0.isIPv4 == isIPv4 }.sorted()
                guard !some.isEmpty else { continue }
                let numbers = numbers(some, play.oracle.configuration.peers[peer], &random)
                play.send(
                    announcement(some, numbered: numbers, path: attributes.path, nextHop: attributes.nextHop) {
                        $0 = attributes
                    }, from: peer)
                for (place, prefix) in some.enumerated() {
                    play.oracle.heard[peer][prefix, default: [:]][numbers?[place] ?? 0] = attributes
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `all RIBs agree with the oracle whatever the peers say and do`(numbersPaths: Bool) {
        forEachSeed(60) { random in
            var play = Play(configuration(&random, numbersPaths: numbersPaths), seed: random.next())
            for _ in 0..<60 {
                try step(&play, &random, prefixes: 40, batch: 6)
                try play.settle()
                try play.check()
            }
            for peer in play.views.indices { play.lose(peer) }
            for prefix in play.oracle.own.sorted() { play.act { $0.withdraw(prefix, at: $1, into: &$2) } }
            try play.settle()
            try #require(play.speaker.attributeSetCount == 0)
            try #require(play.forwarding.isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func `a table that takes many calls agrees with the oracle in the end`(numbersPaths: Bool) {
        forEachSeed(2) { random in
            var play = Play(configuration(&random, numbersPaths: numbersPaths), seed: random.next())
            for peer in play.views.indices { play.raise(peer) }
            for _ in 0..<40 {
                for _ in 0..<6 { try step(&play, &random, prefixes: 60_000, batch: 4_000) }
            }
            try play.settle()
            try play.check()
            for peer in play.views.indices { play.lose(peer) }
            for prefix in play.oracle.own.sorted() { play.act { $0.withdraw(prefix, at: $1, into: &$2) } }
            try play.settle()
            try #require(play.speaker.attributeSetCount == 0)
        }
    }
}
