import BGP
import Basics
import Testing
import Wire

/// The speaker's call on an established session's connection, by the test's hand.
extension Bench {
    fileprivate func call(_ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        body(&speaker, now, &outbox)
        collect()
    }
}

@Suite struct DelayOpenTests {
    private func delaying(_ configure: (inout SpeakerConfiguration) -> Void = { _ in }) -> Bench {
        let bench = Bench { configuration in
            configuration.peers[0].session.delayOpen = .seconds(20)
            configure(&configuration)
        }
        bench.start()
        bench.connect()
        return bench
    }

    @Test func `the own OPEN waits for the delay`() {
        let bench = delaying()
        #expect(bench.state == .connect)
        #expect(bench.takeMessages().isEmpty)
        bench.advance(to: .zero + .milliseconds(14_999))
        #expect(bench.takeMessages().isEmpty)
        bench.advance(to: .zero + .seconds(20))
        #expect(bench.takeMessages().map(\.type) == [1])
        #expect(bench.state == .openSent)
    }

    @Test func `the peer's OPEN ends the wait`() {
        let bench = delaying()
        bench.send(Bench.open())
        #expect(bench.takeMessages().map(\.type) == [1, 4])
        #expect(bench.state == .openConfirm)
        bench.send(keepalive)
        #expect(bench.state == .established)
        bench.advance(by: .seconds(25))
        #expect(!bench.takeMessages().contains { $0.type == 1 })
    }

    @Test func `a peer that is waited for is in Active`() {
        let bench = Bench { configuration in
            configuration.peers[0].isPassive = true
            configuration.peers[0].session.delayOpen = .seconds(20)
        }
        bench.start()
        bench.connect(isIncoming: true)
        #expect(bench.state == .active)
    }

    @Test func `a fault before the own OPEN is told only where that was asked for`() {
        for isAsked in [false, true] {
            for stream in [keepalive, message(9), Bench.open(holdTime: 1)] {
                let bench = delaying { $0.peers[0].session.notifiesWithoutOpen = isAsked }
                bench.send(stream)
                #expect(bench.takeActions().contains(.close(ConnectionID(1))))
                #expect((bench.takeNotification() != nil) == isAsked)
                #expect(bench.state == .idle)
            }
        }
    }

    @Test func `a connection lost meanwhile is waited for again`() {
        let bench = delaying()
        bench.close()
        #expect(bench.state == .active)
    }
}

@Suite struct SendHoldTests {
    private func blocked(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Bench {
        let bench = Bench { configuration in
            configure(&configuration.peers[0].session)
        }
        bench.establish(Bench.open(holdTime: 90))
        bench.call { $0.sendingBlocked(ConnectionID(1), true, at: $1, into: &$2) }
        _ = bench.takeActions()
        return bench
    }

    private func wait(_ bench: Bench, _ seconds: Int64) {
        for _ in 0..<seconds {
            bench.send(keepalive)
            bench.advance(by: .seconds(1))
        }
    }

    @Test func `a peer that takes nothing for eight minutes is dropped without a word`() {
        let bench = blocked()
        wait(bench, 479)
        #expect(bench.state == .established)
        _ = bench.takeMessages()
        wait(bench, 1)
        #expect(bench.takeActions().prefix(2) == [.abort(ConnectionID(1)), .sessionChanged(peer: 0, .idle)])
        #expect(bench.takeMessages().isEmpty)
        #expect(bench.speaker.status(of: 0).counters.stalls == 1)
    }

    @Test func `what goes through starts the wait anew`() {
        let bench = blocked { $0.sendHoldTime = .seconds(60) }
        wait(bench, 59)
        bench.call { $0.sendingBlocked(ConnectionID(1), true, at: $1, into: &$2) }
        #expect(bench.state == .established)
        bench.call { $0.sendingBlocked(ConnectionID(1), false, at: $1, into: &$2) }
        wait(bench, 100)
        #expect(bench.state == .established)
    }

    @Test func `a wait of zero is for ever`() {
        let bench = blocked { $0.sendHoldTime = .zero }
        wait(bench, 1000)
        #expect(bench.state == .established)
    }
}

@Suite struct OperationTests {
    @Test func `one peer is shut down with a text and started again`() {
        let bench = Bench()
        bench.establish()
        _ = bench.takeMessages()
        bench.call { $0.shutDown(peer: 0, text: "maintenance", at: $1, into: &$2) }
        let notification = bench.takeMessages().last
        #expect(notification?.body == [6, 2, 11] + Array("maintenance".utf8))
        bench.advance(by: .seconds(1000))
        #expect(bench.state == .idle)
        bench.call { $0.start(peer: 0, at: $1, into: &$2) }
        #expect(bench.state == .connect)
    }

    @Test func `what the peer's operator says can be read`() {
        let bench = Bench()
        bench.establish()
        bench.send(message(3, [6, 2, 2, 0x68, 0x69]))
        #expect(bench.speaker.status(of: 0).counters.lastNotificationReceived?.shutdownText == "hi")
    }

    @Test func `draining marks everything that is told, and can be taken back`() {
        let bench = Bench(networks: ["10.1.0.0/16"])
        bench.establish()
        let plain = bench.takeMessages().last?.body
        bench.call { $0.drain(peer: 0, at: $1, into: &$2) }
        #expect(bench.speaker.advertisedRoutes(to: 0).first?.attributes.communities == [.gracefulShutdown])
        #expect(bench.takeMessages().count == 1)
        bench.call { $0.drain(peer: 0, false, at: $1, into: &$2) }
        #expect(bench.takeMessages().map(\.body) == [plain])
    }

    @Test func `a route that is about to go is the last choice`() {
        for (peerAS, honors, preference) in [(UInt32(65002), true, UInt32(0)), (65002, false, nil), (65001, true, 100)]
            as [(UInt32, Bool, UInt32?)]
        {
            let bench = Bench(peerAS: peerAS) { $0.peers[0].session.honorsGracefulShutdown = honors }
            bench.establish(Bench.open(autonomousSystem: peerAS))
            bench.send(
                announcement(["198.51.100.0/24"], path: peerAS == 65001 ? ASPath() : ASPath(peerAS)) { attributes in
                    attributes.communities = [.gracefulShutdown]
                    if peerAS == 65001 { attributes.localPreference = 100 }
                })
            #expect(bench.speaker.bestRoutes.first?.attributes.localPreference == preference)
        }
    }

    @Test func `BFD ends the session at once, and the peer is told`() {
        let bench = Bench { $0.peers[0].session.followsBFD = true }
        bench.establish()
        bench.call { $0.forwardingChanged(peer: 0, isUp: true, at: $1, into: &$2) }
        #expect(bench.state == .established)
        bench.call { $0.forwardingChanged(peer: 0, isUp: false, at: $1, into: &$2) }
        #expect(bench.takeNotification() == [6, 10])
        #expect(bench.state == .idle)
        bench.advance(by: .seconds(1))
        #expect(bench.state == .connect, "a session that only follows does not wait for BFD")
        let careless = Bench()
        careless.establish()
        careless.call { $0.forwardingChanged(peer: 0, isUp: false, at: $1, into: &$2) }
        #expect(careless.state == .established)
    }

    @Test func `a session that awaits BFD neither calls nor is called before`() {
        let bench = Bench { $0.peers[0].session.awaitsBFD = true }
        bench.start()
        bench.advance(by: .seconds(100))
        #expect(bench.takeActions().isEmpty)
        bench.connect(5, isIncoming: true)
        #expect(bench.takeNotification(on: 5) == [6, 5])
        bench.call { $0.forwardingChanged(peer: 0, isUp: true, at: $1, into: &$2) }
        #expect(bench.state == .connect)
        bench.call { $0.forwardingChanged(peer: 0, isUp: false, at: $1, into: &$2) }
        bench.advance(by: .seconds(100))
        #expect(bench.state == .idle)
    }
}

@Suite struct PrefixLimitTests {
    private func prefixes(_ range: Range<UInt32>) -> [IPPrefix] {
        range.map { IPPrefix(.v4(IPv4Address(bits: 0xC633_0000 | $0 << 8)), length: 24) }
    }

    private func limited(_ response: PrefixLimit.Response, _ families: AddressFamilies = .ipv4Unicast) -> Bench {
        let bench = Bench { configuration in
            configuration.peers[0].families = families
            configuration.peers[0].session.prefixLimit = PrefixLimit(maximum: 10, response: response)
        }
        bench.establish()
        _ = bench.takeMessages()
        return bench
    }

    @Test func `near the limit there is a warning, once for each time that it comes near`() {
        let bench = limited(.end)
        bench.send(announcement(prefixes(0..<7)))
        #expect(bench.speaker.status(of: 0).counters.prefixLimitWarnings == 0)
        bench.send(announcement(prefixes(0..<8)))
        bench.send(announcement(prefixes(8..<10)))
        #expect(bench.speaker.status(of: 0).counters.prefixLimitWarnings == 1)
        bench.send(withdrawal(prefixes(0..<5)))
        bench.send(announcement(prefixes(0..<5)))
        #expect(bench.speaker.status(of: 0).counters.prefixLimitWarnings == 2)
        #expect(bench.state == .established)
    }

    @Test func `beyond it the session ends until somebody starts it`() {
        let bench = limited(.end)
        bench.send(announcement(prefixes(0..<11)))
        #expect(bench.takeMessages().last?.body == [6, 1, 0, 1, 1, 0, 0, 0, 10])
        bench.advance(by: .seconds(10_000))
        #expect(bench.state == .idle)
        #expect(bench.speaker.bestRoutes.isEmpty)
        bench.call { $0.start(peer: 0, at: $1, into: &$2) }
        #expect(bench.state == .connect)
    }

    @Test func `or starts over after a while`() {
        let bench = limited(.restart(after: .seconds(300)), [.ipv4Unicast, .ipv6Unicast])
        bench.send(announcement(prefixes(0..<11)))
        #expect(bench.takeMessages().last?.body == [6, 1], "of two families neither is named")
        bench.advance(by: .seconds(299))
        #expect(bench.state == .idle)
        bench.advance(by: .seconds(1))
        #expect(bench.state == .connect)
    }

    @Test func `or goes on`() {
        let bench = limited(.warn)
        bench.send(announcement(prefixes(0..<11)))
        bench.send(announcement(prefixes(11..<12)))
        #expect(bench.state == .established)
        #expect(bench.speaker.bestRoutes.count == 12)
        #expect(bench.speaker.status(of: 0).counters.prefixLimitViolations == 1)
    }
}

@Suite struct DynamicPeerTests {
    private func bench(maximumCount: Int = 2, _ change: (inout SessionConfiguration) -> Void = { _ in }) -> Bench {
        var template = PeerConfiguration(address: "0.0.0.0", autonomousSystem: 65010, localAddress: "0.0.0.0")
        template.session.allowedAutonomousSystems = [65010...65019]
        template.session.holdTime = .seconds(30)
        change(&template.session)
        let group = PeerGroup("branches", template: template)
        let bench = Bench { $0.dynamicPeers = [DynamicPeers("10.9.0.0/16", group, maximumCount: maximumCount)] }
        bench.start()
        return bench
    }

    private func call(_ bench: Bench, from address: IPAddress, _ connection: UInt32) -> Int? {
        let now = bench.now
        guard
            let peer = bench.speaker.peer(
                callingFrom: address, to: "192.0.2.1", at: now, into: &bench.outbox)
        else { return nil }
        bench.speaker.connected(
            peer: peer, connection: ConnectionID(connection), isIncoming: true, at: now, into: &bench.outbox)
        bench.collect()
        return peer
    }

    @Test func `a peer that calls from the range is made, up to their number`() {
        let bench = bench()
        #expect(call(bench, from: "10.9.0.1", 10) == 1)
        #expect(call(bench, from: "10.9.0.2", 11) == 2)
        #expect(call(bench, from: "10.9.0.3", 12) == nil)
        #expect(call(bench, from: "10.8.0.1", 13) == nil)
        #expect(call(bench, from: "192.0.2.2", 14) == 0, "one that is configured is known")
        bench.send(Bench.open(autonomousSystem: 65014, identifier: IPv4Address(10, 9, 0, 2)) + keepalive, on: 11)
        #expect(bench.speaker.state(of: 2) == .established)
        let configuration = bench.speaker.configuration(of: 2)
        #expect(configuration.autonomousSystem == 65014 && configuration.address == "10.9.0.2")
        #expect(bench.speaker.status(of: 2).holdTime == .seconds(30))
    }

    @Test func `its place is another's when it has gone`() {
        let bench = bench()
        #expect(call(bench, from: "10.9.0.1", 10) == 1)
        bench.send(
            Bench.open(autonomousSystem: 65010, identifier: IPv4Address(10, 9, 0, 1)) + keepalive
                + announcement(["198.51.100.0/24"], path: ASPath(65010), nextHop: "10.9.0.1"), on: 10)
        #expect(bench.speaker.bestRoutes.count == 1)
        bench.close(10)
        #expect(bench.speaker.bestRoutes.isEmpty)
        #expect(bench.speaker.state(of: 1) == .idle)
        #expect(call(bench, from: "10.9.0.7", 11) == 1)
        #expect(bench.speaker.peerCount == 2)
    }

    private static let opening =
        Bench.open(
            autonomousSystem: 65010, identifier: IPv4Address(10, 9, 0, 1),
            capabilities: [
                .multiprotocol(.ipv4Unicast), .fourOctetAS(65010),
                .gracefulRestart(
                    GracefulRestartOffer(
                        isRestarting: false, coversNotifications: false, restartTime: 120,
                        families: [.init(FamilyIdentifiers(.ipv4Unicast), isForwardingKept: true)])),
            ]) + keepalive

    @Test func `one whose routes are kept over its restart is taken when it calls again`() {
        let bench = bench { $0.gracefulRestart = GracefulRestartConfiguration() }
        #expect(call(bench, from: "10.9.0.1", 10) == 1)
        bench.send(
            Self.opening + announcement(["198.51.100.0/24"], path: ASPath(65010), nextHop: "10.9.0.1"), on: 10)
        bench.close(10)
        #expect(bench.speaker.bestRoutes.count == 1, "its routes are stale, and there")
        bench.advance(by: .seconds(5))
        #expect(call(bench, from: "10.9.0.1", 11) == 1)
        bench.send(Self.opening, on: 11)
        #expect(bench.speaker.state(of: 1) == .established)
    }

    @Test func `one that hangs up before it has said anything leaves its place`() {
        let bench = bench()
        for number in 0..<5 {
            let connection = UInt32(10 + number)
            #expect(call(bench, from: .v4(IPv4Address(10, 9, 0, UInt8(number))), connection) == 1)
            bench.close(connection)
        }
        #expect(bench.speaker.peerCount == 2)
    }

    @Test func `one that was stopped is refused until it is started`() {
        let bench = bench()
        #expect(call(bench, from: "10.9.0.1", 10) == 1)
        bench.send(Self.opening, on: 10)
        bench.speaker.shutDown(peer: 1, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(call(bench, from: "10.9.0.1", 11) == 1)
        #expect(bench.takeNotification(on: 11) == [6, 5])
        bench.speaker.start(peer: 1, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(call(bench, from: "10.9.0.1", 12) == 1)
        bench.send(Self.opening, on: 12)
        #expect(bench.speaker.state(of: 1) == .established)
    }

    @Test func `one that has told too much is refused for the time that it is to wait`() {
        let bench = bench { $0.prefixLimit = PrefixLimit(maximum: 1, response: .restart(after: .seconds(60))) }
        #expect(call(bench, from: "10.9.0.1", 10) == 1)
        bench.send(
            Self.opening
                + announcement(["198.51.100.0/24", "203.0.113.0/24"], path: ASPath(65010), nextHop: "10.9.0.1"),
            on: 10)
        #expect(call(bench, from: "10.9.0.1", 11) == 1)
        #expect(bench.takeNotification(on: 11) == [6, 5])
        bench.advance(by: .seconds(61))
        #expect(call(bench, from: "10.9.0.1", 12) == 1)
        bench.send(Self.opening, on: 12)
        #expect(bench.speaker.state(of: 1) == .established)
    }

    @Test func `a member of a group has what the group has, and what is its own`() {
        var template = PeerConfiguration(address: "0.0.0.0", autonomousSystem: 65001, localAddress: "192.0.2.1")
        template.nextHopSelf = true
        template.session.prefixLimit = PrefixLimit(maximum: 100)
        let group = PeerGroup("inner", template: template)
        var member = group.member("192.0.2.9")
        member.session.prefixLimit?.maximum = 5
        #expect(member.autonomousSystem == 65001 && member.nextHopSelf)
        #expect(member.address == "192.0.2.9" && group.template.session.prefixLimit?.maximum == 100)
        #expect(group.member("192.0.2.8", autonomousSystem: 65009).autonomousSystem == 65009)
    }
}
