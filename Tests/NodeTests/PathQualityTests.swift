import Basics
import Node
import Steering
import Telemetry
import TestKit
import Testing

/// Paths that become bad without being lost, and those that come and go.
struct PathQualityTests {
    private static let call: (source: UInt16, destination: UInt16) = (16_500, 16_500)

    /// A settled pair with a call and a data flow of 50 packets a second each way.
    private static func callingPair(seed: UInt64, failbackDelay: Interval, during span: Interval) -> World {
        let world = Overlays.settledPair(seed: seed, failbackDelay: failbackDelay)
        for (source, target) in [(0, 1), (1, 0)] {
            world.sendFlow(from: source, to: target, every: .milliseconds(20), during: span, ports: call)
            world.sendFlow(
                from: source, to: target, every: .milliseconds(20), during: span, ports: (40_000, 40_000),
                payloadByteCount: 1_000)
        }
        world.run(for: .seconds(2))
        return world
    }

    private static func isCall(_ sent: Sent) -> Bool {
        let packet = Octets.inner(sent.octets)
        return UInt16(packet[20]) << 8 | UInt16(packet[21]) == call.source
    }

    @Test func `a call leaves a brownout within a second and returns once, after the failback delay`() {
        var tries = 0
        var lateTries = 0
        forEachSeed(20) { random in
            let failbackDelay = Interval.seconds(5)
            let world = Self.callingPair(seed: random.next(), failbackDelay: failbackDelay, during: .seconds(60))
            let onset = world.now
            let healthy = world.pipes[0].ways
            world.pipes[0].ways.forward.delay += .milliseconds(120)
            world.pipes[0].ways.forward.loss = Ratio(0.08)
            world.pipes[0].ways.backward = world.pipes[0].ways.forward
            world.run(for: .seconds(20))
            let repair = world.now
            world.pipes[0].ways = healthy
            world.run(for: .seconds(30))

            for site in world.sites {
                let stays = Self.stays(site.traffic(since: onset).filter(Self.isCall))
                try #require(stays.map(\.tunnel) == [0, 1, 0])
                // Two losses of the window's hundred are the least that tells 8 % from 1 %, and now and then they
                // are late to come.
                let left = stays[1].from - onset
                try #require(left < .milliseconds(1_250))
                tries += 1
                if left >= .seconds(1) { lateTries += 1 }
                let away = stays[2].from - repair
                // What was lost lately has to leave the window, which an idle path stretches, before the path is good.
                try #require(away >= failbackDelay && away <= failbackDelay + .milliseconds(10_500))
                try #require(site.drops(since: onset).isEmpty)
            }
        }
        #expect(lateTries * 10 <= tries)
    }

    @Test func `a path that comes and goes is returned to once, after a delay that doubles with each failure`() {
        forEachSeed(10) { random in
            let world = Self.callingPair(seed: random.next(), failbackDelay: .seconds(5), during: .seconds(120))
            let onset = world.now
            var repair = onset
            for _ in 0..<5 {
                world.pipes[0].cut()
                world.run(for: .seconds(1))
                world.pipes[0].cut(false)
                repair = world.now
                world.run(for: .seconds(2))
            }
            world.run(for: .seconds(90))
            for site in world.sites {
                let stays = Self.stays(site.traffic(since: onset).filter(Self.isCall))
                try #require(stays.map(\.tunnel) == [0, 1, 0])
                try #require(stays[1].from - onset <= .milliseconds(420))
                let away = stays[2].from - repair
                // Four doublings of five seconds, counted from the first good sample of a tunnel that is up again.
                try #require(away >= .seconds(80) && away <= .seconds(82))
                try #require(site.states(of: 0, since: onset).filter { $0.state == .down }.count == 5)
            }
        }
    }

    @Test(arguments: [true, false]) func `only who sends in the direction that is slow leaves the path`(isForward: Bool)
    {
        let world = Self.callingPair(seed: 2, failbackDelay: .seconds(5), during: .seconds(20))
        let onset = world.now
        if isForward {
            world.pipes[0].ways.forward.delay = .milliseconds(200)
        } else {
            world.pipes[0].ways.backward.delay = .milliseconds(200)
        }
        world.run(for: .seconds(10))
        let (slow, fast) = isForward ? (world.sites[0], world.sites[1]) : (world.sites[1], world.sites[0])
        #expect(Self.stays(slow.traffic(since: onset).filter(Self.isCall)).map(\.tunnel) == [0, 1])
        #expect(Self.stays(fast.traffic(since: onset).filter(Self.isCall)).map(\.tunnel) == [0])
        // The built-in class bears 400 ms: data stay with both.
        #expect(slow.traffic(since: onset).contains { $0.at > onset + .seconds(9) && $0.tunnel == 0 })
    }

    @Test func `a little jitter and a rare loss move nothing`() {
        let world = Self.callingPair(seed: 4, failbackDelay: .seconds(5), during: .seconds(40))
        let onset = world.now
        for step in 0..<60 as Range<Int64> {
            world.pipes[0].ways.forward.delay = .milliseconds(15 + step % 3 * 5)
            world.pipes[0].ways.backward.delay = .milliseconds(15 + step % 2 * 8)
            world.run(for: .milliseconds(500))
        }
        #expect(world.sites.allSatisfy { $0.moves(since: onset).isEmpty && $0.states(since: onset).isEmpty })
    }

    /// In which tunnels the packets went, one after the other, and since when.
    private static func stays(_ packets: [Sent]) -> [(tunnel: UInt32, from: Instant)] {
        packets.reduce(into: []) { stays, packet in
            if stays.last?.tunnel != packet.tunnel { stays.append((packet.tunnel, packet.at)) }
        }
    }
}
