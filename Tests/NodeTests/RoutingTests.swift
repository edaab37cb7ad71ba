import Basics
import Machine
import Node
import Telemetry
import TestKit
import Testing
import Wire

/// What becomes of the peers' prefixes, and of the sessions that carry them.
struct RoutingTests {
    /// The NOTIFICATIONs among what a node wrote: code and subcode (RFC 4271 §4.5).
    private static func notifications(of site: Site, since start: Instant) -> [[UInt8]] {
        site.written.filter { $0.at >= start }.flatMap { _, octets in
            var found: [[UInt8]] = []
            var rest = octets[...]
            while rest.count >= 19 {
                let length = Int(rest[rest.startIndex + 16]) << 8 | Int(rest[rest.startIndex + 17])
                if rest[rest.startIndex + 18] == 3 { found.append(Array(rest.dropFirst(19).prefix(2))) }
                rest = rest.dropFirst(length)
            }
            return found
        }
    }

    @Test func `prefixes go when the last tunnel is down and come back with the first`() throws {
        let world = Overlays.settledPair()
        world.pipes[0].cut()
        world.run(for: .seconds(2))
        #expect(world.sites[0].forwarding.count == 3)
        let loss = world.now
        world.pipes[1].cut()
        world.run(for: .seconds(3))
        for (index, other) in [(0, 1), (1, 0)] {
            let site = world.sites[index]
            let down = try #require(site.states(since: loss).first)
            #expect(site.forwarding == [IPPrefix(host: .v4(Overlays.overlayAddress(other)))])
            let withdrawn = site.changes.filter { $0.at >= loss }
            #expect(withdrawn.map(\.at) == [down.at, down.at])
            #expect(withdrawn.map(\.change) == [.withdraw(Overlays.lan4(other)), .withdraw(Overlays.lan6(other))])
            #expect(site.node.overlayPrefixes == site.forwarding)
        }
        let repair = world.now
        world.pipes[1].cut(false)
        world.run(for: .seconds(2))
        for (index, other) in [(0, 1), (1, 0)] {
            let site = world.sites[index]
            let up = try #require(site.states(since: repair).first)
            #expect(up.state == .up && up.tunnel == 1)
            let installed = site.changes.filter { $0.at >= repair }
            #expect(installed.map(\.at) == [up.at, up.at])
            #expect(installed.map(\.change) == [.install(Overlays.lan4(other)), .install(Overlays.lan6(other))])
            // Five seconds are less than the hold time: the session never knew.
            #expect(site.sessionStates(since: loss).isEmpty)
        }
    }

    @Test func `a session that a long outage has ended is established anew`() throws {
        let world = Overlays.settledPair()
        let loss = world.now
        world.pipes[0].cut()
        world.pipes[1].cut()
        world.run(for: .seconds(30))
        for site in world.sites {
            let end = try #require(site.sessionStates(since: loss).first)
            #expect(end.state != .established)
            // The hold time is 9 s, and the last KEEPALIVE may be 3 s old.
            #expect(end.at - loss >= .seconds(6) && end.at - loss <= .seconds(9))
        }
        world.pipes[0].cut(false)
        // A second until the tunnel's ends hear each other, and the call follows at once.
        world.run(for: .milliseconds(1_600))
        #expect(world.sites.allSatisfy { $0.isEstablished() && $0.forwarding.count == 3 })
    }

    @Test func `a hub tells its spokes of each other and carries their traffic`() throws {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(12))
        #expect(world.sites[1].has(Overlays.lan4(2)) && world.sites[1].has(Overlays.lan6(2)))
        #expect(world.sites[2].has(Overlays.lan4(1)) && world.sites[2].has(Overlays.lan6(1)))
        let packet = Octets.udp(from: world.sites[1].host(), to: world.sites[2].host(), payload: [1, 2, 3])
        let start = world.now
        world.send(packet, from: 1)
        world.run(for: .milliseconds(30))
        #expect(world.sites[1].traffic(since: start).map(\.tunnel) == [0])
        #expect(world.sites[0].traffic(since: start).map(\.tunnel) == [1])
        #expect(world.sites[2].delivered == [Arrival(at: start + .milliseconds(20), octets: packet)])
    }

    @Test func `a spoke's prefixes leave the other spoke when the hub has lost it`() {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(12))
        world.pipes[1].cut()
        world.run(for: .milliseconds(500))
        #expect(!world.sites[1].has(Overlays.lan4(2)) && !world.sites[1].has(Overlays.lan6(2)))
        #expect(world.sites[1].has(Overlays.lan4(0)))
        world.pipes[1].cut(false)
        world.run(for: .seconds(3))
        #expect(world.sites[1].has(Overlays.lan4(2)) && world.sites[1].has(Overlays.lan6(2)))
    }

    @Test func `a hub that carries no transit keeps its spokes' prefixes to itself`() {
        let world = Overlays.star { _, configuration in configuration.isTransit = false }
        world.run(until: .zero + .seconds(12))
        let spokes = [(1, 2), (2, 1)]
        for (spoke, other) in spokes {
            #expect(world.sites[spoke].has(Overlays.lan4(0)) && world.sites[spoke].has(Overlays.lan6(0)))
            #expect(!world.sites[spoke].has(Overlays.lan4(other)) && !world.sites[spoke].has(Overlays.lan6(other)))
            #expect(world.sites[0].has(Overlays.lan4(spoke)) && world.sites[0].has(Overlays.lan6(spoke)))
        }
        let packet = Octets.udp(from: world.sites[1].host(), to: world.sites[2].host(), payload: [1])
        world.send(packet, from: 1)
        #expect(world.sites[1].drops().last == .noRoute)
    }

    @Test func `sites of one AS exchange their own prefixes`() {
        let world = Overlays.pair { _, configuration in Self.joinOneAS(&configuration) }
        world.run(until: .zero + .seconds(12))
        for (site, other) in [(0, 1), (1, 0)] {
            #expect(world.sites[site].isEstablished())
            #expect(world.sites[site].has(Overlays.lan4(other)) && world.sites[site].has(Overlays.lan6(other)))
        }
    }

    @Test func `within one AS a hub does not pass on what it has heard`() {
        let world = Overlays.star { _, configuration in Self.joinOneAS(&configuration) }
        world.run(until: .zero + .seconds(12))
        #expect(world.sites[0].forwarding.count == 6)
        #expect(world.sites[1].has(Overlays.lan4(0)) && !world.sites[1].has(Overlays.lan4(2)))
    }

    private static func joinOneAS(_ configuration: inout NodeConfiguration) {
        configuration.autonomousSystem = 65_000
        for peer in configuration.peers.indices { configuration.peers[peer].autonomousSystem = 65_000 }
    }

    @Test func `a peer of another AS than it should be is refused`() {
        let world = Overlays.pair { site, configuration in
            if site == 0 { configuration.peers[0].autonomousSystem = 65_099 }
        }
        world.run(until: .zero + .seconds(12))
        #expect(!world.sites[0].isEstablished() && !world.sites[1].isEstablished())
        // OPEN Message Error, Bad Peer AS.
        #expect(Self.notifications(of: world.sites[0], since: .zero).first == [2, 2])
    }

    @Test(arguments: [0, 1]) func `a reset session costs no route and is established again`(site: Int) throws {
        let world = Overlays.settledPair()
        let start = world.now
        world.command(.resetSession(peer: 0), at: site)
        #expect(Self.notifications(of: world.sites[site], since: start) == [[6, 4]])
        world.run(for: .milliseconds(100))
        #expect(!world.sites[1 - site].isEstablished())
        #expect(world.sites.allSatisfy { $0.forwarding.count == 3 })
        world.run(for: .seconds(8))
        #expect(world.sites.allSatisfy { site in !site.changes.contains { $0.at >= start } })
        #expect(world.sites.allSatisfy { $0.isEstablished() && $0.forwarding.count == 3 })
        // The old stream is closed at both ends, and no tunnel was touched.
        #expect(world.sites.allSatisfy { $0.connections.count == 1 })
        #expect(world.sites.allSatisfy { $0.states(since: start).isEmpty })
    }

    @Test func `a reset of a peer that does not exist does nothing`() {
        let world = Overlays.settledPair()
        let start = world.now
        for peer in [1, 77, UInt32.max] { world.command(.resetSession(peer: peer), at: 0) }
        #expect(world.sites[0].sessionStates(since: start).isEmpty)
        #expect(Self.notifications(of: world.sites[0], since: start).isEmpty)
    }

    @Test func `a node that is shut down says Cease to every peer and takes no call`() {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(12))
        let start = world.now
        world.command(.shutDown, at: 0)
        // A hard reset (RFC 8538 §3), after which nothing of the node's is kept.
        #expect(Self.notifications(of: world.sites[0], since: start) == [[6, 9], [6, 9]])
        #expect(world.sites[0].sessionStates(with: 0, since: start).map(\.state) == [.idle])
        #expect(world.sites[0].sessionStates(with: 1, since: start).map(\.state) == [.idle])
        #expect(world.sites[0].forwarding.count == 2)
        world.run(for: .milliseconds(50))
        for spoke in [1, 2] {
            #expect(world.sites[spoke].forwarding == [IPPrefix(host: .v4(Overlays.overlayAddress(0)))])
        }
        world.run(for: .seconds(30))
        #expect(world.sites.allSatisfy { !$0.isEstablished() })
        world.command(.shutDown, at: 0)
        world.run(for: .seconds(1))
        #expect(world.sites[0].sessionStates(since: start).count == 1)
    }

    @Test func `a stream from a stranger is aborted`() {
        let world = Overlays.settledPair()
        let stranger = SocketAddress(.v4(IPv4Address(10, 2, 0, 9)), port: 1_234)
        let local = SocketAddress(.v4(Overlays.overlayAddress(0)), port: 179)
        world.handle(.streamOpened(StreamID(1 << 31 | 99), local: local, remote: stranger), at: 0)
        world.handle(.streamOpened(StreamID(99), local: local, remote: stranger), at: 0)
        #expect(world.sites[0].abortedStreams == 2)
        #expect(world.sites[0].isEstablished())
    }

    @Test func `a stream that the peer has finished is finished here too`() throws {
        let world = Overlays.settledPair()
        let stream = try #require(world.sites[0].connections.keys.first)
        let site = world.sites[0]
        site.node.handle(.streamClosed(stream, .finished), at: world.now, into: &site.outbox)
        let finished = site.outbox.actions.filter { $0 == .finish(stream) }
        #expect(finished.count == 1)
    }

    @Test func `a stream that is reset costs the session and no more`() throws {
        let world = Overlays.settledPair()
        let start = world.now
        let stream = try #require(world.sites[0].connections.keys.first)
        world.sites[0].connections[stream] = nil
        world.handle(.streamClosed(stream, .reset), at: 0)
        #expect(!world.sites[0].isEstablished())
        world.run(for: .seconds(20))
        #expect(world.sites.allSatisfy { $0.isEstablished() && $0.forwarding.count == 3 })
        #expect(world.sites.allSatisfy { site in !site.changes.contains { $0.at >= start } })
        #expect(world.sites.allSatisfy { $0.states(since: start).isEmpty })
    }
}
