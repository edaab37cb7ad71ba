import BFD
import Basics
import Machine
import Node
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

/// What a node makes of BFD packets that no honest peer sends.
struct LivenessTests {
    /// A BFD packet of a site to the first one, each end named by its discriminator.
    private static func packet(
        from site: Int, _ state: BFD.Session.State = .down, discriminators: (local: UInt32, remote: UInt32) = (1, 0)
    ) -> [UInt8] {
        Octets.udp(
            from: .v4(Overlays.overlayAddress(site)), to: .v4(Overlays.overlayAddress(0)), ports: (49_152, 4_784),
            payload: written {
                ControlPacket(
                    state: state, detectMultiplier: 3, discriminators: discriminators, desiredMinTx: .milliseconds(100),
                    requiredMinRx: .milliseconds(100)
                ).append(to: &$0)
            })
    }

    /// The same packet with another total length, under a right header checksum.
    private static func claiming(_ totalLength: UInt16, _ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        packet.replaceSubrange(2..<4, with: [UInt8(totalLength >> 8), UInt8(truncatingIfNeeded: totalLength)])
        packet.replaceSubrange(10..<12, with: [0, 0])
        let checksum = packet[..<20].reading { span in
            var sum = Checksum()
            sum.add(span)
            return sum.value
        }
        packet.replaceSubrange(10..<12, with: [UInt8(checksum >> 8), UInt8(truncatingIfNeeded: checksum)])
        return packet
    }

    /// Hands the first site a packet through a tunnel to another site, as if that one had sealed it
    /// with a new row of sequence numbers at each instant.
    @discardableResult
    private static func forge(
        _ packet: [UInt8], through tunnel: (number: UInt32, site: Int, port: Int), in world: World
    )
        -> [DropCause]
    {
        var forger = Tunnel(
            TunnelConfiguration(number: tunnel.number), random: SeededRandom(seed: world.now.nanoseconds),
            at: world.now)
        let datagram = written { arena in
            _ = forger.seal(innerPacket: packet.span.bytes, at: world.now, into: &arena)
        }
        let remote = SocketAddress(Overlays.portAddress(tunnel.site, tunnel.port), port: 6_081)
        let before = world.sites[0].drops().count
        world.handle(
            .datagram(datagram.span.bytes, socket: SocketID(UInt32(tunnel.port)), from: remote), at: 0)
        return Array(world.sites[0].drops().dropFirst(before))
    }

    @Test(arguments: [0, 19, 20, 27, 28, 51, 53, 65_535] as [UInt16])
    func `a packet with a false length is malformed`(totalLength: UInt16) {
        let world = Overlays.pair()
        let packet = Self.claiming(totalLength, Self.packet(from: 1))
        #expect(Self.forge(packet, through: (0, 1, 0), in: world) == [.malformed])
        #expect(world.sites[0].states().isEmpty)
    }

    @Test func `once a session is up its packets go with probes, and nothing else is sent`() {
        let world = Overlays.settledPair()
        let start = world.now
        world.run(for: .seconds(10))
        for site in world.sites {
            for tunnel in 0..<2 as Range<UInt32> {
                let sent = site.sent.filter { $0.at > start && $0.tunnel == tunnel && !$0.isTraffic }
                let liveness = sent.filter { Octets.isLiveness($0.octets) }
                #expect(liveness.isEmpty)
                // Every 75 to 100 ms, as the RFC wants it.
                #expect((100...134).contains(sent.count))
                let isCarrying = sent.allSatisfy { $0.octets.count == 88 + ControlPacket.byteCount }
                #expect(isCarrying)
            }
        }
    }

    @Test func `a packet with a flipped bit is refused`() {
        let world = Overlays.settledPair()
        for place in 28..<52 {
            var packet = Self.packet(from: 1)
            packet[place] ^= 4
            world.run(for: .milliseconds(1))
            #expect(Self.forge(packet, through: (1, 1, 1), in: world) == [.badChecksum])
        }
        #expect(world.sites[0].upTunnels.sorted() == [0, 1])
    }

    @Test func `a packet in another site's name is malformed`() {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(8))
        #expect(Self.forge(Self.packet(from: 1), through: (1, 2, 0), in: world) == [.malformed])
        #expect(world.sites[0].upTunnels.sorted() == [0, 1])
    }

    @Test func `nobody tells of a tunnel to somebody else`() {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(8))
        let start = world.now
        Self.forge(Self.packet(from: 2, discriminators: (1, 1)), through: (1, 2, 0), in: world)
        world.run(for: .seconds(1))
        #expect(world.sites[0].states(since: start).isEmpty)
        // The packet is good as such: the tunnel to that site's own peer does believe it.
        Self.forge(Self.packet(from: 1, discriminators: (1, 1)), through: (0, 1, 0), in: world)
        #expect(world.sites[0].states(since: start).map(\.tunnel) == [0])
    }

    @Test func `another tunnel tells that one is down, never that it is up`() {
        let world = Overlays.settledPair()
        let loss = world.now
        world.pipes[0].cut()
        for _ in 0..<20 {
            Self.forge(Self.packet(from: 1, .up, discriminators: (1, 1)), through: (1, 1, 1), in: world)
            world.run(for: .milliseconds(50))
        }
        let news = world.sites[0].states(of: 0, since: loss)
        #expect(news.map(\.cause) == [.detectionExpired])
        #expect(news.allSatisfy { $0.at - loss <= .milliseconds(400) })
    }

    @Test func `a packet for a session that does not exist changes nothing`() {
        let world = Overlays.settledPair()
        let start = world.now
        for remote in [3, 77, UInt32.max] {
            Self.forge(Self.packet(from: 1, discriminators: (1, remote)), through: (0, 1, 0), in: world)
        }
        world.run(for: .seconds(1))
        #expect(world.sites[0].states(since: start).isEmpty)
    }
}
