import Basics
import Machine
import Node
import Steering
import Telemetry
import TestKit
import Testing
import Wire

/// What a node leaves to its host's data plane, and when it takes it back.
struct HandOverTests {
    private static let hosts = Overlays.pair().sites.map { $0.host() }

    private static func settledPair(usesDataplane: Bool = true) -> World {
        let world = Overlays.pair { _, configuration in
            configuration.usesDataplane = usesDataplane
            configuration.steering.policies.append(Steering.Policy(name: "bulk", prefer: ["wan-a"]))
        }
        world.run(until: .zero + .seconds(12))
        return world
    }

    private static func flow(_ port: UInt16) -> FiveTuple {
        FiveTuple(
            source: hosts[0], destination: hosts[1], protocolNumber: ProtocolNumber.udp,
            sourcePort: port, destinationPort: 9_000)
    }

    private static func send(_ world: World, _ port: UInt16) {
        let packet = Octets.udp(
            from: world.sites[0].host(), to: world.sites[1].host(), ports: (port, 9_000), payload: [1])
        world.handle(.overlayPacket(packet.span.bytes), at: 0)
    }

    /// The changes of the data plane after the first `count` of all.
    private static func changes(_ world: World, after count: Int = 0) -> [ForwardingChange] {
        world.sites[0].changes.dropFirst(count).map(\.change).filter { change in
            switch change {
            case .install, .withdraw, .route, .spread, .unroute: false
            case .open, .close, .steer, .release: true
            }
        }
    }

    private static func open(_ tunnel: UInt32) -> ForwardingChange {
        .open(TunnelID(tunnel), over: PortID(UInt16(tunnel)), to: Overlays.portAddress(1, Int(tunnel)))
    }

    @Test func `nothing is left to a host without a data plane`() {
        let world = Self.settledPair(usesDataplane: false)
        Self.send(world, 40_000)
        #expect(Self.changes(world).isEmpty)
        #expect(world.sites[0].tunnelsRead.isEmpty)
    }

    @Test func `tunnels are opened as they come up, and a flow is handed over with its first packet alone`() {
        let world = Self.settledPair()
        #expect(Self.changes(world) == [Self.open(0), Self.open(1)])
        let start = world.sites[0].changes.count
        for _ in 0..<3 { Self.send(world, 40_000) }
        Self.send(world, 40_001)
        #expect(
            Self.changes(world, after: start) == [
                .steer(Self.flow(40_000), into: TunnelID(0)), .steer(Self.flow(40_001), into: TunnelID(0)),
            ])
    }

    @Test func `a tunnel that is down is closed, its flows are released, and their next packets hand them over`() {
        let world = Self.settledPair()
        Self.send(world, 40_000)
        let start = world.sites[0].changes.count
        world.pipes[0].cut()
        world.run(for: .seconds(1))
        #expect(Self.changes(world, after: start) == [.close(TunnelID(0)), .release(Self.flow(40_000))])
        let down = world.sites[0].changes.count
        Self.send(world, 40_000)
        #expect(Self.changes(world, after: down) == [.steer(Self.flow(40_000), into: TunnelID(1))])
    }

    @Test func `flows are released when the better tunnel may be used again, and the first packet moves them`() {
        let world = Self.settledPair()
        Self.send(world, 40_000)
        world.pipes[0].cut()
        world.run(for: .seconds(1))
        Self.send(world, 40_000)
        world.pipes[0].cut(false)
        let repair = world.sites[0].changes.count
        // The flow goes on, in the data plane alone, for longer than the failback delay.
        world.run(for: .seconds(20))
        #expect(Self.changes(world, after: repair) == [Self.open(0), .release(Self.flow(40_000))])
        let (back, backAt) = (world.sites[0].changes.count, world.now)
        Self.send(world, 40_000)
        #expect(Self.changes(world, after: back) == [.steer(Self.flow(40_000), into: TunnelID(0))])
        #expect(world.sites[0].moves(since: backAt).map(\.to) == [0])
    }

    @Test func `no more flows are left to it than it was meant to have: the oldest makes room`() {
        let world = Self.settledPair()
        let start = world.sites[0].changes.count
        let count = 16_384
        for place in 0...count { Self.send(world, UInt16(1_024 + place)) }
        let changes = Self.changes(world, after: start)
        #expect(changes.count == count + 2)
        let last = changes.suffix(2)
        #expect(
            Array(last) == [
                .release(Self.flow(1_024)), .steer(Self.flow(UInt16(1_024 + count)), into: TunnelID(0)),
            ])
    }

    @Test func `a fragment, and what has no ports, stays with the node`() {
        let world = Self.settledPair()
        let start = world.sites[0].changes.count
        var packet = Octets.udp(from: world.sites[0].host(), to: world.sites[1].host(), payload: [1])
        packet[9] = ProtocolNumber.icmp
        world.handle(.overlayPacket(packet.span.bytes), at: 0)
        packet[9] = ProtocolNumber.udp
        packet[6] = 0x20
        world.handle(.overlayPacket(packet.span.bytes), at: 0)
        #expect(Self.changes(world, after: start).isEmpty)
    }

    @Test func `each probe asks what was carried, and a tunnel that loses it is told to the other end`() {
        let world = Self.settledPair()
        let start = world.now
        world.run(for: .seconds(1))
        let asked = world.sites[0].tunnelsRead.filter { $0.at > start }
        #expect((18...28).contains(asked.count))
        // One in ten of what the other end carried here does not come.
        for step in 1...20 as ClosedRange<UInt64> {
            world.handle(.carried(TunnelID(0), received: step * 90, expected: step * 100), at: 0)
            world.run(for: .milliseconds(100))
        }
        let loss = world.sites[0].reports.last { report in
            if case .pathSample(TunnelID(0), _) = report.record { true } else { false }
        }
        guard case .pathSample(_, let sample) = loss?.record else {
            Issue.record("no sample")
            return
        }
        #expect(sample.lossReceived > Ratio(0.06) && sample.lossReceived < Ratio(0.1))
        // An account that starts anew is no gain.
        world.handle(.carried(TunnelID(0), received: 5, expected: 5), at: 0)
        // The other end steers by what this one reports.
        #expect(world.sites[1].states(since: start).contains { $0.tunnel == 0 && $0.state == .degraded })
    }
}
