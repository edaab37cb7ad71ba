import BGP
import Basics
import Testing
import Wire

/// The capabilities of the OPEN that a speaker sends.
private func offered(_ configure: (inout SpeakerConfiguration) -> Void) -> [Capability] {
    let bench = Bench(configure: configure)
    bench.start()
    bench.connect()
    return bench.takeMessages().first.flatMap { try? decodeOpen($0.body).get().capabilities } ?? []
}

private let base: [Capability] = [
    .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh, .fourOctetAS(65002),
]

@Suite struct NegotiationTests {
    @Test func `nothing is offered that was not asked for`() {
        #expect(
            offered { _ in } == [
                .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh, .fourOctetAS(65001),
            ])
    }

    @Test func `everything that is asked for is offered, in order of its number`() {
        let capabilities = offered { configuration in
            configuration.peers[0].families = .ipv4Unicast
            var session = SessionConfiguration()
            session.capabilities.enhancedRouteRefresh = true
            session.capabilities.extendedMessages = true
            session.capabilities.extendedNextHop = true
            session.capabilities.numberedFamiliesHeard = .ipv4Unicast
            session.role = .customer
            var restart = GracefulRestartConfiguration()
            restart.restartTime = .seconds(99)
            restart.longLivedStaleTime = .seconds(3600)
            session.gracefulRestart = restart
            configuration.peers[0].session = session
        }
        let ipv4 = FamilyIdentifiers(.ipv4Unicast)
        #expect(
            capabilities == [
                .multiprotocol(.ipv4Unicast), .routeRefresh,
                .extendedNextHop([ExtendedNextHop(ipv4, nextHopIdentifier: 2)]), .extendedMessages, .role(3),
                .gracefulRestart(
                    GracefulRestartOffer(
                        isRestarting: false, coversNotifications: true, restartTime: 99,
                        families: [.init(ipv4, isForwardingKept: true)])),
                .fourOctetAS(65001), .additionalPaths([AdditionalPathsOffer(ipv4, canReceive: true, canSend: false)]),
                .enhancedRouteRefresh,
                .longLivedGracefulRestart([LongLivedOffer(ipv4, isForwardingKept: false, staleTime: 3600)]),
            ])
        #expect(capabilities.map(\.code) == capabilities.map(\.code).sorted())
    }

    @Test func `messages are longer only where both ends say so`() {
        let long = message(2, updateBody(withdrawn: Array(repeating: [24, 10, 1, 1], count: 2000).flatMap { $0 }))
        for (isOwn, isPeers) in [(true, true), (true, false), (false, true)] {
            let bench = Bench { $0.peers[0].session.capabilities.extendedMessages = isOwn }
            bench.establish(Bench.open(capabilities: base + (isPeers ? [.extendedMessages] : [])))
            _ = bench.takeMessages()
            bench.send(long)
            #expect(bench.takeNotification() == (isOwn && isPeers ? nil : [1, 2]))
        }
    }

    @Test func `what is told fits the longer messages`() {
        let networks = (0..<3000).map { IPPrefix(.v4(IPv4Address(bits: 0x0A00_0000 | UInt32($0) << 8)), length: 24) }
        let bench = Bench(networks: networks) { $0.peers[0].session.capabilities.extendedMessages = true }
        bench.establish(Bench.open(capabilities: base + [.extendedMessages]))
        #expect(bench.takeMessages().filter { $0.type == 2 }.map { $0.body.count > 12000 } == [true])
    }

    @Test func `a peer in the wrong AS is refused, one in the allowed range is taken at its word`() {
        for (number, answer) in [(UInt32(64999), [2, 2] as [UInt8]?), (65010, nil), (65001, nil)] {
            let bench = Bench { $0.peers[0].session.allowedAutonomousSystems = [65001...65001, 65010...65019] }
            bench.start()
            bench.connect()
            bench.send(Bench.open(autonomousSystem: number) + keepalive)
            #expect(bench.takeNotification() == answer)
            guard answer == nil else { continue }
            #expect(bench.speaker.configuration(of: 0).autonomousSystem == number)
            bench.send(announcement(["198.51.100.0/24"], path: number == 65001 ? ASPath() : ASPath(number)))
            #expect(bench.speaker.bestRoutes.count == 1)
        }
    }

    @Test(arguments: [(UInt16(0), true), (3, false), (19, false), (20, true)])
    func `a hold time below the bearable is refused`(_ offered: UInt16, isTaken: Bool) {
        let bench = Bench { $0.peers[0].session.minimumHoldTime = .seconds(20) }
        bench.establish(Bench.open(holdTime: offered))
        #expect((bench.state == .established) == isTaken)
        #expect(bench.takeNotification() == (isTaken ? nil : [2, 6]))
    }

    @Test func `no hold time may be refused as well, and a session has its own`() {
        let strict = Bench { $0.peers[0].session.allowsNoHoldTime = false }
        strict.establish(Bench.open(holdTime: 0))
        #expect(strict.takeNotification() == [2, 6])
        let own = Bench { $0.peers[0].session.holdTime = .seconds(12) }
        own.establish()
        #expect(own.speaker.status(of: 0).holdTime == .seconds(12))
    }

    @Test func `a capability that the peer refuses is left out the next time`() {
        let bench = Bench { configuration in
            configuration.peers[0].session.capabilities.extendedMessages = true
            configuration.peers[0].session.capabilities.enhancedRouteRefresh = true
        }
        bench.start()
        bench.connect()
        _ = bench.takeMessages()
        bench.send(message(3, [2, 7, 6, 0, 1, 4, 0, 1, 0, 1]))
        bench.advance(by: .seconds(2))
        bench.connect(2)
        let second = bench.takeMessages(on: 2).first.flatMap { try? decodeOpen($0.body).get() }
        #expect(second?.capabilities.map(\.code) == [1, 1, 2, 65, 70])
        bench.send(message(3, [2, 4]), on: 2)
        bench.advance(by: .seconds(5))
        bench.connect(3)
        let third = bench.takeMessages(on: 3).first.flatMap { try? decodeOpen($0.body).get() }
        #expect(third?.capabilities == [])
    }

    @Test func `what was agreed upon can be asked for`() throws {
        let bench = Bench { configuration in
            var session = SessionConfiguration()
            session.capabilities.numberedFamiliesHeard = [.ipv4Unicast, .ipv6Unicast]
            session.capabilities.numberedFamiliesTold = .ipv6Unicast
            session.capabilities.extendedNextHop = true
            session.gracefulRestart = GracefulRestartConfiguration()
            configuration.peers[0].session = session
        }
        bench.start()
        #expect(bench.speaker.agreement(with: 0) == nil)
        bench.connect()
        let (ipv4, ipv6) = (FamilyIdentifiers(.ipv4Unicast), FamilyIdentifiers(.ipv6Unicast))
        let restart = GracefulRestartOffer(
            isRestarting: false, coversNotifications: true, restartTime: 33,
            families: [.init(ipv4, isForwardingKept: true)])
        let more: [Capability] = [
            .extendedNextHop([ExtendedNextHop(ipv4, nextHopIdentifier: 2)]), .extendedMessages, .enhancedRouteRefresh,
            .additionalPaths([
                AdditionalPathsOffer(ipv4, canReceive: true, canSend: true),
                AdditionalPathsOffer(ipv6, canReceive: true, canSend: false),
            ]), .gracefulRestart(restart),
        ]
        bench.send(Bench.open(holdTime: 30, capabilities: base + more) + keepalive)
        let agreement = try #require(bench.speaker.agreement(with: 0))
        #expect(agreement.holdTime == .seconds(30) && agreement.maximumLength == 4096)
        #expect(agreement.hasExtendedNextHop && agreement.hasRouteRefresh && !agreement.hasEnhancedRefresh)
        #expect(agreement.numberedFamiliesHeard == .ipv4Unicast && agreement.numberedFamiliesTold == .ipv6Unicast)
        #expect(agreement.restartTime == .seconds(33) && agreement.coversNotifications)
        bench.send(
            encoded { UpdateEncoder(isFourOctet: true).endOfRIB(.ipv4Unicast, to: &$0) })
        #expect(bench.speaker.completeFamilies(of: 0) == .ipv4Unicast)
        bench.close()
        #expect(bench.speaker.staleFamilies(of: 0) == .ipv4Unicast)
    }

    @Test func `a speaker that hides its four octets is an old one`() throws {
        let bench = Bench(networks: ["10.1.0.0/16"]) { $0.peers[0].session.capabilities.fourOctetAS = false }
        bench.establish()
        #expect(!bench.speaker.status(of: 0).isFourOctet)
        let update = try #require(bench.takeMessages().first { $0.type == 2 })
        #expect(hexadecimal(update.body).contains("4002040201fde9"))
    }

    @Test func `GTSM sends with the greatest TTL and takes no less than the hops leave of it`() {
        var transport = TransportConfiguration()
        transport.timeToLive = 2
        #expect(transport.sentTimeToLive == 2 && transport.minimumTimeToLive == nil)
        transport.securedHops = 1
        #expect(transport.sentTimeToLive == 255 && transport.minimumTimeToLive == 255)
        transport.securedHops = 3
        #expect(transport.minimumTimeToLive == 253)
    }
}

@Suite struct RoleTests {
    private static let fitting: [(PeerRole, UInt8)] = [
        (.provider, 3), (.customer, 0), (.peer, 4), (.routeServer, 2), (.routeServerClient, 1),
    ]

    @Test func `only the counterpart of the own role fits`() {
        for (own, right) in Self.fitting {
            for other in UInt8(0)...6 {
                let bench = Bench { $0.peers[0].session.role = own }
                bench.establish(Bench.open(capabilities: base + [.role(other)]))
                #expect(bench.takeNotification() == (other == right ? nil : [2, 11]), "\(own), \(other)")
            }
        }
    }

    @Test func `a peer without a role is refused only by one that insists, and two roles are too many`() {
        for (isStrict, roles, answer) in [
            (false, [], nil), (true, [], [2, 11]), (false, [.role(3), .role(3)], nil),
            (false, [.role(3), .role(4)], [2, 11]),
        ] as [(Bool, [Capability], [UInt8]?)] {
            let bench = Bench { configuration in
                configuration.peers[0].session.role = .provider
                configuration.peers[0].session.requiresRole = isStrict
            }
            bench.establish(Bench.open(capabilities: base + roles))
            #expect(bench.takeNotification() == answer)
        }
    }

    private static let marks: [(own: PeerRole, heard: UInt32?, kept: UInt32?, isUsed: Bool)] = [
        (.provider, 65002, nil, false), (.provider, nil, nil, true), (.customer, nil, 65002, true),
        (.customer, 65009, 65009, true), (.peer, nil, 65002, true), (.peer, 65002, 65002, true),
        (.peer, 65009, 65009, false), (.routeServer, 65009, 65009, false), (.routeServerClient, nil, 65002, true),
    ]

    /// RFC 9234 §5: what a route from a peer is worth, and what it is marked with.
    @Test(arguments: marks)
    func `a route that leaks is not used`(_ own: PeerRole, heard: UInt32?, kept: UInt32?, isUsed: Bool) {
        let bench = Bench { $0.peers[0].session.role = own }
        bench.establish()
        bench.send(announcement(["198.51.100.0/24"]) { $0.onlyToCustomer = heard })
        let routes = bench.speaker.bestRoutes
        #expect(routes.count == (isUsed ? 1 : 0))
        #expect(bench.speaker.receivedRoutes(from: 0).count == 1)
        if isUsed { #expect(routes.first?.attributes.onlyToCustomer == kept) }
    }

    @Test func `a route that came from above goes down alone`() {
        for own in PeerRole.allCases {
            var second = PeerConfiguration(address: "192.0.2.3", autonomousSystem: 65003, localAddress: "192.0.2.1")
            second.session.role = .customer
            let provider = second
            let bench = Bench(networks: ["10.1.0.0/16"]) { configuration in
                configuration.peers[0].session.role = own
                configuration.peers.append(provider)
            }
            bench.establish()
            bench.speaker.connected(
                peer: 1, connection: ConnectionID(9), isIncoming: true, at: bench.now, into: &bench.outbox)
            bench.collect()
            bench.send(
                Bench.open(autonomousSystem: 65003, identifier: IPv4Address(10, 0, 0, 3)) + keepalive
                    + announcement(["203.0.113.0/24"], path: ASPath(65003), nextHop: "192.0.2.3"), on: 9)
            let told = bench.speaker.advertisedRoutes(to: 0)
            let goesDown = own == .provider || own == .routeServer
            #expect(told.map(\.prefix) == ["10.1.0.0/16"] + (goesDown ? ["203.0.113.0/24"] : []), "\(own)")
            let isMarked = goesDown || own == .peer
            #expect(told.first?.attributes.onlyToCustomer == (isMarked ? 65001 : nil))
            if goesDown { #expect(told.last?.attributes.onlyToCustomer == 65003) }
        }
    }
}
