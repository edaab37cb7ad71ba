import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite struct SessionTests {
    @Test func `a session comes up over the own connection`() {
        let bench = Bench()
        bench.start()
        #expect(bench.takeActions() == [.connect(peer: 0), .sessionChanged(peer: 0, .connect)])
        bench.connect()
        #expect(bench.takeActions() == [.sessionChanged(peer: 0, .openSent)])
        #expect(bench.takeMessages().map(\.type) == [1])
        bench.send(Bench.open())
        #expect(bench.takeActions() == [.sessionChanged(peer: 0, .openConfirm)])
        #expect(bench.takeMessages().map(\.type) == [4])
        bench.send(keepalive)
        #expect(bench.takeActions() == [.sessionChanged(peer: 0, .established)])
        let status = bench.speaker.status(of: 0)
        #expect(status.holdTime == .seconds(90))
        #expect(status.families == [.ipv4Unicast, .ipv6Unicast])
        #expect(status.identifier == Bench.peerIdentifier)
    }

    @Test func `a passive session waits for the peer`() {
        let bench = Bench { $0.peers[0].isPassive = true }
        bench.start()
        bench.advance(by: .seconds(1000))
        #expect(bench.takeActions() == [.sessionChanged(peer: 0, .active)])
        bench.connect(isIncoming: true)
        bench.send(Bench.open() + keepalive)
        #expect(bench.state == .established)
    }

    @Test func `octets may come one at a time`() {
        let bench = Bench()
        bench.start()
        bench.connect()
        for octet in Bench.open() + keepalive + announcement(["198.51.100.0/24"]) { bench.send([octet]) }
        #expect(bench.state == .established)
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["198.51.100.0/24"])
    }

    @Test func `the hold timer expires at the negotiated time and not before`() {
        let bench = Bench()
        bench.establish(Bench.open(holdTime: 30))
        bench.advance(to: .zero + .milliseconds(29_999))
        #expect(bench.state == .established)
        bench.advance(to: .zero + .seconds(30))
        #expect(bench.state == .idle)
        #expect(bench.takeNotification() == [4, 0])
        #expect(bench.takeActions().suffix(2) == [.close(ConnectionID(1)), .sessionChanged(peer: 0, .idle)])
    }

    @Test func `KEEPALIVE and UPDATE start the hold timer again`() {
        let bench = Bench()
        bench.establish(Bench.open(holdTime: 9))
        for step in 1...4 {
            bench.advance(to: .zero + .seconds(Int64(step) * 8))
            bench.send(step % 2 == 0 ? keepalive : withdrawal(["10.0.0.0/8"]))
        }
        bench.advance(to: .zero + .milliseconds(40_999))
        #expect(bench.state == .established)
        bench.advance(to: .zero + .seconds(41))
        #expect(bench.state == .idle)
    }

    @Test func `a hold time of 0 keeps a silent session up`() {
        let bench = Bench()
        bench.establish(Bench.open(holdTime: 0))
        _ = bench.takeMessages()
        #expect(bench.speaker.nextDeadline == nil)
        bench.advance(by: .seconds(100_000))
        #expect(bench.state == .established)
        #expect(bench.takeMessages().isEmpty)
    }

    @Test func `an OPEN that never comes ends the connection after four minutes`() {
        let bench = Bench()
        bench.start()
        bench.connect()
        bench.advance(to: .zero + .milliseconds(239_999))
        #expect(bench.state == .openSent)
        bench.advance(to: .zero + .seconds(240))
        #expect(bench.takeNotification() == [4, 0])
    }

    @Test func `KEEPALIVEs come at three quarters to the whole of a third of the hold time`() {
        let bench = Bench()
        bench.establish(Bench.open(holdTime: 90))
        var gaps: [Int64] = []
        var last = bench.now
        _ = bench.takeMessages()
        while gaps.count < 200, let deadline = bench.speaker.nextDeadline {
            bench.advance(to: deadline)
            for message in bench.takeMessages() where message.type == 4 {
                gaps.append((bench.now - last).nanoseconds)
                last = bench.now
            }
            bench.send(keepalive)
        }
        #expect(gaps.allSatisfy { (22_500_000_000...30_000_000_000).contains($0) })
        #expect(Set(gaps).count > 150, "the jitter is drawn anew each time")
    }

    @Test(arguments: [
        ("a KEEPALIVE before the OPEN", [keepalive], [5, 1] as [UInt8]),
        ("an UPDATE before the OPEN", [withdrawal(["10.0.0.0/8"])], [5, 1]),
        ("a ROUTE-REFRESH before the OPEN", [message(5, [0, 1, 0, 1])], [5, 1]),
        ("a second OPEN before the KEEPALIVE", [Bench.open(), Bench.open()], [5, 2]),
        ("an UPDATE before the KEEPALIVE", [Bench.open(), withdrawal(["10.0.0.0/8"])], [5, 2]),
        ("an OPEN in Established", [Bench.open(), keepalive, Bench.open()], [5, 3]),
        ("a marker that is not all ones", [Bench.open(), keepalive, Array(repeating: 0, count: 19)], [1, 1]),
        ("an unknown type", [Bench.open(), keepalive, message(9)], [1, 3]),
        ("4097 octets", [Bench.open(), keepalive, message(2, Array(repeating: 0, count: 4078))], [1, 2]),
        ("another AS", [Bench.open(autonomousSystem: 65009)], [2, 2]),
        ("AS_TRANS without the capability", [Bench.open(autonomousSystem: 70000, capabilities: [])], [2, 2]),
        (
            "no family in common",
            [Bench.open(capabilities: [.multiprotocol(familyIdentifier: 25, subsequentIdentifier: 70)])], [2, 7]
        ),
        ("an UPDATE that cannot be read", [Bench.open(), keepalive, message(2, [0, 9, 0, 0])], [3, 1]),
    ])
    func `a peer that errs is told so`(_ name: String, stream: [[UInt8]], answer: [UInt8]) {
        let bench = Bench()
        bench.start()
        bench.connect()
        for octets in stream { bench.send(octets) }
        #expect(bench.takeNotification() == answer, "\(name)")
        #expect(bench.state == .idle)
        #expect(bench.takeActions().contains(.close(ConnectionID(1))))
    }

    @Test func `a NOTIFICATION is not answered`() {
        let bench = Bench()
        bench.establish()
        _ = bench.takeMessages()
        bench.send(message(3, [6, 4]))
        #expect(bench.takeMessages().isEmpty)
        #expect(bench.state == .idle)
        #expect(bench.speaker.status(of: 0).counters.lastNotificationReceived == Notification(code: 6, subcode: 4))
    }

    @Test func `equal identifiers are refused inside an AS and allowed between two`() {
        for (peerAS, expected) in [(UInt32(65001), [2, 3] as [UInt8]?), (65002, nil)] {
            let bench = Bench(peerAS: peerAS)
            bench.start()
            bench.connect()
            bench.send(Bench.open(autonomousSystem: peerAS, identifier: IPv4Address(10, 0, 0, 1)))
            #expect(bench.takeNotification() == expected)
        }
    }

    @Test func `a failed attempt is made again after the connect retry time`() {
        let bench = Bench { $0.connectRetry = .seconds(8) }
        bench.start()
        _ = bench.takeActions()
        bench.speaker.connectFailed(peer: 0, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeActions() == [.sessionChanged(peer: 0, .active)])
        bench.advance(by: .milliseconds(5_999))
        #expect(bench.takeActions().isEmpty)
        bench.advance(to: .zero + .seconds(8))
        #expect(bench.takeActions() == [.connect(peer: 0), .sessionChanged(peer: 0, .connect)])
    }

    @Test func `an attempt without an answer is given up and made again`() {
        let bench = Bench { $0.connectRetry = .seconds(8) }
        bench.start()
        _ = bench.takeActions()
        bench.advance(to: .zero + .seconds(8))
        #expect(bench.takeActions() == [.abandonConnect(peer: 0), .connect(peer: 0)])
    }

    @Test func `errors in a row make the wait longer, up to a limit`() {
        let bench = Bench { $0.maximumIdleHold = .seconds(8) }
        bench.start()
        var waits: [Interval] = []
        for connection in UInt32(1)...6 {
            bench.connect(connection)
            bench.send(keepalive, on: connection)
            let failed = bench.now
            bench.advance(to: bench.speaker.nextDeadline ?? .zero)
            #expect(bench.state == .connect)
            waits.append(bench.now - failed)
        }
        for (wait, limit) in zip(waits, [Int64(1), 2, 4, 8, 8, 8]) {
            #expect(wait >= .milliseconds(limit * 750) && wait <= .seconds(limit))
        }
    }

    @Test func `a lost connection costs the shortest wait each time`() {
        let bench = Bench()
        bench.start()
        for connection in UInt32(1)...5 {
            bench.connect(connection)
            bench.send(Bench.open() + keepalive, on: connection)
            bench.close(connection)
            let failed = bench.now
            bench.advance(to: bench.speaker.nextDeadline ?? .zero)
            #expect(bench.state == .connect)
            #expect(bench.now - failed <= .seconds(1))
        }
    }

    @Test func `a peer that calls while the session waits in Idle is rejected`() {
        let bench = Bench()
        bench.establish()
        bench.send(message(3, [6, 2]))
        bench.connect(7, isIncoming: true)
        #expect(bench.takeNotification(on: 7) == [6, 5])
        #expect(bench.takeActions().last == .close(ConnectionID(7)))
    }

    @Test func `whoever is rejected goes on listening, and calls again soon`() {
        let bench = Bench()
        bench.start()
        bench.connect()
        #expect(bench.state == .openSent)
        bench.send(message(3, [6, 5]))
        #expect(bench.state == .active)
        _ = bench.takeActions()
        let (rejected, due) = (bench.now, bench.speaker.nextDeadline ?? .never)
        #expect(due <= rejected + .seconds(1))
        bench.connect(7, isIncoming: true)
        #expect(bench.takeMessages(on: 7).map(\.type) == [1] && bench.state == .openSent)
    }

    @Test func `two ends that begin anew at the same instant meet again`() {
        forEachSeed(50) { random in
            var network = Network(
                autonomousSystems: [65_001, 65_002], edges: [(0, 1)], networks: [[], []], seed: random.next())
            network.start()
            network.run(for: .seconds(20))
            for end in 0...1 { network.command(end) { $0.reset(peer: 0, at: $1, into: &$2) } }
            network.run(for: .seconds(15))
            #expect(network.isEstablished(0))
        }
    }

    @Test func `a reset says so and the session starts over`() {
        let bench = Bench()
        bench.establish()
        bench.speaker.reset(peer: 0, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeNotification() == [6, 4])
        _ = bench.takeActions()
        bench.advance(by: .seconds(1))
        #expect(bench.takeActions().first == .connect(peer: 0))
    }

    @Test func `a shutdown is told to the peer and lasts`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement(["198.51.100.0/24"]))
        _ = bench.takeActions()
        bench.speaker.shutDown(at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeNotification() == [6, 2])
        #expect(
            bench.takeActions() == [
                .close(ConnectionID(1)), .sessionChanged(peer: 0, .idle), .withdraw("198.51.100.0/24"),
            ])
        #expect(bench.speaker.nextDeadline == nil)
    }

    @Test(arguments: [
        (IPv4Address(10, 0, 0, 2), false), (IPv4Address(9, 255, 255, 255), true),
        // RFC 6286 §2.3: the AS decides between equal identifiers, and the peer's is the higher.
        (IPv4Address(10, 0, 0, 1), false),
    ])
    func `of two connections the one from the higher identifier stays`(_ identifier: IPv4Address, staysOwn: Bool) {
        for ownFirst in [true, false] {
            let bench = Bench()
            bench.start()
            bench.connect(1)
            bench.connect(2, isIncoming: true)
            #expect(bench.takeMessages(on: 1).count == 1 && bench.takeMessages(on: 2).count == 1)
            let (kept, lost): (UInt32, UInt32) = staysOwn ? (1, 2) : (2, 1)
            bench.send(Bench.open(identifier: identifier), on: ownFirst ? 1 : 2)
            #expect(bench.takeNotification(on: lost) == [6, 7])
            if ownFirst != staysOwn { bench.send(Bench.open(identifier: identifier), on: kept) }
            bench.send(keepalive, on: kept)
            #expect(bench.state == .established)
            #expect(bench.takeNotification(on: kept) == nil)
            #expect(bench.takeActions().filter { $0 == .close(ConnectionID(lost)) }.count == 1)
        }
    }

    @Test func `a connection beside an established session is turned away`() {
        let bench = Bench()
        bench.establish()
        bench.connect(2, isIncoming: true)
        #expect(bench.takeNotification(on: 2) == [6, 7])
        #expect(bench.state == .established)
    }

    @Test func `an attempt still under way is given up once the peer's connection is up`() {
        let bench = Bench()
        bench.start()
        _ = bench.takeActions()
        bench.connect(2, isIncoming: true)
        bench.send(Bench.open() + keepalive, on: 2)
        #expect(bench.takeActions().contains(.abandonConnect(peer: 0)))
        bench.connect(1)
        #expect(bench.takeActions() == [.close(ConnectionID(1))], "one that comes too late is closed")
        #expect(bench.state == .established)
    }

    @Test func `an old peer gets two octets for every AS`() throws {
        let bench = Bench(ownAS: 4_200_000_001, networks: ["10.1.0.0/16"])
        bench.establish(Bench.open(capabilities: []))
        let update = try #require(bench.takeMessages().first { $0.type == 2 })
        let expected = octets(
            """
            0000 001b
            40 01 01 00                         # ORIGIN
            40 02 04 02 01 5ba0                 # AS_PATH with AS_TRANS
            40 03 04 c0000201                   # NEXT_HOP
            c0 11 06 02 01 fa56ea01             # AS4_PATH
            10 0a01
            """)
        #expect(hexadecimal(update.body) == hexadecimal(expected))
    }

    @Test func `a refresh brings all routes of the family again`() {
        let bench = Bench(networks: ["10.1.0.0/16", "2001:db8:1::/48"])
        bench.establish()
        let first = bench.takeMessages().filter { $0.type == 2 }
        #expect(first.count == 2)
        bench.send(message(5, [0, 1, 0, 1]))
        let second = bench.takeMessages()
        #expect(second.map(\.body) == [first[0].body])
        bench.send(message(5, [0x40, 1, 0, 99]))
        #expect(bench.takeMessages().isEmpty, "a family that is not spoken here is ignored")
    }

    @Test func `messages are counted`() {
        let bench = Bench(networks: ["10.1.0.0/16"])
        bench.establish()
        bench.send(announcement(["198.51.100.0/24"]) + keepalive)
        let status = bench.speaker.status(of: 0)
        let (received, sent) = (status.counters.received, status.counters.sent)
        #expect([received.open, received.update, received.keepalive, received.notification] == [1, 1, 2, 0])
        #expect([sent.open, sent.update, sent.keepalive, sent.notification] == [1, 1, 1, 0])
        #expect(status.counters.establishments == 1)
        #expect([status.receivedRoutes, status.acceptedRoutes, status.advertisedRoutes] == [1, 1, 1])
    }
}
