import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite struct RoutingTests {
    private let prefix: IPPrefix = "198.51.100.0/24"

    @Test func `a route is installed, moved and withdrawn`() {
        let bench = Bench()
        bench.establish()
        _ = bench.takeActions()
        bench.send(announcement([prefix]))
        #expect(bench.takeActions() == [.install(prefix, nextHop: "192.0.2.2")])
        bench.send(announcement([prefix], path: ASPath(65002, 65003)))
        #expect(bench.takeActions().isEmpty, "the next hop is the same")
        bench.send(announcement([prefix], nextHop: "192.0.2.9"))
        #expect(bench.takeActions() == [.install(prefix, nextHop: "192.0.2.9")])
        bench.send(withdrawal([prefix]))
        #expect(bench.takeActions() == [.withdraw(prefix)])
        #expect(bench.speaker.attributeSetCount == 0)
    }

    @Test func `what is lost with the session is withdrawn in order`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement(["203.0.113.0/24", "10.0.0.0/8", "10.0.0.0/9"]))
        _ = bench.takeActions()
        bench.close()
        #expect(
            bench.takeActions() == [
                .sessionChanged(peer: 0, .idle), .withdraw("10.0.0.0/8"), .withdraw("10.0.0.0/9"),
                .withdraw("203.0.113.0/24"),
            ])
    }

    @Test func `an originated prefix is never installed and wins over any other`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement([prefix]))
        _ = bench.takeActions()
        bench.speaker.announce(prefix, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeActions() == [.withdraw(prefix)])
        #expect(bench.speaker.bestRoute(to: prefix)?.peer == nil)
        bench.speaker.withdraw(prefix, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeActions() == [.install(prefix, nextHop: "192.0.2.2")])
    }

    @Test func `a series is originated and withdrawn in few UPDATEs`() throws {
        let bench = Bench()
        bench.establish()
        _ = bench.takeMessages()
        _ = bench.takeActions()
        let series = try #require(PrefixSeries(count: 2_000, length: 24, in: "20.0.0.0/8"))
        bench.speaker.announce(series, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeMessages().map(\.type) == [2, 2])
        #expect(bench.speaker.advertisedRoutes(to: 0).map(\.prefix) == (0..<2_000).map { series[$0] })
        bench.speaker.withdraw(series, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeMessages().map(\.type) == [2, 2])
        #expect(bench.speaker.advertisedRoutes(to: 0).isEmpty && bench.speaker.bestRoutes.isEmpty)
        #expect(bench.takeActions().isEmpty, "nothing of it is forwarded anywhere")
    }

    @Test func `where peers say that a prefix lies is known though it is originated here`() {
        let bench = Bench()
        bench.establish()
        #expect(bench.speaker.learnedNextHop(to: prefix) == nil)
        bench.send(announcement([prefix]))
        #expect(bench.speaker.learnedNextHop(to: prefix) == "192.0.2.2")
        bench.speaker.announce(prefix, at: bench.now, into: &bench.outbox)
        #expect(bench.speaker.learnedNextHop(to: prefix) == "192.0.2.2")
        bench.speaker.nextHopChanged("192.0.2.2", cost: nil, at: bench.now, into: &bench.outbox)
        #expect(bench.speaker.learnedNextHop(to: prefix) == nil)
        bench.speaker.nextHopChanged("192.0.2.2", cost: 1, at: bench.now, into: &bench.outbox)
        #expect(bench.speaker.learnedNextHop(to: prefix) == "192.0.2.2")
        bench.close()
        #expect(bench.speaker.learnedNextHop(to: prefix) == nil)
    }

    @Test func `a prefix withdrawn and announced in one UPDATE is announced`() {
        let bench = Bench()
        bench.establish()
        _ = bench.takeActions()
        let field: [UInt8] = [24, 198, 51, 100]
        let mandatory = [
            attribute(0x40, 1, [0]), attribute(0x40, 2, pathValue(65002)), attribute(0x40, 3, [192, 0, 2, 2]),
        ]
        bench.send(message(2, updateBody(withdrawn: field, attributes: mandatory, prefixes: field)))
        #expect(bench.takeActions() == [.install(prefix, nextHop: "192.0.2.2")])
    }

    @Test(arguments: [
        ("the own AS in the path", announcement(["198.51.100.0/24"], path: ASPath(65002, 65001))),
        (
            "the own AS in a set",
            announcement(
                ["198.51.100.0/24"],
                path: ASPath(segments: [.init(.sequence, [65002]), .init(.set, [65001, 65004])]))
        ),
        ("the own address as next hop", announcement(["198.51.100.0/24"], nextHop: "192.0.2.1")),
        ("a path that begins elsewhere", announcement(["198.51.100.0/24"], path: ASPath(65003))),
        ("an empty path", announcement(["198.51.100.0/24"], path: ASPath())),
    ])
    func `a route that loops takes the older one away`(_ name: String, update: [UInt8]) {
        let bench = Bench()
        bench.establish()
        bench.send(announcement([prefix]))
        _ = bench.takeActions()
        bench.send(update)
        #expect(bench.takeActions() == [.withdraw(prefix)], "\(name)")
        #expect(bench.state == .established)
    }

    @Test func `a prefix that nobody may route is passed over`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement(["127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/8", "0.0.0.0/0", prefix]))
        bench.send(announcement(["ff00::/8", "fe80::/64", "::/0"], nextHop: "2001:db8::2"))
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["0.0.0.0/0", prefix, "::/0"])
    }

    @Test func `a next hop out of reach takes its routes out of the decision`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement([prefix]))
        _ = bench.takeActions()
        for (cost, expected) in [
            (nil, [.withdraw(prefix)]), (7 as UInt32?, [.install(prefix, nextHop: "192.0.2.2")]), (8, []),
        ] as [(UInt32?, [SpeakerAction])] {
            bench.speaker.nextHopChanged("192.0.2.2", cost: cost, at: bench.now, into: &bench.outbox)
            bench.collect()
            #expect(bench.takeActions() == expected)
        }
    }

    @Test func `all next hops on a link go and come with its carrier`() {
        let bench = Bench { $0.connected = ["192.0.2.0/24", "192.0.2.0/24", "2001:db8:ffff::/64", "198.18.0.0/24"] }
        bench.establish()
        bench.send(announcement([prefix], nextHop: "192.0.2.77"))
        bench.send(announcement(["2001:db8:7::/48"], nextHop: "2001:db8:ffff::2"))
        bench.send(announcement(["203.0.113.0/24"], nextHop: "198.18.0.5"))
        bench.send(announcement(["10.0.0.0/8"], nextHop: "198.19.0.5"))
        _ = bench.takeActions()
        func change(_ isUp: Bool) -> [SpeakerAction] {
            bench.speaker.linkChanged(
                ["192.0.2.0/24", "2001:db8:ffff::/64"], isUp: isUp, at: bench.now, into: &bench.outbox)
            bench.collect()
            return bench.takeActions()
        }
        for _ in 0..<2 {
            #expect(change(false) == [.withdraw(prefix), .withdraw("2001:db8:7::/48")])
            #expect(bench.speaker.bestRoutes.map(\.prefix) == ["203.0.113.0/24"])
            #expect(change(false).isEmpty)
            #expect(
                change(true) == [
                    .install(prefix, nextHop: "192.0.2.77"),
                    .install("2001:db8:7::/48", nextHop: "2001:db8:ffff::2"),
                ])
            #expect(change(true).isEmpty)
        }
    }

    @Test func `the longest prefix answers a look-up`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement(["10.0.0.0/8", "10.1.0.0/16"]))
        bench.send(announcement(["10.1.1.0/24"], path: ASPath(65002, 65001)))
        #expect(bench.speaker.lookUp("10.1.1.1")?.prefix == "10.1.0.0/16", "one not accepted does not count")
        #expect(bench.speaker.lookUp("10.2.0.1")?.prefix == "10.0.0.0/8")
        #expect(bench.speaker.lookUp("11.0.0.1") == nil)
        #expect(bench.speaker.receivedRoutes(from: 0).count == 3)
    }

    @Test func `an external peer is told the own AS and address, and nothing of the inside`() throws {
        let bench = Bench(networks: [prefix, "2001:db8:1::/48"])
        bench.establish()
        let routes = bench.speaker.advertisedRoutes(to: 0)
        #expect(routes.map(\.attributes.path) == [ASPath(65001), ASPath(65001)])
        #expect(routes.map(\.attributes.nextHop) == ["192.0.2.1", "::ffff:192.0.2.1"])
        #expect(routes.allSatisfy { $0.attributes.localPreference == nil })
    }

    @Test func `an internal peer is told the preference and an untouched path`() {
        let bench = Bench(ownAS: 65002, networks: [prefix])
        bench.establish()
        let attributes = bench.speaker.advertisedRoutes(to: 0).map(\.attributes)
        #expect(attributes.map(\.path) == [ASPath()])
        #expect(attributes.map(\.localPreference) == [100])
        #expect(attributes.map(\.nextHop) == ["192.0.2.1"])
    }

    @Test func `a mapped next hop of IPv6 is installed as the IPv4 address that it is`() {
        let bench = Bench()
        bench.establish()
        _ = bench.takeActions()
        bench.send(announcement(["2001:db8:2::/48"], nextHop: "::ffff:192.0.2.2"))
        #expect(bench.takeActions() == [.install("2001:db8:2::/48", nextHop: "192.0.2.2")])
    }

    @Test func `without a policy RFC 8212 lets nothing in or out`() {
        let bench = Bench(networks: ["10.1.0.0/16"]) { $0.requiresExternalPolicy = true }
        bench.establish()
        bench.send(announcement([prefix]))
        #expect(bench.speaker.bestRoute(to: prefix) == nil)
        #expect(bench.speaker.status(of: 0).receivedRoutes == 1)
        #expect(bench.speaker.advertisedRoutes(to: 0).isEmpty)
        let open = Bench(networks: ["10.1.0.0/16"]) {
            $0.requiresExternalPolicy = true
            $0.peers[0].importPolicy = .acceptAll
            $0.peers[0].exportPolicy = .acceptAll
        }
        open.establish()
        open.send(announcement([prefix]))
        #expect(open.speaker.bestRoute(to: prefix)?.peer == 0)
        #expect(open.speaker.advertisedRoutes(to: 0).count == 1)
    }

    @Test func `policies change what comes in and goes out`() {
        let bench = Bench(networks: ["10.1.0.0/16", "10.2.0.0/16"]) {
            $0.peers[0].importPolicy = RoutePolicy([
                PolicyRule(sequence: 10, .permit, settings: [.localPreference(200), .community(Community(65001, 7))])
            ])
            $0.peers[0].exportPolicy = RoutePolicy([
                PolicyRule(sequence: 10, .deny, conditions: [.prefix("10.2.0.0/16")]),
                PolicyRule(
                    sequence: 20, .permit,
                    settings: [.prependPath(65001, count: 2), .multiExitDiscriminator(5), .nextHop("192.0.2.7")]),
            ])
        }
        bench.establish()
        bench.send(announcement([prefix]))
        #expect(bench.speaker.bestRoute(to: prefix)?.attributes.localPreference == 200)
        #expect(bench.speaker.bestRoute(to: prefix)?.attributes.communities == [Community(65001, 7)])
        #expect(bench.speaker.receivedRoutes(from: 0).map(\.attributes.localPreference) == [nil])
        let told = bench.speaker.advertisedRoutes(to: 0)
        #expect(told.map(\.prefix) == ["10.1.0.0/16"])
        #expect(told.map(\.attributes.path) == [ASPath(65001, 65001, 65001)])
        #expect(told.map(\.attributes.multiExitDiscriminator) == [5])
        #expect(told.map(\.attributes.nextHop) == ["192.0.2.7"])
    }

    @Test func `prefixes share an UPDATE for each set of attributes, and a new one starts at 4096 octets`() {
        let networks = (0..<3000).map { index in
            IPPrefix(.v4(IPv4Address(bits: 0x0A00_0000 + UInt32(index) << 8)), length: 24)
        }
        let bench = Bench(networks: networks)
        bench.establish()
        let updates = bench.takeMessages().filter { $0.type == 2 }
        #expect(updates.allSatisfy { $0.body.count + 19 <= 4096 })
        let told = updates.compactMap { try? decodeUpdate($0.body, UpdateContext(isInternal: false)).get() }
        #expect(told.flatMap { $0.announcements.flatMap(\.prefixes) } == networks)
        // 20 octets of attributes and 23 of frame leave room for 1013 prefixes of 4 octets.
        #expect(updates.count == 3)
    }

    @Test func `a route too long for a message is withdrawn rather than announced`() throws {
        let sink = PeerConfiguration(address: "192.0.2.3", autonomousSystem: 65003, localAddress: "192.0.2.1")
        let bench = Bench { $0.peers.append(sink) }
        bench.establish()
        bench.speaker.connected(
            peer: 1, connection: ConnectionID(2), isIncoming: false, at: bench.now, into: &bench.outbox)
        bench.send(Bench.open(autonomousSystem: 65003, identifier: IPv4Address(10, 0, 0, 3)) + keepalive, on: 2)
        bench.send(announcement([prefix]))
        #expect(bench.speaker.advertisedRoutes(to: 1).count == 1)
        _ = bench.takeMessages(on: 2)
        bench.send(
            announcement([prefix]) { attributes in
                attributes.unrecognized = [
                    UnrecognizedAttribute(
                        type: AttributeType(rawValue: 99), flags: [.optional, .transitive],
                        value: Array(repeating: 7, count: 4096 - 23 - 20 - 4 - 4))
                ]
            })
        #expect(bench.speaker.bestRoute(to: prefix)?.attributes.unrecognized.count == 1)
        #expect(bench.speaker.advertisedRoutes(to: 1).isEmpty)
        #expect(bench.takeMessages(on: 2).map(\.body) == [[0, 4, 24, 198, 51, 100, 0, 0]])
        #expect(bench.speaker.status(of: 1).counters.unsendableRoutes == 1)
    }

    @Test(arguments: [
        (Community.noAdvertise, [Int]()), (.noExport, [2]), (.noExportSubconfederation, [2]),
        (Community(65002, 1), [1, 2]),
    ])
    func `well-known communities keep a route where it is`(_ community: Community, told: [Int]) {
        let outside = PeerConfiguration(address: "192.0.2.3", autonomousSystem: 65003, localAddress: "192.0.2.1")
        let inside = PeerConfiguration(address: "192.0.2.4", autonomousSystem: 65001, localAddress: "192.0.2.1")
        let bench = Bench { $0.peers += [outside, inside] }
        bench.establish()
        for (peer, number) in [(1, UInt32(65003)), (2, 65001)] {
            let connection = UInt32(peer + 1)
            bench.speaker.connected(
                peer: peer, connection: ConnectionID(connection), isIncoming: false, at: bench.now,
                into: &bench.outbox)
            let open = Bench.open(autonomousSystem: number, identifier: IPv4Address(10, 0, 0, UInt8(peer + 2)))
            bench.send(open + keepalive, on: connection)
        }
        bench.send(announcement([prefix]) { $0.communities = [community] })
        #expect([1, 2].filter { !bench.speaker.advertisedRoutes(to: $0).isEmpty } == told)
    }
}
