import Basics
import Machine
import Node
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

/// The way of one packet through two nodes.
struct ForwardingTests {
    @Test(arguments: [0, 1, 11, 512, 1_372])
    func `a packet is sealed into the tunnel and arrives octet for octet`(payloadByteCount: Int) throws {
        let world = Overlays.settledPair()
        var random = SeededRandom(seed: UInt64(payloadByteCount))
        let start = world.now
        let packet = Octets.udp(
            from: world.sites[0].host(), to: world.sites[1].host(), payload: random.octets(payloadByteCount))
        world.send(packet, from: 0)
        world.run(for: .milliseconds(40))

        let sent = try #require(world.sites[0].traffic(since: start).first)
        #expect(world.sites[0].traffic(since: start).count == 1)
        #expect(sent.tunnel == 0)
        #expect(sent.socket == SocketID(0))
        #expect(sent.remote == SocketAddress(Overlays.portAddress(1, 0), port: 6_081))
        #expect(Octets.inner(sent.octets) == packet)
        #expect(sent.octets.count == packet.count + TunnelHeader.byteCount)
        #expect(world.sites[1].delivered == [Arrival(at: start + .milliseconds(15), octets: packet)])
    }

    @Test func `IPv6 packets go through the same tunnel`() throws {
        let world = Overlays.settledPair()
        let packet = Octets.udp(
            from: .v6(IPv6Address(high: 0xFD00_0001_0000_0000, low: 5)),
            to: .v6(IPv6Address(high: 0xFD00_0002_0000_0000, low: 6)), payload: Array(repeating: 7, count: 64))
        world.send(packet, from: 0)
        world.run(for: .milliseconds(40))
        let sent = try #require(world.sites[0].traffic().last)
        #expect(sent.octets[2...3].elementsEqual([0x86, 0xDD]))
        #expect(world.sites[1].delivered.map(\.octets) == [packet])
    }

    @Test func `packets of both directions leave and arrive in order and none is changed`() {
        let world = Overlays.settledPair()
        world.sendFlow(from: 0, to: 1, every: .milliseconds(1), during: .seconds(2))
        world.sendFlow(from: 1, to: 0, every: .milliseconds(1), during: .seconds(2), ports: (1, 2))
        world.run(for: .seconds(3))
        for (source, target) in [(0, 1), (1, 0)] {
            let sealed = world.sites[source].traffic().map { Octets.inner($0.octets) }
            #expect(sealed.count == 2_000)
            #expect(world.sites[target].delivered.map(\.octets) == sealed)
        }
        #expect(world.sites[0].drops().isEmpty && world.sites[1].drops().isEmpty)
    }

    @Test func `a packet to nowhere is dropped and reported`() {
        let world = Overlays.settledPair()
        let start = world.now
        let own = world.sites[0].host(20)
        let targets: [IPAddress] = [.v4(IPv4Address(8, 8, 8, 8)), .v4(IPv4Address(10, 3, 0, 1)), own]
        for target in targets {
            world.send(Octets.udp(from: world.sites[0].host(), to: target, payload: [1]), from: 0)
        }
        #expect(world.sites[0].drops(since: start) == [.noRoute, .noRoute, .noRoute])
        #expect(world.sites[0].traffic(since: start).isEmpty)
    }

    @Test(arguments: [[], [0x45], Array(repeating: 0x55, count: 40), Array(repeating: 0x45, count: 19)] as [[UInt8]])
    func `what is no packet is dropped as malformed`(octets: [UInt8]) {
        let world = Overlays.settledPair()
        let start = world.now
        world.send(octets, from: 0)
        #expect(world.sites[0].drops(since: start) == [.malformed])
    }

    @Test func `without a path a packet is dropped, which is no black hole`() {
        let world = Overlays.settledPair()
        world.pipes[0].cut()
        world.pipes[1].cut()
        world.run(for: .milliseconds(500))
        let start = world.now
        world.send(Octets.udp(from: world.sites[0].address, to: world.sites[1].address, payload: [1]), from: 0)
        world.send(Octets.udp(from: world.sites[0].host(), to: world.sites[1].host(), payload: [1]), from: 0)
        // The peer's own address is always routed; its LAN goes when it cannot be reached.
        #expect(world.sites[0].drops(since: start) == [.noPath, .noRoute])
        let blackholed = world.sites[0].node.blackholedPackets
        #expect(blackholed == 0)
    }

    @Test func `before any tunnel is up a packet has no path`() {
        let world = Overlays.pair()
        world.send(Octets.udp(from: world.sites[0].address, to: world.sites[1].address, payload: [1]), from: 0)
        #expect(world.sites[0].drops() == [.noPath])
        let blackholed = world.sites[0].node.blackholedPackets
        #expect(blackholed == 0)
    }
}

/// What a node makes of datagrams that are not quite what it expects.
struct DatagramTests {
    /// A valid packet of the peer's, as it arrives at the first site.
    private static func sealed(_ world: World) throws -> Sent {
        let start = world.now
        world.send(Octets.udp(from: world.sites[1].host(), to: world.sites[0].host(), payload: [1, 2, 3]), from: 1)
        return try #require(world.sites[1].traffic(since: start).last)
    }

    /// What the first site reports of a datagram that reaches it at once.
    private func verdict(
        on octets: [UInt8], socket: SocketID = SocketID(0), from remote: IPAddress = Overlays.portAddress(1, 0),
        in world: World
    ) -> [DropCause] {
        let count = world.sites[0].reports.count
        let span = octets.span.bytes
        world.handle(.datagram(span, socket: socket, from: SocketAddress(remote, port: 6_081)), at: 0)
        return world.sites[0].reports[count...].compactMap { _, record in
            guard case .dropped(let cause) = record else { return nil }
            return cause
        }
    }

    @Test func `a datagram is taken once, from its own port and peer alone`() throws {
        let world = Overlays.settledPair()
        let octets = try Self.sealed(world).octets
        #expect(verdict(on: octets, socket: SocketID(1), in: world) == [.notForUs])
        #expect(verdict(on: octets, socket: SocketID(99), in: world) == [.notForUs])
        #expect(verdict(on: octets, from: Overlays.portAddress(1, 1), in: world) == [.notForUs])
        #expect(world.sites[0].delivered.isEmpty)
        #expect(verdict(on: octets, in: world) == [])
        #expect(verdict(on: octets, in: world) == [.duplicate])
        #expect(world.sites[0].delivered.count == 1)
    }

    @Test func `a peer's port number may be any`() throws {
        let world = Overlays.settledPair()
        let octets = try Self.sealed(world).octets
        let remote = SocketAddress(Overlays.portAddress(1, 0), port: 50_001)
        world.handle(.datagram(octets.span.bytes, socket: SocketID(0), from: remote), at: 0)
        #expect(world.sites[0].delivered.count == 1)
    }

    @Test func `a broken header is refused with its cause`() throws {
        let world = Overlays.settledPair()
        let octets = try Self.sealed(world).octets
        var flipped = octets
        flipped[13] ^= 1
        #expect(verdict(on: flipped, in: world) == [.badChecksum])
        var elsewhere = octets
        elsewhere[6] = 77
        #expect(verdict(on: elsewhere, in: world) == [.badTunnelHeader])
        #expect(verdict(on: Array(octets.prefix(23)), in: world) == [.badTunnelHeader])
        #expect(verdict(on: [], in: world) == [.badTunnelHeader])
        #expect(verdict(on: Array(octets.dropLast()), in: world) == [.badChecksum])
        #expect(world.sites[0].delivered.isEmpty)
    }
}
