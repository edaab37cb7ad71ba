import Basics
import Machine
import Testing

/// Equal runs do equal things, to the octet.
struct DeterminismTests {
    /// A minute in which much happens, and the hash of every action of both nodes.
    private static func eventful(seed: UInt64) -> Fingerprint {
        let world = Overlays.pair(seed: seed, keepsFingerprint: true)
        world.pipes[0].ways.forward.loss = Ratio(0.02)
        world.run(until: .zero + .seconds(8))
        world.sendFlow(from: 0, to: 1, every: .milliseconds(20), during: .seconds(25), ports: (16_500, 16_500))
        world.sendFlow(from: 1, to: 0, every: .milliseconds(33), during: .seconds(25))
        world.run(for: .seconds(3))
        world.pipes[0].cut()
        world.run(for: .seconds(3))
        world.pipes[0].cut(false)
        world.setPort(1, of: 1, isUp: false)
        world.run(for: .seconds(4))
        world.setPort(1, of: 1, isUp: true)
        world.command(.resetSession(peer: 0), at: 1)
        world.run(for: .seconds(3))
        world.kill(1)
        world.run(for: .seconds(2))
        world.restart(1)
        world.run(for: .seconds(15))
        world.command(.shutDown, at: 0)
        world.run(for: .seconds(1))
        return world.fingerprint
    }

    @Test func `the same seed gives the same actions`() {
        #expect(Self.eventful(seed: 11) == Self.eventful(seed: 11))
    }

    @Test func `every seed gives a run of its own`() {
        #expect(Set((1...5).map { Self.eventful(seed: $0) }).count == 5)
    }

    @Test func `a deadline that comes early or twice changes nothing`() {
        let punctual = Overlays.pair(seed: 9, keepsFingerprint: true)
        let hasty = Overlays.pair(seed: 9, keepsFingerprint: true)
        punctual.run(until: .zero + .seconds(10))
        for step in 1...10_000 as ClosedRange<Int64> {
            hasty.run(until: .zero + .milliseconds(step))
            for site in hasty.sites.indices { hasty.handle(.deadline, at: site) }
        }
        #expect(punctual.fingerprint == hasty.fingerprint)
    }
}
