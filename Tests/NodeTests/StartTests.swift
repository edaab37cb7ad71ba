import Basics
import Machine
import Node
import Telemetry
import TestKit
import Testing
import Wire

/// What a node asks for when it starts, and how an overlay comes up.
struct StartTests {
    @Test func `a node that starts binds, listens and installs its peers, in that order`() throws {
        let world = Overlays.star()
        var node = Node(world.sites[0].configuration, random: SeededRandom(seed: 1), at: .zero)
        let deadline = node.nextDeadline
        #expect(deadline == nil)
        var outbox = Outbox()
        node.handle(.start, at: .zero, into: &outbox)
        try expectGolden(outbox.actions.map { "\($0)\n" }.joined(), named: "start.txt")
    }

    @Test func `one socket is bound for each port, at the port of GENEVE`() {
        let site = Overlays.pair().sites[0]
        #expect(
            site.bindings == [
                SocketID(0): SocketAddress(Overlays.portAddress(0, 0), port: 6_081),
                SocketID(1): SocketAddress(Overlays.portAddress(0, 1), port: 6_081),
            ])
        #expect(site.listener == SocketAddress(.v4(Overlays.overlayAddress(0)), port: 179))
        #expect(site.forwarding == [IPPrefix(host: .v4(Overlays.overlayAddress(1)))])
    }

    @Test func `tunnels, sessions and routes come up in that order, at these instants`() throws {
        let world = Overlays.settledPair()
        var text = ""
        for site in world.sites {
            for (at, record) in site.reports {
                if case .pathSample = record { continue }
                text += "\(site.name) \(at.nanoseconds / 1_000) µs \(record)\n"
            }
        }
        try expectGolden(text, named: "coming-up.txt")
    }

    @Test func `tunnels come up on three packets, one latency apart, whatever the seed`() {
        forEachSeed(20) { random in
            let world = Overlays.pair(seed: random.next())
            world.run(until: .zero + .milliseconds(100))
            for site in world.sites {
                let news = site.states()
                try #require(news.map(\.tunnel) == [0, 1])
                try #require(news.allSatisfy { $0.state == .up && $0.cause == .sessionUp })
                try #require(news.map(\.at) == [.zero + .milliseconds(30), .zero + .milliseconds(78)])
            }
        }
    }

    @Test func `both ends learn the other's prefixes of both families within half a second`() {
        forEachSeed(20) { random in
            let world = Overlays.pair(seed: random.next())
            world.run(until: .zero + .milliseconds(500))
            for (site, other) in [(0, 1), (1, 0)] {
                let known = Set(world.sites[site].forwarding)
                let peer = IPPrefix(host: .v4(Overlays.overlayAddress(other)))
                try #require(known == [peer, Overlays.lan4(other), Overlays.lan6(other)])
                try #require(world.sites[site].node.overlayPrefixes.sorted() == known.sorted())
                try #require(world.sites[site].isEstablished())
            }
        }
    }

    @Test func `each path that is up is reported every sample interval`() {
        let world = Overlays.pair { _, configuration in configuration.sampleInterval = .milliseconds(250) }
        world.run(until: .zero + .seconds(5))
        let samples: [(at: Instant, sample: PathSample)] = world.sites[0].reports.compactMap { at, record in
            guard case .pathSample(TunnelID(1), let sample) = record else { return nil }
            return (at, sample)
        }
        #expect(samples.map(\.at) == (1...20).map { Instant.zero + .milliseconds(250) * Int64($0) })
        // Packets carry microseconds, and so round the latency up.
        #expect(samples.last.map { $0.sample.latency - .milliseconds(39) < .microseconds(1) } == true)
        #expect(samples.last?.sample.roundTrip == .milliseconds(78))
        #expect(samples.last?.sample.lossSent == .zero)
    }

    @Test func `a node that was not woken for an hour reports each path once`() {
        let world = Overlays.pair { _, configuration in configuration.sampleInterval = .milliseconds(1) }
        world.run(until: .zero + .seconds(1))
        let site = world.sites[0]
        let now = world.now + .seconds(3_600)
        site.node.handle(.deadline, at: now, into: &site.outbox)
        let samples = site.outbox.actions.count { action in
            guard case .report(.pathSample) = action else { return false }
            return true
        }
        #expect(samples <= 2)
        #expect(site.outbox.count < 32)
        let next = site.node.nextDeadline
        #expect(next.map { $0.at > now } == true)
    }
}
