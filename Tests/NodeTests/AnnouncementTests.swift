import Basics
import Machine
import Node
import Steering
import Telemetry
import TestKit
import Testing
import Wire

/// What a node announces that is not its own, and what becomes of packets for it.
struct AnnouncementTests {
    private static func prefix(_ text: String) throws -> PrefixSeries {
        PrefixSeries(try #require(IPPrefix(text)))
    }

    /// Three sites, each a peer of both others; site 2 is the one that goes wrong.
    private static func triangle(change: (Int, inout NodeConfiguration) -> Void = { _, _ in }) -> World {
        let pipes = [(0, 1), (0, 2), (1, 2)].map {
            Pipe(Pipe.End(site: $0.0, port: 0), Pipe.End(site: $0.1, port: 0), delay: .milliseconds(10))
        }
        let configurations = Overlays.configurations(3, pipes: pipes, steering: Overlays.steering()) {
            $1.isTransit = false
            change($0, &$1)
        }
        let world = World(configurations, pipes: pipes, seed: 1)
        world.run(until: .zero + .seconds(12))
        return world
    }

    /// Sends one packet to a host of site 0 and returns where it is delivered.
    private static func receivers(_ world: World, from site: Int, _ number: UInt32 = 10) -> [Int] {
        let before = world.sites.map(\.delivered.count)
        let packet = Octets.udp(from: world.sites[site].host(), to: world.sites[0].host(number), payload: [1])
        world.send(packet, from: site)
        world.run(for: .milliseconds(100))
        return world.sites.indices.filter { world.sites[$0].delivered.count > before[$0] }
    }

    @Test func `half of another site's prefix draws its traffic away, and it ends where it was announced`() throws {
        let world = Self.triangle()
        #expect(Self.receivers(world, from: 1) == [0])
        let start = world.now
        let hijacked = try Self.prefix("10.1.0.0/17")
        world.command(.announce(hijacked), at: 2)
        world.run(for: .milliseconds(100))
        #expect(world.sites[1].has(hijacked.first) && world.sites[2].has(hijacked.first))
        // The victim's own LAN is not taken from it.
        #expect(!world.sites[0].has(hijacked.first))
        #expect(Self.receivers(world, from: 1).isEmpty)
        #expect(world.sites[2].drops(since: start) == [.noRoute])
        // The other half is not concerned, and neither is what the third site says to itself.
        #expect(Self.receivers(world, from: 1, 40_000) == [0])
        for site in world.sites { #expect(site.node.overlayPrefixes == site.forwarding.sorted()) }

        world.command(.withdraw(hijacked), at: 2)
        world.run(for: .milliseconds(100))
        #expect(world.sites.allSatisfy { !$0.has(hijacked.first) })
        #expect(Self.receivers(world, from: 1) == [0])
        #expect(Self.receivers(world, from: 2) == [0])
        #expect(world.sites.allSatisfy { $0.states(since: start).isEmpty })
    }

    @Test func `what a peer announces as well is passed on to that peer`() throws {
        let world = Self.triangle { site, configuration in
            // Of two equal paths the one of the lower identifier is taken: site 2's.
            if site == 2 { configuration.overlayAddress = IPv4Address(10, 255, 0, 0) }
            for peer in configuration.peers.indices where configuration.peers[peer].name == "site-2" {
                configuration.peers[peer].overlayAddress = IPv4Address(10, 255, 0, 0)
            }
        }
        let leaked = PrefixSeries(Overlays.lan4(0))
        world.command(.announce(leaked), at: 2)
        world.run(for: .milliseconds(100))
        let start = world.now
        #expect(Self.receivers(world, from: 1) == [0])
        #expect(world.sites[1].traffic(since: start).map(\.tunnel) == [2])
        #expect(world.sites[2].traffic(since: start).map(\.tunnel) == [1])
        // Where the peer cannot be reached any more, nobody knows another way.
        world.pipes[1].cut()
        world.run(for: .seconds(2))
        #expect(Self.receivers(world, from: 1).isEmpty)
        #expect(world.sites[2].drops().last == .noRoute)
        world.pipes[1].cut(false)
        world.run(for: .seconds(5))
        #expect(Self.receivers(world, from: 1) == [0])
        world.command(.withdraw(leaked), at: 2)
        world.run(for: .milliseconds(100))
        let end = world.now
        #expect(Self.receivers(world, from: 1) == [0])
        #expect(world.sites[1].traffic(since: end).map(\.tunnel) == [0])
        #expect(Self.receivers(world, from: 2) == [0])
    }

    @Test func `a LAN is withdrawn, and announced again`() throws {
        let network = try Self.prefix("10.9.0.0/16")
        let world = Self.triangle { if $0 == 0 { $1.networks = [network.first] } }
        let before = world.sites.map(\.forwarding)
        for own in [PrefixSeries(Overlays.lan4(0)), network] {
            #expect(world.sites.map { $0.has(own.first) } == [false, true, true])
            world.command(.withdraw(own), at: 0)
            world.run(for: .milliseconds(100))
            #expect(world.sites.map { $0.has(own.first) } == [false, false, false])
            #expect(world.sites[1].has(Overlays.lan6(0)))
            world.command(.announce(own), at: 0)
            world.run(for: .milliseconds(100))
            #expect(world.sites.map { $0.forwarding.sorted() } == before.map { $0.sorted() })
            #expect(Self.receivers(world, from: 1) == [0])
        }
    }

    @Test func `a table of many prefixes reaches every peer in few messages, and goes as it came`() throws {
        let world = Self.triangle()
        let before = world.sites.map(\.forwarding)
        let start = world.now
        let table = try #require(PrefixSeries("20.0.0.0/24 +5000"))
        world.command(.announce(table), at: 2)
        world.run(for: .milliseconds(200))
        for site in [0, 1] {
            #expect(world.sites[site].forwarding.count == before[site].count + 5_000)
            #expect(world.sites[site].forwarding.sorted() == world.sites[site].node.overlayPrefixes)
        }
        // The announcing node needs no more routes than it takes to let nothing of it leave.
        #expect(world.sites[2].forwarding.count == before[2].count + table.cover.count)
        let octets = world.sites[2].written.filter { $0.at >= start }.reduce(0) { $0 + $1.octets.count }
        #expect(octets < 2 * (5_000 * 4 + 6 * 60))
        world.command(.withdraw(table), at: 2)
        world.run(for: .milliseconds(200))
        #expect(world.sites.map { $0.forwarding.sorted() } == before.map { $0.sorted() })
    }

    @Test func `a flow in the data plane's hands is taken back when its destination lies elsewhere`() throws {
        let world = Self.triangle { $1.usesDataplane = true }
        _ = Self.receivers(world, from: 1)
        let start = world.sites[1].changes.count
        func steered() -> [ForwardingChange] {
            world.sites[1].changes.dropFirst(start).map(\.change).filter {
                switch $0 {
                case .steer, .release: true
                default: false
                }
            }
        }
        let flow = FiveTuple(
            source: world.sites[1].host(), destination: world.sites[0].host(), protocolNumber: ProtocolNumber.udp,
            sourcePort: 40_000, destinationPort: 9_000)
        world.command(.announce(try Self.prefix("10.1.0.0/17")), at: 2)
        world.run(for: .milliseconds(100))
        #expect(steered() == [.release(flow)])
        _ = Self.receivers(world, from: 1)
        #expect(steered() == [.release(flow), .steer(flow, into: TunnelID(2))])
        world.command(.withdraw(try Self.prefix("10.1.0.0/17")), at: 2)
        world.run(for: .milliseconds(100))
        _ = Self.receivers(world, from: 1)
        #expect(steered().suffix(2) == [.release(flow), .steer(flow, into: TunnelID(0))])
    }

    @Test func `announcing twice is announcing once, and what was never announced is withdrawn in vain`() throws {
        let world = Self.triangle()
        let before = world.sites.map(\.forwarding)
        let prefix = try Self.prefix("2001:db8::/32")
        for _ in 0..<2 { world.command(.announce(prefix), at: 2) }
        world.command(.withdraw(try Self.prefix("192.0.2.0/24")), at: 2)
        world.run(for: .milliseconds(100))
        #expect(world.sites.map { $0.has(prefix.first) } == [true, true, true])
        world.command(.withdraw(prefix), at: 2)
        world.run(for: .milliseconds(100))
        #expect(world.sites.map { $0.forwarding.sorted() } == before.map { $0.sorted() })
    }
}
