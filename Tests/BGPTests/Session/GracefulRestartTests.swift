import BGP
import Basics
import Testing
import Wire

/// A speaker whose peer may restart, and the peer by the test's hand.
private struct Restart {
    let bench: Bench
    private(set) var connection: UInt32 = 1
    var offer: GracefulRestartOffer
    var longLived: [LongLivedOffer] = []

    init(
        coversNotifications: Bool = false, restartTime: UInt16 = 60, networks: [IPPrefix] = [],
        configure: (inout GracefulRestartConfiguration) -> Void = { _ in }
    ) {
        var own = GracefulRestartConfiguration()
        configure(&own)
        let chosen = own
        bench = Bench(networks: networks) { $0.peers[0].session.gracefulRestart = chosen }
        offer = GracefulRestartOffer(
            isRestarting: false, coversNotifications: coversNotifications, restartTime: restartTime,
            families: [AddressFamily.ipv4Unicast, .ipv6Unicast].map {
                .init(FamilyIdentifiers($0), isForwardingKept: true)
            })
    }

    var open: [UInt8] {
        var capabilities: [Capability] = [
            .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh, .gracefulRestart(offer),
            .fourOctetAS(65002),
        ]
        if !longLived.isEmpty { capabilities.append(.longLivedGracefulRestart(longLived)) }
        return Bench.open(capabilities: capabilities)
    }

    /// Brings the session up and tells two routes of each family.
    mutating func begin() {
        bench.establish(open)
        tell(["198.51.100.0/24", "203.0.113.0/24"], "192.0.2.2")
        tell(["2001:db8:1::/48", "2001:db8:2::/48"], "2001:db8::2")
        _ = bench.takeActions()
        _ = bench.takeMessages()
    }

    func tell(_ prefixes: [IPPrefix], _ nextHop: IPAddress, communities: [Community] = []) {
        bench.send(
            announcement(prefixes, nextHop: nextHop) { $0.communities = communities }, on: connection)
    }

    /// The peer calls again.
    mutating func comeBack() {
        connection += 1
        bench.advance(by: .seconds(2))
        bench.connect(connection, isIncoming: true)
        bench.send(open + keepalive, on: connection)
    }

    func endOfRIB(_ family: AddressFamily) {
        bench.send(encoded { UpdateEncoder(isFourOctet: true).endOfRIB(family, to: &$0) }, on: connection)
    }

    var routes: [String] { bench.speaker.bestRoutes.map { "\($0.prefix)" } }
}

private let all = ["198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48", "2001:db8:2::/48"]

@Suite struct GracefulRestartTests {
    @Test func `the end of each family is told once everything has been`() {
        var restart = Restart(networks: ["10.1.0.0/16", "2001:db8:9::/48"])
        restart.bench.establish(restart.open)
        let told = restart.bench.takeMessages().filter { $0.type == 2 }.compactMap {
            try? decodeUpdate($0.body, UpdateContext(isInternal: false)).get()
        }
        #expect(told.map(\.endOfRIB) == [nil, nil, .ipv4Unicast, .ipv6Unicast])
        restart.bench.send(message(5, [0, 1, 0, 1]))
        #expect(restart.bench.takeMessages().count == 1, "and not again")
        restart.offer.families = []
    }

    @Test func `routes outlive a connection that is lost, and what is told again stays`() {
        var restart = Restart()
        restart.begin()
        restart.bench.close()
        #expect(restart.routes == all)
        #expect(restart.bench.takeActions() == [.sessionChanged(peer: 0, .idle)], "forwarding is left alone")
        restart.comeBack()
        restart.tell(["198.51.100.0/24"], "192.0.2.2")
        #expect(restart.routes == all)
        restart.endOfRIB(.ipv4Unicast)
        #expect(restart.routes == ["198.51.100.0/24"] + all.suffix(2))
        restart.endOfRIB(.ipv6Unicast)
        #expect(restart.routes == ["198.51.100.0/24"])
        restart.bench.advance(by: .seconds(80))
        #expect(restart.routes == ["198.51.100.0/24"])
    }

    @Test func `a peer that stays away loses them with its restart time`() {
        var restart = Restart(restartTime: 60)
        restart.begin()
        restart.bench.close()
        restart.bench.advance(by: .milliseconds(59_999))
        #expect(restart.routes == all)
        restart.bench.advance(by: .milliseconds(1))
        #expect(restart.routes.isEmpty)
        #expect(restart.bench.speaker.attributeSetCount == 0)
    }

    @Test func `a peer that is back but says nothing loses them as well`() {
        var restart = Restart { $0.stalePathTime = .seconds(30) }
        restart.offer.coversNotifications = false
        restart.begin()
        restart.bench.close()
        restart.comeBack()
        restart.bench.advance(by: .seconds(29))
        #expect(restart.routes == all)
        restart.bench.advance(by: .seconds(1))
        #expect(restart.routes.isEmpty)
    }

    @Test func `a family that the peer did not keep is gone when it is back`() {
        var restart = Restart()
        restart.begin()
        restart.bench.close()
        restart.offer.families[0].isForwardingKept = false
        restart.comeBack()
        #expect(restart.routes == Array(all.suffix(2)))
        restart.bench.close(2)
        restart.offer.families = []
        restart.comeBack()
        #expect(restart.routes.isEmpty)
    }

    @Test func `what was not told again since the last restart does not outlive the next`() {
        var restart = Restart()
        restart.begin()
        restart.bench.close()
        restart.comeBack()
        restart.tell(["198.51.100.0/24"], "192.0.2.2")
        restart.bench.close(2)
        #expect(restart.routes == ["198.51.100.0/24"])
    }

    @Test(arguments: [
        (false, [6, 4] as [UInt8], false), (true, [6, 4], true), (true, [3, 1], true), (true, [6, 9, 6, 2], false),
    ])
    func `a NOTIFICATION is a restart only between two that say so, and a hard reset never`(
        _ isCovered: Bool, body: [UInt8], isKept: Bool
    ) {
        var restart = Restart(coversNotifications: isCovered)
        restart.begin()
        restart.bench.send(message(3, body))
        #expect(restart.routes == (isKept ? all : []))
    }

    @Test func `silence is a restart between two that say so`() {
        for isCovered in [false, true] {
            var restart = Restart(coversNotifications: isCovered)
            restart.begin()
            restart.bench.advance(to: .zero + .seconds(90))
            #expect(restart.bench.state == .idle)
            #expect(restart.routes == (isCovered ? all : []))
        }
    }

    @Test func `a shutdown here is a hard reset, and nothing is kept`() {
        var restart = Restart(coversNotifications: true)
        restart.begin()
        restart.bench.speaker.shutDown(peer: 0, text: "x", at: restart.bench.now, into: &restart.bench.outbox)
        restart.bench.collect()
        #expect(restart.bench.takeMessages().last?.body == [6, 9, 6, 2, 1, 0x78])
        #expect(restart.routes.isEmpty)
    }

    @Test func `a peer that calls again has restarted, whatever the old connection says`() {
        var restart = Restart()
        restart.begin()
        restart.bench.connect(2, isIncoming: true)
        #expect(restart.bench.takeActions().first == .abort(ConnectionID(1)))
        #expect(restart.bench.state == .openSent)
        #expect(restart.routes == all)
        restart.bench.send(restart.open + keepalive, on: 2)
        #expect(restart.bench.state == .established)
    }

    @Test func `BFD that is independent of the peer's control plane leaves nothing standing`() {
        for isIndependent in [false, true] {
            let bench = Bench { configuration in
                configuration.peers[0].session.followsBFD = true
                configuration.peers[0].session.gracefulRestart = GracefulRestartConfiguration()
            }
            bench.establish(Restart().open)
            bench.send(announcement(["198.51.100.0/24"]))
            bench.speaker.forwardingChanged(
                peer: 0, isUp: false, isIndependent: isIndependent, at: bench.now, into: &bench.outbox)
            bench.collect()
            #expect(bench.speaker.bestRoutes.count == (isIndependent ? 0 : 1))
        }
    }

    @Test func `a speaker that restarts decides nothing until its peers have said everything`() {
        let bench = Bench(networks: ["10.1.0.0/16"]) { configuration in
            configuration.peers[0].session.gracefulRestart = GracefulRestartConfiguration()
            configuration.selectionDeferral = .seconds(40)
        }
        bench.speaker.start(isRestarting: true, at: bench.now, into: &bench.outbox)
        bench.collect()
        bench.connect()
        let open = bench.takeMessages().first.flatMap { try? decodeOpen($0.body).get() }
        #expect(open?.gracefulRestart?.isRestarting == true)
        bench.send(Restart().open + keepalive + announcement(["198.51.100.0/24"]))
        #expect(bench.takeMessages().map(\.type) == [4])
        #expect(bench.speaker.bestRoutes.isEmpty)
        for family in AddressFamily.allCases {
            bench.send(encoded { UpdateEncoder(isFourOctet: true).endOfRIB(family, to: &$0) })
        }
        #expect(bench.speaker.bestRoutes.count == 2)
        #expect(bench.takeMessages().map(\.type) == [2, 2, 2])
    }

    @Test func `nor for longer than the deferral`() {
        let bench = Bench(networks: ["10.1.0.0/16"]) { configuration in
            configuration.peers[0].session.gracefulRestart = GracefulRestartConfiguration()
            configuration.selectionDeferral = .seconds(40)
        }
        bench.speaker.start(isRestarting: true, at: bench.now, into: &bench.outbox)
        bench.collect()
        bench.advance(to: .zero + .milliseconds(39_999))
        #expect(bench.speaker.bestRoutes.isEmpty)
        bench.advance(to: .zero + .seconds(40))
        #expect(bench.speaker.bestRoutes.count == 1)
    }
}

@Suite struct LongLivedTests {
    private func lost(_ staleTime: UInt32, communities: [Community] = []) -> Restart {
        var restart = Restart(restartTime: 10) { $0.longLivedStaleTime = .seconds(1000) }
        restart.longLived = [
            LongLivedOffer(FamilyIdentifiers(.ipv4Unicast), isForwardingKept: true, staleTime: staleTime)
        ]
        restart.begin()
        restart.tell(["198.51.100.0/24"], "192.0.2.2", communities: communities)
        restart.bench.close()
        restart.bench.advance(by: .seconds(10))
        return restart
    }

    @Test func `beyond the restart time routes stay for as long as both ends allow, with a mark`() {
        for (offered, limit) in [(UInt32(500), Int64(500)), (5000, 1000)] {
            let restart = lost(offered)
            #expect(restart.routes == Array(all.prefix(2)), "the other family was not offered")
            let communities = restart.bench.speaker.bestRoutes.map(\.attributes.communities)
            #expect(communities == [[.longLivedStale], [.longLivedStale]])
            restart.bench.advance(by: .seconds(limit - 1))
            #expect(restart.routes.count == 2)
            restart.bench.advance(by: .seconds(1))
            #expect(restart.routes.isEmpty)
        }
    }

    @Test func `a route that must not stay does not`() {
        #expect(lost(500, communities: [.noLongLived]).routes == ["203.0.113.0/24"])
    }

    @Test func `any other route is better`() {
        var second = PeerConfiguration(address: "192.0.2.3", autonomousSystem: 65003, localAddress: "192.0.2.1")
        second.isPassive = true
        let other = second
        var own = GracefulRestartConfiguration()
        own.longLivedStaleTime = .seconds(100)
        let chosen = own
        let bench = Bench { configuration in
            configuration.peers[0].session.gracefulRestart = chosen
            configuration.peers.append(other)
        }
        var restart = Restart(restartTime: 10)
        restart.longLived = [LongLivedOffer(FamilyIdentifiers(.ipv4Unicast), isForwardingKept: true, staleTime: 100)]
        bench.establish(restart.open)
        bench.speaker.connected(
            peer: 1, connection: ConnectionID(9), isIncoming: true, at: bench.now, into: &bench.outbox)
        bench.collect()
        bench.send(Bench.open(autonomousSystem: 65003, identifier: IPv4Address(10, 0, 0, 3)) + keepalive, on: 9)
        bench.send(announcement(["198.51.100.0/24", "203.0.113.0/24"]))
        bench.send(
            announcement(["198.51.100.0/24"], path: ASPath(65003, 1, 2, 3), nextHop: "192.0.2.3"), on: 9)
        #expect(bench.speaker.bestRoute(to: "198.51.100.0/24")?.peer == 0)
        #expect(bench.speaker.advertisedRoutes(to: 1).count == 2)
        bench.close()
        bench.advance(by: .seconds(10))
        #expect(bench.speaker.bestRoute(to: "198.51.100.0/24")?.peer == 1)
        #expect(bench.speaker.advertisedRoutes(to: 1).isEmpty, "a peer that could not tell gets no stale route")
    }
}

@Suite struct EnhancedRefreshTests {
    private func bench(networks: [IPPrefix] = []) -> Bench {
        let bench = Bench(networks: networks) { $0.peers[0].session.capabilities.enhancedRouteRefresh = true }
        bench.establish(
            Bench.open(capabilities: [
                .multiprotocol(.ipv4Unicast), .routeRefresh, .fourOctetAS(65002), .enhancedRouteRefresh,
            ]))
        _ = bench.takeMessages()
        return bench
    }

    private func mark(_ kind: UInt8) -> [UInt8] { message(5, [0, 1, kind, 1]) }

    @Test func `an answer stands between two marks`() {
        let bench = bench(networks: ["10.1.0.0/16"])
        bench.send(mark(0))
        let told = bench.takeMessages()
        #expect(told.map(\.type) == [5, 2, 5])
        #expect(told.first?.body == [0, 1, 1, 1] && told.last?.body == [0, 1, 2, 1])
    }

    @Test func `what is not told again between the marks is gone`() {
        let bench = bench()
        bench.send(announcement(["198.51.100.0/24", "203.0.113.0/24"]))
        bench.send(mark(1) + announcement(["203.0.113.0/24"]))
        #expect(bench.speaker.bestRoutes.count == 2)
        bench.send(mark(2))
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["203.0.113.0/24"])
        bench.send(mark(2))
        #expect(bench.speaker.bestRoutes.count == 1)
    }

    @Test func `an answer that never ends is ended`() {
        let bench = Bench { $0.peers[0].session.capabilities.enhancedRouteRefresh = true }
        bench.establish(
            Bench.open(holdTime: 0, capabilities: [.routeRefresh, .fourOctetAS(65002), .enhancedRouteRefresh]))
        bench.send(announcement(["198.51.100.0/24"]) + mark(1))
        bench.advance(by: .seconds(359))
        #expect(bench.speaker.bestRoutes.count == 1)
        bench.advance(by: .seconds(1))
        #expect(bench.speaker.bestRoutes.isEmpty)
    }

    @Test func `a mark of a wrong length has an error of its own, anything else is ignored`() {
        let long = bench()
        long.send(message(5, [0, 1, 1, 1, 0]))
        #expect(long.takeMessages().last?.body == [7, 1] + message(5, [0, 1, 1, 1, 0]))
        let request = bench()
        request.send(message(5, [0, 1, 0, 1, 0]))
        #expect(request.takeNotification() == [1, 2])
        let unknown = bench(networks: ["10.1.0.0/16"])
        unknown.send(mark(9))
        #expect(unknown.takeMessages().isEmpty && unknown.state == .established)
    }

    @Test func `without the agreement every mark is a request`() {
        let bench = Bench(networks: ["10.1.0.0/16"])
        bench.establish()
        _ = bench.takeMessages()
        bench.send(mark(1))
        #expect(bench.takeMessages().map(\.type) == [2])
    }
}
