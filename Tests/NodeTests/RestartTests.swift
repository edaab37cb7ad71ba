import Basics
import Node
import Telemetry
import TestKit
import Testing

/// A node that ends and begins anew, and what the other end makes of it.
struct RestartTests {
    @Test(arguments: [0, 10, 150, 2_000, 30_000] as [Int64], [true, false])
    func `a restarted node is taken back, however long it was away`(milliseconds: Int64, byPowerFailure: Bool) {
        forEachSeed(10) { random in
            let world = Overlays.settledPair(seed: random.next())
            let restarted = Int(random.below(2))
            let survivor = world.sites[1 - restarted]
            let end = world.now
            world.kill(restarted, byPowerFailure: byPowerFailure)
            world.run(for: .milliseconds(milliseconds))
            let beginning = world.now
            world.restart(restarted)
            world.run(for: .milliseconds(1_200))
            // Both ends have seen the tunnels go and come.
            for tunnel in 0..<2 as Range<UInt32> {
                let news = survivor.states(of: tunnel, since: end)
                try #require(news.map(\.state) == [.down, .up])
                let isLong = milliseconds > 400
                try #require(news[0].cause == (isLong ? .detectionExpired : .neighborSignaled))
                try #require(news[0].at - end <= .milliseconds(400))
                let own = world.sites[restarted].states(of: tunnel, since: beginning)
                try #require(own.map(\.state) == [.up])
            }
            world.run(for: .milliseconds(800))
            try #require(world.sites.allSatisfy { $0.isEstablished() && $0.forwarding.count == 3 })

            let start = world.now
            world.sendFlow(from: 0, to: 1, every: .milliseconds(10), during: .seconds(1))
            world.sendFlow(from: 1, to: 0, every: .milliseconds(10), during: .seconds(1))
            world.run(for: .seconds(2))
            for site in world.sites {
                try #require(site.delivered.count { $0.at >= start } == 100)
                try #require(site.drops(since: start).isEmpty)
            }
        }
    }

    @Test func `a restarted node measures its paths from the start`() throws {
        let world = Overlays.settledPair()
        world.kill(1)
        world.run(for: .seconds(2))
        world.restart(1)
        world.run(for: .seconds(5))
        for site in world.sites {
            let samples: [PathSample] = site.reports.compactMap { _, record in
                guard case .pathSample(TunnelID(0), let sample) = record else { return nil }
                return sample
            }
            let last = try #require(samples.last)
            #expect((last.latency - .milliseconds(15)).magnitude < .microseconds(1))
            #expect(last.roundTrip == .milliseconds(30))
            #expect(last.lossSent == .zero && last.lossReceived == .zero)
        }
    }

    @Test func `a hub that restarts gets all its spokes back`() {
        let world = Overlays.star(spokes: 2)
        world.run(until: .zero + .seconds(12))
        world.kill(0)
        world.run(for: .seconds(3))
        #expect(world.sites[1].forwarding.count == 1 && world.sites[2].forwarding.count == 1)
        world.restart(0)
        world.run(for: .seconds(15))
        #expect(world.sites.allSatisfy { $0.forwarding.count == ($0 === world.sites[0] ? 6 : 5) })
    }
}
