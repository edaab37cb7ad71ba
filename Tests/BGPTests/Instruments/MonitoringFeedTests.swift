import BGP
import Basics
import TestKit
import Testing
import Wire

/// A speaker with two peers that the test plays by hand, watched by a feed.
private struct Watched {
    var speaker: Speaker
    var feed: MonitoringFeed
    var stream: [UInt8] = []
    var now = Instant.zero

    init(tellsBestRoutes: Bool = false, configure: (inout SpeakerConfiguration) -> Void = { _ in }) {
        var configuration = SpeakerConfiguration(autonomousSystem: 65001, routerID: IPv4Address(10, 0, 0, 1))
        for (address, number) in [("192.0.2.2", UInt32(65002)), ("192.0.2.3", 65003)] as [(IPAddress, UInt32)] {
            var peer = PeerConfiguration(address: address, autonomousSystem: number, localAddress: "192.0.2.1")
            peer.families = [.ipv4Unicast, .ipv6Unicast]
            configuration.peers.append(peer)
        }
        configure(&configuration)
        speaker = Speaker(configuration, random: SeededRandom(seed: 1))
        feed = MonitoringFeed(configuration, name: "node", tellsBestRoutes: tellsBestRoutes, epoch: 1_000_000)
        speaker.reportsBestRoutes = tellsBestRoutes
        act { $0.start(at: $1, into: &$2) }
    }

    mutating func act(_ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        var outbox = SpeakerOutbox()
        body(&speaker, now, &outbox)
        tell { feed, speaker, now, arena in feed.observe(outbox, of: speaker, at: now, to: &arena) }
    }

    mutating func tell(_ body: (inout MonitoringFeed, Speaker, Instant, inout ByteArena) -> Void) {
        stream += encoded { body(&feed, speaker, now, &$0) }
    }

    mutating func connect(_ peer: Int) {
        let id = ConnectionID(UInt32(peer + 1))
        let remote = SocketAddress(speaker.configuration.peers[peer].address, port: 179)
        feed.connected(peer: peer, connection: id, local: SocketAddress("192.0.2.1", port: 40_000), remote: remote)
        act { $0.connected(peer: peer, connection: id, isIncoming: false, at: $1, into: &$2) }
    }

    mutating func send(_ octets: [UInt8], from peer: Int) {
        let id = ConnectionID(UInt32(peer + 1))
        tell { feed, _, now, arena in feed.received(octets.span.bytes, on: id, at: now, to: &arena) }
        act { $0.received(octets.span.bytes, on: id, at: $1, into: &$2) }
    }

    mutating func close(_ peer: Int) {
        let id = ConnectionID(UInt32(peer + 1))
        feed.closed(id)
        act { $0.closed(id, at: $1, into: &$2) }
    }

    mutating func establish(_ peer: Int, followedBy more: [UInt8] = []) {
        let open = Bench.open(
            autonomousSystem: UInt32(65002 + peer), identifier: IPv4Address(10, 0, 0, UInt8(peer + 2)))
        connect(peer)
        send(open + keepalive + more, from: peer)
    }

    /// What the station has got since the last time.
    mutating func take() throws -> (octets: [UInt8], messages: [BMPMessage]) {
        defer { stream = [] }
        let (messages, faults) = readMonitoring(stream)
        try #require(faults.isEmpty && (messages.last?.place.upperBound ?? 0) == stream.count)
        return (stream, messages)
    }

    mutating func begin() { tell { feed, _, now, arena in feed.begin(at: now, to: &arena) } }
}

/// What UPDATEs to the station come to, for each peer and for what was chosen.
private func tables(
    _ stream: (octets: [UInt8], messages: [BMPMessage]), _ context: UpdateContext = UpdateContext(isInternal: false)
) throws -> [IPAddress: [IPPrefix: PathAttributes]] {
    var tables: [IPAddress: [IPPrefix: PathAttributes]] = [:]
    for case .routes(let peer, let place) in stream.messages.map(\.content) {
        let update = try decodeUpdate(Array(stream.octets[place].dropFirst(19)), context).get()
        for prefix in update.withdrawn { tables[peer.address, default: [:]][prefix] = nil }
        for announcement in update.announcements {
            for prefix in announcement.prefixes {
                tables[peer.address, default: [:]][prefix] = announcement.attributes
            }
        }
    }
    return tables
}

@Suite struct MonitoringFeedTests {
    @Test func `a session is told from its OPENs to its end`() throws {
        var watched = Watched()
        watched.begin()
        watched.now = .zero + .milliseconds(2500)
        watched.establish(0)
        watched.send(announcement(["10.1.0.0/16"]), from: 0)
        watched.send(message(3, [6, 4]), from: 0)
        let (octets, messages) = try watched.take()
        var header = BMPPeer(
            address: "192.0.2.2", autonomousSystem: 65002, identifier: IPv4Address(10, 0, 0, 2),
            time: WallTime(seconds: 1_000_002, microseconds: 500_000))
        try #require(messages.count == 4)
        #expect(messages[0].content == .initiation([.description("Patronus"), .name("node")]))
        guard case .peerUp(header, let up) = messages[1].content, case .routes(header, let update) = messages[2].content
        else {
            Issue.record("\(messages)")
            return
        }
        #expect(up.local == SocketAddress("192.0.2.1", port: 40_000) && up.remotePort == 179)
        #expect(try decodeOpen(Array(octets[up.sentOpen].dropFirst(19))).get().autonomousSystem == 65001)
        #expect(try decodeOpen(Array(octets[up.receivedOpen].dropFirst(19))).get().autonomousSystem == 65002)
        #expect(Array(octets[update]) == announcement(["10.1.0.0/16"]))
        header.time = WallTime(seconds: 1_000_002, microseconds: 500_000)
        #expect(messages[3].content == .peerDown(header, .remoteNotification(Notification(code: 6, subcode: 4))))
    }

    @Test func `each way in which a session ends has its reason`() throws {
        func reason(_ end: (inout Watched) -> Void) throws -> BMPPeerDownReason? {
            var watched = Watched()
            watched.establish(0)
            end(&watched)
            for case .peerDown(_, let reason) in try watched.take().messages.map(\.content) { return reason }
            return nil
        }
        #expect(try reason { $0.close(0) } == .remoteClosed)
        #expect(
            try reason { $0.act { $0.reset(peer: 0, at: $1, into: &$2) } }
                == .localNotification(.cease(.administrativeReset)))
        #expect(
            try reason { watched in
                watched.now += .seconds(100)
                watched.act { $0.wake(at: $1, into: &$2) }
            } == .localNotification(.holdTimerExpired))
        #expect(
            try reason { $0.send(message(3, [6, 2]), from: 0) }
                == .remoteNotification(Notification(code: 6, subcode: 2)))
        #expect(try reason { $0.send(keepalive, from: 0) } == nil)
    }

    @Test func `connections that come to nothing are told nobody`() throws {
        var watched = Watched()
        watched.begin()
        _ = try watched.take()
        for _ in 0..<3 {
            watched.connect(0)
            watched.close(0)
            watched.now += .seconds(130)
            watched.act { $0.wake(at: $1, into: &$2) }
        }
        #expect(try watched.take().messages.isEmpty)
        watched.establish(0)
        #expect(try watched.take().messages.count == 1)
    }

    @Test func `what comes with the last KEEPALIVE, or in pieces, is not lost`() throws {
        var watched = Watched()
        watched.establish(0, followedBy: announcement(["10.1.0.0/16"]))
        for octet in announcement(["10.2.0.0/16"]) { watched.send([octet], from: 0) }
        let stream = try watched.take()
        guard case .peerUp? = stream.messages.first?.content else {
            Issue.record("the session must be told before its routes")
            return
        }
        #expect(try tables(stream)["192.0.2.2"]?.keys.sorted() == ["10.1.0.0/16", "10.2.0.0/16"])
    }

    @Test func `faulty UPDATEs are told as what they come to`() throws {
        var watched = Watched()
        watched.establish(0)
        watched.send(announcement(["10.1.0.0/16", "10.2.0.0/16"]), from: 0)
        let good = [attribute(0x40, 2, pathValue(65002)), attribute(0x40, 3, [192, 0, 2, 2])]
        // ORIGIN of no meaning: the route is withdrawn. A bad ATOMIC_AGGREGATE alone is left out.
        watched.send(
            message(2, updateBody(attributes: [attribute(0x40, 1, [9])] + good, prefixes: [16, 10, 1])), from: 0)
        watched.send(
            message(
                2,
                updateBody(
                    attributes: [attribute(0x40, 1, [0])] + good + [attribute(0x40, 6, [1])], prefixes: [16, 10, 3])),
            from: 0)
        let table = try #require(try tables(watched.take())["192.0.2.2"])
        #expect(table.keys.sorted() == ["10.2.0.0/16", "10.3.0.0/16"])
        #expect(watched.speaker.receivedRoutes(from: 0).map(\.prefix) == table.keys.sorted())
    }

    @Test func `what the speaker does not take of a peer is told as its withdrawal`() throws {
        var watched = Watched()
        watched.establish(0)
        watched.send(announcement(["10.1.0.0/16", "10.2.0.0/16"]), from: 0)
        watched.send(announcement(["10.1.0.0/16"], path: ASPath(65099, 65002)), from: 0)
        let table = try #require(try tables(watched.take())["192.0.2.2"])
        #expect(table.keys.sorted() == ["10.2.0.0/16"])
        #expect(watched.speaker.receivedRoutes(from: 0).map(\.prefix) == table.keys.sorted())
    }

    @Test func `what a peer in the confederation tells is passed on as it came`() throws {
        var watched = Watched { $0.confederation = Confederation(identifier: 100, members: [65001, 65002]) }
        watched.establish(0)
        let path = ASPath(segments: [.init(.confederationSequence, [65002]), .init(.sequence, [300])])
        let update = announcement(["10.1.0.0/16"], path: path) { $0.localPreference = 250 }
        watched.send(update, from: 0)
        let (octets, messages) = try watched.take()
        let told = messages.compactMap { message in
            if case .routes(_, let place) = message.content { Array(octets[place]) } else { nil }
        }
        #expect(told == [update])
        #expect(watched.speaker.receivedRoutes(from: 0).map(\.attributes.localPreference) == [250])
    }

    @Test func `a station that comes late gets everything that stands`() throws {
        var watched = Watched(tellsBestRoutes: true)
        watched.establish(0)
        watched.establish(1)
        watched.send(announcement(["10.1.0.0/16", "10.2.0.0/16"]), from: 0)
        watched.send(announcement(["10.2.0.0/16"], path: ASPath(65003), nextHop: "192.0.2.3"), from: 1)
        watched.send(announcement(["2001:db8::/32"], path: ASPath(65003), nextHop: "2001:db8::3"), from: 1)
        let first = try tables(watched.take())
        watched.begin()
        watched.tell { feed, speaker, now, arena in
            var page: UInt32 = 0
            while let prefixes = speaker.prefixes(inPage: page) {
                for prefix in prefixes { feed.tellRoutes(to: prefix, in: speaker, at: now, to: &arena) }
                page += 1
            }
            feed.tellEndOfRoutes(at: now, to: &arena)
            feed.tellStatistics(of: speaker, at: now, to: &arena)
            feed.end(to: &arena)
        }
        let second = try watched.take()
        #expect(try tables(second) == first)
        for peer in 0...1 {
            let routes = watched.speaker.receivedRoutes(from: peer)
            let table = first[watched.speaker.configuration.peers[peer].address]
            #expect(table == Dictionary(uniqueKeysWithValues: routes.map { ($0.prefix, $0.attributes) }))
        }
        let best = watched.speaker.bestRoutes.map { ($0.prefix, $0.attributes) }
        #expect(first["0.0.0.0"] == Dictionary(uniqueKeysWithValues: best))
        let ups = second.messages.compactMap { if case .peerUp(let peer, _) = $0.content { peer.kind } else { nil } }
        #expect(ups == [.bestRoutes, .global, .global])
        let statistics = second.messages.compactMap {
            if case .statistics(let peer, let values) = $0.content { (peer.address, values.map(\.value)) } else { nil }
        }
        #expect(statistics.map(\.0) == ["192.0.2.2", "192.0.2.3", "0.0.0.0"])
        #expect(statistics.map(\.1) == [[2, 0, 1], [2, 0, 2], [3]])
        #expect(second.messages.last?.content == .termination(.administrative, []))
    }

    @Test func `the station's tables follow the speaker's through all that peers say`() {
        forEachSeed(60) { random in
            var watched = Watched(tellsBestRoutes: true)
            watched.begin()
            var isUp = [false, false]
            for _ in 0..<40 {
                watched.now += .seconds(2)
                watched.act { $0.wake(at: $1, into: &$2) }
                let peer = Int(random.below(2))
                if !isUp[peer] {
                    watched.establish(peer)
                    isUp[peer] = watched.speaker.state(of: peer) == .established
                    continue
                }
                let prefix = IPPrefix(.v4(IPv4Address(10, UInt8(random.below(6)), 0, 0)), length: 16)
                switch random.below(10) {
                case 0:
                    watched.close(peer)
                    isUp[peer] = false
                case 1...3: watched.send(withdrawal([prefix]), from: peer)
                default:
                    var path = ASPath(UInt32(65002 + peer))
                    if random.below(2) == 0 { path.segments[0].members.append(UInt32(65100 + random.below(3))) }
                    watched.send(
                        announcement([prefix], path: path, nextHop: watched.speaker.configuration.peers[peer].address),
                        from: peer)
                }
            }
            let stream = try watched.take()
            var told: [IPAddress: [IPPrefix: PathAttributes]] = [:]
            for message in stream.messages {
                if case .peerDown(let header, _) = message.content { told[header.address] = nil }
                for (address, table) in try tables((stream.octets, [message])) {
                    for (prefix, attributes) in table { told[address, default: [:]][prefix] = attributes }
                }
                guard case .routes(let header, let place) = message.content else { continue }
                let update = try decodeUpdate(
                    Array(stream.octets[place].dropFirst(19)), UpdateContext(isInternal: false)
                )
                .get()
                for prefix in update.withdrawn { told[header.address]?[prefix] = nil }
            }
            for peer in 0...1 {
                let routes = watched.speaker.receivedRoutes(from: peer).map { ($0.prefix, $0.attributes) }
                let address = watched.speaker.configuration.peers[peer].address
                try #require((told[address] ?? [:]) == Dictionary(uniqueKeysWithValues: routes))
            }
            let best = watched.speaker.bestRoutes.map { ($0.prefix, $0.attributes) }
            try #require((told["0.0.0.0"] ?? [:]) == Dictionary(uniqueKeysWithValues: best))
        }
    }
}
