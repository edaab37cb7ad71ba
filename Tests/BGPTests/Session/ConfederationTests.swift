import BGP
import Basics
import Testing
import Wire

/// A speaker of AS 65010 in confederation 100, between a peer of AS 65020 in it and one of AS 200 outside.
private func confederate() -> Bench {
    let bench = Bench(ownAS: 65010, peerAS: 65020, networks: ["10.1.0.0/16"]) { configuration in
        configuration.confederation = Confederation(identifier: 100, members: [65010, 65020])
        var outside = PeerConfiguration(address: "192.0.2.3", autonomousSystem: 200, localAddress: "192.0.2.1")
        outside.isPassive = true
        configuration.peers.append(outside)
    }
    bench.establish(Bench.open(autonomousSystem: 65020))
    bench.speaker.connected(
        peer: 1, connection: ConnectionID(9), isIncoming: true, at: bench.now, into: &bench.outbox)
    bench.collect()
    return bench
}

@Suite struct ConfederationTests {
    @Test func `outside, the confederation has one number`() {
        let bench = confederate()
        #expect((try? decodeOpen(bench.takeMessages(on: 9)[0].body).get().autonomousSystem) == 100)
        #expect((try? decodeOpen(bench.takeMessages(on: 1)[0].body).get().autonomousSystem) == 65010)
        #expect(bench.state == .established)
    }

    @Test func `the way through the confederation is told inside it and forgotten outside`() {
        let bench = confederate()
        bench.send(Bench.open(autonomousSystem: 200, identifier: IPv4Address(10, 0, 0, 3)) + keepalive, on: 9)
        let inner = ASPath(segments: [.init(.confederationSequence, [65020, 65030]), .init(.sequence, [300])])
        bench.send(announcement(["198.51.100.0/24"], path: inner) { $0.localPreference = 250 })
        bench.send(announcement(["203.0.113.0/24"], path: ASPath(200), nextHop: "192.0.2.3"), on: 9)
        let outside = bench.speaker.advertisedRoutes(to: 1)
        #expect(outside.map { "\($0.prefix) \($0.attributes.path)" } == ["10.1.0.0/16 100", "198.51.100.0/24 100 300"])
        #expect(outside.allSatisfy { $0.attributes.localPreference == nil })
        let inside = bench.speaker.advertisedRoutes(to: 0)
        #expect(
            inside.map { "\($0.prefix) \($0.attributes.path)" } == [
                "10.1.0.0/16 (65010)", "203.0.113.0/24 (65010) 200",
            ])
        #expect(inside.allSatisfy { $0.attributes.localPreference == 100 })
        #expect(bench.speaker.bestRoute(to: "198.51.100.0/24")?.attributes.localPreference == 250)
    }

    @Test func `a path through the own AS or the whole confederation has been here`() {
        let bench = confederate()
        bench.send(Bench.open(autonomousSystem: 200, identifier: IPv4Address(10, 0, 0, 3)) + keepalive, on: 9)
        bench.send(announcement(["198.51.100.0/24"], path: ASPath(200, 100), nextHop: "192.0.2.3"), on: 9)
        let own = ASPath(segments: [.init(.confederationSequence, [65020, 65010])])
        bench.send(announcement(["203.0.113.0/24"], path: own))
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["10.1.0.0/16"])
    }

    @Test func `a community that keeps a route in the AS keeps it from the others of the confederation`() {
        let bench = confederate()
        bench.send(Bench.open(autonomousSystem: 200, identifier: IPv4Address(10, 0, 0, 3)) + keepalive, on: 9)
        for (prefix, community) in [
            ("198.51.100.0/24", Community.noExport), ("203.0.113.0/24", .noExportSubconfederation),
        ]
            as [(IPPrefix, Community)]
        {
            bench.send(
                announcement([prefix], path: ASPath(200), nextHop: "192.0.2.3") { $0.communities = [community] }, on: 9)
        }
        #expect(bench.speaker.advertisedRoutes(to: 0).map(\.prefix) == ["10.1.0.0/16", "198.51.100.0/24"])
    }
}
