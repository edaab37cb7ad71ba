import Basics
import Machine
import Node
import Steering
import Telemetry
import TestKit
import Testing
import Wire

/// The ways in which a path is lost, and how long traffic takes to leave it.
struct FailoverTests {
    private static let interval = Interval.milliseconds(100)
    /// Three intervals of silence and, as the last packet may have left just before the loss, one more.
    private static let detectionLimit = interval * 4

    /// Five flows in each direction on a settled pair.
    private static func busyPair(seed: UInt64, during span: Interval = .seconds(20)) -> World {
        let world = Overlays.settledPair(seed: seed)
        for flow in 0..<5 as Range<UInt16> {
            world.sendFlow(from: 0, to: 1, every: .milliseconds(20), during: span, ports: (40_000 + flow, 9_000))
            world.sendFlow(from: 1, to: 0, every: .milliseconds(20), during: span, ports: (9_000, 40_000 + flow))
        }
        world.run(for: .seconds(1))
        return world
    }

    @Test func `silent loss is detected in three intervals and one, and every flow's next packet goes elsewhere`() {
        forEachSeed(20) { random in
            let world = Self.busyPair(seed: random.next())
            let loss = world.now + Self.interval * Int64(random.below(10)) / 7
            world.run(until: loss)
            try #require(world.sites.allSatisfy { $0.traffic().allSatisfy { $0.tunnel == 0 } })
            world.pipes[0].cut()
            world.run(for: .seconds(2))
            for site in world.sites {
                let news = site.states(since: loss)
                try #require(news.count == 1 && news[0].tunnel == 0 && news[0].state == .down)
                try #require(news[0].cause == .detectionExpired)
                try #require(news[0].at - loss <= Self.detectionLimit)
                let later = site.traffic(since: news[0].at)
                try #require(later.count > 300 && later.allSatisfy { $0.tunnel == 1 && $0.socket == SocketID(1) })
                let moves = site.moves(since: loss)
                try #require(moves.count == 5)
                try #require(moves.allSatisfy { $0.from == 0 && $0.to == 1 && $0.cause == .failover })
                try #require(site.drops(since: loss).isEmpty)
                try #require(site.node.blackholedPackets == 0)
            }
        }
    }

    @Test func `a session outlives the tunnel that it ran through`() {
        let world = Self.busyPair(seed: 1)
        let loss = world.now
        world.pipes[0].cut()
        world.run(for: .seconds(15))
        #expect(world.sites.allSatisfy { $0.sessionStates(since: loss).isEmpty })
        #expect(world.sites.allSatisfy { site in !site.changes.contains { $0.at > loss } })
    }

    @Test func `a lost carrier moves this side's traffic at once and the other's after one latency`() {
        forEachSeed(20) { random in
            let world = Self.busyPair(seed: random.next())
            world.run(for: Interval(nanoseconds: Int64(random.below(100_000_000))))
            let loss = world.now
            world.setPort(0, of: 0, isUp: false)
            let own = TunnelNews(at: loss, tunnel: 0, state: .down, cause: .portDown)
            try #require(world.sites[0].states(since: loss) == [own])
            world.run(for: .seconds(3))
            try #require(world.sites[0].states(since: loss) == [own])
            // Neither traffic nor probes are handed to a port that has no carrier.
            try #require(world.sites[0].sent.allSatisfy { $0.at <= loss || $0.socket == SocketID(1) })
            try #require(world.sites[0].traffic(since: loss + .nanoseconds(1)).count > 500)
            // The news takes the other tunnel, which needs 39 ms.
            let news = world.sites[1].states(since: loss)
            try #require(news.count == 1 && news[0].cause == .neighborSignaled && news[0].tunnel == 0)
            try #require(news[0].at - loss <= .milliseconds(40))
            try #require(world.sites[1].traffic(since: news[0].at + .nanoseconds(1)).allSatisfy { $0.tunnel == 1 })
        }
    }

    @Test func `a carrier that returns brings the tunnel back within the slow interval`() {
        let world = Self.busyPair(seed: 3)
        world.setPort(0, of: 0, isUp: false)
        world.run(for: .seconds(2))
        let returned = world.now
        world.setPort(0, of: 0, isUp: true)
        #expect(world.sites[0].states(since: returned).isEmpty)
        world.run(for: .milliseconds(1_100))
        for site in world.sites {
            #expect(site.states(since: returned).map(\.state) == [.up])
        }
    }

    @Test func `the news of a lost carrier that has no other tunnel waits for the detection time`() {
        let world = Overlays.settledPair()
        world.pipes[1].cut()
        world.run(for: .seconds(1))
        let loss = world.now
        world.setPort(0, of: 0, isUp: false)
        world.run(for: .seconds(1))
        #expect(world.sites[0].states(since: loss).map(\.cause) == [.portDown])
        #expect(world.sites[1].states(since: loss).map(\.cause) == [.detectionExpired])
    }

    @Test func `a port that the node does not know changes nothing`() {
        let world = Overlays.settledPair()
        let start = world.now
        let before = world.sites[0].sent.count
        world.handle(.portChanged(PortID(7), isUp: false), at: 0)
        #expect(world.sites[0].states(since: start).isEmpty)
        #expect(world.sites[0].sent.count == before)
    }

    @Test(arguments: [true, false]) func `loss in one direction takes both ends off the tunnel`(isForward: Bool) throws
    {
        let world = Self.busyPair(seed: 5)
        let loss = world.now
        if isForward { world.pipes[0].ways.forward.loss = .one } else { world.pipes[0].ways.backward.loss = .one }
        world.run(for: .seconds(12))
        let (deaf, heard) = isForward ? (world.sites[1], world.sites[0]) : (world.sites[0], world.sites[1])
        let found = try #require(deaf.states(since: loss).first)
        #expect(found.cause == .detectionExpired && found.at - loss <= Self.detectionLimit)
        let told = try #require(heard.states(since: loss).first)
        #expect(told.cause == .neighborSignaled)
        #expect(told.at - found.at == .milliseconds(15))
        for site in world.sites {
            // It stays down, though one end hears the other all the time.
            #expect(site.states(since: loss).count == 1)
            #expect(site.traffic(since: told.at + .nanoseconds(1)).allSatisfy { $0.tunnel == 1 })
        }
    }

    @Test func `each end of a tunnel that is lost and found agrees with the other after a second`() {
        forEachSeed(20) { random in
            let world = Overlays.settledPair(seed: random.next())
            for _ in 0..<10 {
                let pipe = Int(random.below(2))
                switch random.below(3) {
                case 0: world.pipes[pipe].ways.forward.loss = random.chance(Ratio(0.5)) ? .one : .zero
                case 1: world.pipes[pipe].ways.backward.loss = random.chance(Ratio(0.5)) ? .one : .zero
                default: world.setPort(pipe, of: Int(random.below(2)), isUp: random.chance(Ratio(0.5)))
                }
                world.run(for: Interval(nanoseconds: Int64(random.below(2_000_000_000))))
            }
            for site in world.sites.indices {
                for port in 0..<2 { world.setPort(port, of: site, isUp: true) }
            }
            for pipe in world.pipes.indices { world.pipes[pipe].cut(false) }
            world.run(for: .milliseconds(1_500))
            try #require(world.sites.allSatisfy { $0.upTunnels.sorted() == [0, 1] })
            world.run(for: .seconds(30))
            try #require(world.sites.allSatisfy { $0.isEstablished() && $0.forwarding.count == 3 })
            try #require(world.sites.allSatisfy { $0.node.blackholedPackets == 0 })
        }
    }
}
