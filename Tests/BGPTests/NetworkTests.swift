import BGP
import Basics
import TestKit
import Testing
import Wire

/// Every pair of speakers.
private func mesh(_ count: Int) -> [(Int, Int)] {
    (0..<count).flatMap { left in (left + 1..<count).map { (left, $0) } }
}

private func network(_ index: Int, _ part: Int) -> IPPrefix {
    IPPrefix(.v4(IPv4Address(10, UInt8(index + 1), UInt8(part), 0)), length: 24)
}

/// What every Loc-RIB must hold where all ASes differ and there is no policy: for each
/// prefix the length of the path and the speaker that it was heard from.
///
/// Worked out without any BGP: distances over the sessions that are up, and of several
/// neighbours equally near to the prefix the one with the lowest identifier.
private func expectedRoutes(
    _ speaker: Int, networks: [[IPPrefix]], sessions: [(Int, Int)], count: Int
) -> [IPPrefix: (length: Int, from: Int?)] {
    func neighbours(_ index: Int) -> [Int] {
        sessions.compactMap { $0.0 == index ? $0.1 : $0.1 == index ? $0.0 : nil }.sorted()
    }
    var result: [IPPrefix: (length: Int, from: Int?)] = [:]
    for prefix in Set(networks.joined()) {
        var distance = (0..<count).map { networks[$0].contains(prefix) ? 0 : Int.max }
        for length in 0..<count {
            for index in 0..<count where distance[index] == length {
                for other in neighbours(index) where distance[other] == Int.max { distance[other] = length + 1 }
            }
        }
        guard distance[speaker] != Int.max else { continue }
        let from = neighbours(speaker).first { distance[$0] == distance[speaker] - 1 }
        result[prefix] = (distance[speaker], from)
    }
    return result
}

/// Options that change how sessions come and go, but nothing of what they come to.
private func someOptions(_ random: inout SeededRandom) -> (Int, inout SpeakerConfiguration) -> Void {
    var session = SessionConfiguration()
    if random.below(2) == 0 {
        var restart = GracefulRestartConfiguration()
        restart.restartTime = .seconds(Int64(random.below(10)))
        restart.stalePathTime = .seconds(20)
        restart.coversNotifications = random.below(2) == 0
        if random.below(2) == 0 { restart.longLivedStaleTime = .seconds(Int64(1 + random.below(20))) }
        session.gracefulRestart = restart
    }
    session.capabilities.enhancedRouteRefresh = random.below(2) == 0
    session.capabilities.extendedMessages = random.below(2) == 0
    if random.below(4) == 0 { session.delayOpen = .seconds(2) }
    let chosen = session
    return { _, configuration in
        for peer in configuration.peers.indices { configuration.peers[peer].session = chosen }
    }
}

/// Compares Loc-RIBs and forwarding tables with the oracle.
private func check(_ net: Network, networks: [[IPPrefix]]) throws {
    try #require(net.faults.isEmpty)
    let sessions = net.edges.filter(\.isUp).map { ($0.left, $0.right) }
    for (edge, state) in net.edges.enumerated() {
        try #require(net.isEstablished(edge) == state.isUp, "edge \(edge)")
        try #require(net.openPipes(edge) == (state.isUp ? 1 : 0), "connections on edge \(edge)")
    }
    for speaker in net.speakers.indices {
        let expected = expectedRoutes(speaker, networks: networks, sessions: sessions, count: net.speakers.count)
        let routes = net.speakers[speaker].bestRoutes
        try #require(routes.map(\.prefix) == expected.keys.sorted())
        var table: [IPPrefix: IPAddress] = [:]
        for route in routes {
            let (length, from) = try #require(expected[route.prefix])
            try #require(route.attributes.path.length == length)
            let peer = route.peer.map { net.speakers[speaker].configuration.peers[$0].address }
            try #require(peer == from.map { .v4(Network.address($0)) }, "\(route.prefix) at \(speaker)")
            if let from { table[route.prefix] = .v4(Network.address(from)) }
        }
        try #require(net.forwarding[speaker] == table)
    }
}

@Suite struct NetworkTests {
    @Test func `two speakers exchange what they originate and lose it with the session`() throws {
        let networks: [[IPPrefix]] = [["10.1.0.0/24", "2001:db8:1::/48"], ["10.2.0.0/24", "2001:db8:2::/48"]]
        var net = Network(autonomousSystems: [65001, 65002], edges: [(0, 1)], networks: networks, seed: 1)
        net.start()
        net.run(for: .seconds(3))
        try check(net, networks: networks)
        net.setEdge(0, isUp: false)
        net.run(for: .seconds(6))
        #expect(net.forwarding[0].count == 2, "the hold timer has not expired yet")
        net.run(for: .seconds(4))
        #expect(net.forwarding == [[:], [:]])
        try check(net, networks: networks)
        net.setEdge(0, isUp: true)
        net.run(for: .seconds(10))
        try check(net, networks: networks)
    }

    @Test func `both ends calling at once come to one connection`() {
        forEachSeed(200) { random in
            var net = Network(
                autonomousSystems: random.below(2) == 0 ? [65001, 65002] : [65001, 65001], edges: [(0, 1)],
                networks: [["10.1.0.0/24"], ["10.2.0.0/24"]], seed: random.next())
            net.start()
            net.run(for: .seconds(15))
            try #require(net.isEstablished(0))
            try #require(net.openPipes(0) == 1)
            try #require(net.faults.isEmpty)
            try #require(net.forwarding.map(\.count) == [1, 1])
        }
    }

    @Test func `a mesh of five ASes takes the direct way, and the next best while it is cut`() throws {
        let networks = (0..<5).map { [network($0, 0), network($0, 1)] }
        var net = Network(
            autonomousSystems: [65001, 65002, 65003, 65004, 65005], edges: mesh(5), networks: networks, seed: 7)
        net.start()
        net.run(for: .seconds(15))
        try check(net, networks: networks)
        #expect(net.speakers.allSatisfy { $0.bestRoutes.allSatisfy { $0.attributes.path.length <= 1 } })
        net.setEdge(0, isUp: false)
        net.run(for: .seconds(15))
        try check(net, networks: networks)
        #expect(net.forwarding[0][network(1, 0)] == .v4(Network.address(2)))
    }

    @Test func `a mesh inside one AS tells every speaker what each originates`() throws {
        let networks = (0..<4).map { [network($0, 0)] }
        var net = Network(
            autonomousSystems: [65001, 65001, 65001, 65001], edges: mesh(4), networks: networks, seed: 3)
        net.start()
        net.run(for: .seconds(15))
        for speaker in 0..<4 {
            var table: [IPPrefix: IPAddress] = [:]
            for other in 0..<4 where other != speaker { table[network(other, 0)] = .v4(Network.address(other)) }
            #expect(net.forwarding[speaker] == table)
        }
        net.setEdge(0, isUp: false)
        net.run(for: .seconds(15))
        #expect(net.forwarding[0][network(1, 0)] == nil, "what one inner peer says is not passed to another")
        #expect(net.forwarding[0].count == 2)
        #expect(net.faults.isEmpty)
    }

    @Test func `three speakers agree with the oracle through every kind of trouble`() {
        forEachSeed(40) { random in
            let count = 3 + Int(random.below(3))
            var edges = mesh(count)
            while edges.count > count, random.below(2) == 0 { edges.remove(at: Int(random.below(UInt64(edges.count)))) }
            var networks = (0..<count).map { index in
                (0..<Int(random.below(4))).map { network(index, $0) } + (random.below(3) == 0 ? ["10.99.0.0/24"] : [])
            }
            var net = Network(
                autonomousSystems: (0..<count).map { UInt32(65001 + $0) + (random.below(2) == 0 ? 70000 : 0) },
                edges: edges, networks: networks, seed: random.next(), configure: someOptions(&random))
            net.start()
            for _ in 0..<8 {
                let edge = Int(random.below(UInt64(edges.count)))
                switch random.below(5) {
                case 0: net.setEdge(edge, isUp: false)
                case 1: net.setEdge(edge, isUp: true)
                case 2: net.resetConnections(edge)
                case 3:
                    let speaker = Int(random.below(UInt64(count)))
                    net.command(speaker) { $0.reset(peer: 0, at: $1, into: &$2) }
                default:
                    let speaker = Int(random.below(UInt64(count)))
                    let prefix = network(speaker, 9)
                    if let place = networks[speaker].firstIndex(of: prefix) {
                        networks[speaker].remove(at: place)
                        net.command(speaker) { $0.withdraw(prefix, at: $1, into: &$2) }
                    } else {
                        networks[speaker].append(prefix)
                        net.command(speaker) { $0.announce(prefix, at: $1, into: &$2) }
                    }
                }
                net.run(for: .milliseconds(Int64(random.below(20_000))))
            }
            net.run(for: .seconds(60))
            try check(net, networks: networks)
        }
    }

    @Test func `the same seed gives the same octets at the same instants`() {
        func run(_ seed: UInt64) -> [UInt8] {
            let networks = (0..<4).map { [network($0, 0), network($0, 1)] }
            var net = Network(
                autonomousSystems: [65001, 65002, 65003, 65004], edges: mesh(4), networks: networks, seed: seed)
            net.start()
            net.run(for: .seconds(20))
            net.resetConnections(2)
            net.run(for: .seconds(40))
            return net.trace
        }
        let first = run(5)
        #expect(first.count > 5_000)
        #expect(first == run(5))
        #expect(first != run(6))
    }
}
