import Basics
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

@Suite struct LivenessTests {
    private let shared = TunnelConfiguration(number: 7, clocksShared: true)

    @Test func `silence begins exactly the multiplier times the interval after the last arrival`() {
        forEachSeed(20) { random in
            var configuration = shared
            configuration.detectMultiplier = 1 + Int(random.below(5))
            configuration.probeInterval = .milliseconds(20 + Int64(random.below(300)))
            var pair = TunnelPair(configuration, random: random.fork())
            pair.run(for: .seconds(3))
            pair.wires[0].loss = .one
            pair.run(for: .seconds(1))
            let tunnel = pair.ends[1]
            let last = try #require(tunnel.lastReceivedAt)
            let silentAt = last + configuration.probeInterval * Int64(configuration.detectMultiplier)
            try #require(tunnel.silentAt == silentAt)
            try #require(tunnel.isAlive(at: silentAt - .nanoseconds(1)))
            try #require(!tunnel.isAlive(at: silentAt))
        }
    }

    @Test func `the onset of silence is a deadline, once`() throws {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 8))
        pair.run(for: .seconds(2))
        pair.wires[0].loss = .one
        pair.run(for: .milliseconds(205))
        var tunnel = pair.ends[1]
        var arena = ByteArena(capacity: 256)
        var wakes: [Instant] = []
        for _ in 0..<6 {
            let now = tunnel.nextDeadline
            let lossBefore = tunnel.sample.lossReceived
            _ = tunnel.wake(at: now, into: &arena)
            wakes.append(now)
            if now == tunnel.silentAt {
                #expect(lossBefore == .zero && tunnel.sample.lossReceived == .one)
            }
        }
        #expect(wakes.filter { $0 == tunnel.silentAt }.count == 1)
        #expect(zip(wakes, wakes.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `a tunnel is silent until the other end is heard`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 1))
        for end in 0..<2 {
            #expect(!pair.ends[end].isAlive(at: pair.now))
            #expect(pair.ends[end].sample.lossReceived == .zero && pair.ends[end].lastReceivedAt == nil)
        }
        pair.run(for: .milliseconds(115))
        #expect(pair.ends[0].isAlive(at: pair.now) && pair.ends[1].isAlive(at: pair.now))
    }

    @Test func `packets alone keep a tunnel alive`() {
        var tunnel = SampleDatagrams.receiver()
        for step in 1...50 {
            let now = Instant(nanoseconds: UInt64(step) * 100_000_000)
            _ = tunnel.open(datagram(sequence: UInt32(step)).span.bytes, at: now)
            #expect(tunnel.isAlive(at: now + .milliseconds(299)) && tunnel.lastReceivedAt == now)
        }
    }

    @Test func `after an outage it is told as silence, not as loss`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 2))
        pair.sendPackets(from: 0, every: .milliseconds(1))
        pair.run(for: .seconds(2))
        pair.wires[0].loss = .one
        pair.run(for: .seconds(2))
        let during = pair.ends[1].sample
        #expect(during.lossReceived == .one)
        let told = pair.ends[0].sample
        #expect(told.lossSent == .one && told.lossReceived == .zero)
        pair.wires[0].loss = .zero
        pair.run(for: .milliseconds(400))
        let after = pair.ends[1].sample
        #expect(after.lossReceived == .zero && pair.ends[1].isAlive(at: pair.now))
        #expect(pair.ends[1].counters.lost >= 1_990 && pair.ends[1].counters.lost <= 2_030)
    }

    @Test func `a short gap is loss`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 2))
        pair.sendPackets(from: 0, every: .milliseconds(1))
        pair.run(for: .seconds(3))
        pair.wires[0].loss = .one
        pair.run(for: .milliseconds(200))
        pair.wires[0].loss = .zero
        pair.run(for: .milliseconds(600))
        let loss = pair.ends[1].sample.lossReceived
        #expect(loss > Ratio(0.15) && loss < Ratio(0.21))
    }

    @Test func `one end restarts, with the same random stream, and nothing is counted as lost`() {
        forEachSeed(20) { random in
            var pair = TunnelPair(shared, random: random.fork())
            let stream = random.fork()
            pair.restart(0, random: stream)
            for end in 0..<2 { pair.sendPackets(from: end, every: .milliseconds(2)) }
            pair.run(for: .seconds(2))
            pair.restart(0, random: stream)
            pair.run(for: .milliseconds(350))
            try #require(pair.ends[1].counters.restarts >= 1)
            for end in 0..<2 {
                let tunnel = pair.ends[end]
                try #require(tunnel.counters.lost == 0 && tunnel.counters.tooLate <= 1)
                try #require(tunnel.sample.lossReceived == .zero && tunnel.sample.lossSent == .zero)
                try #require(tunnel.sample.roundTrip == .milliseconds(20))
            }
            let delivered = pair.deliveredAt[1].count
            pair.run(for: .seconds(1))
            try #require(pair.deliveredAt[1].count == delivered + 500)
        }
    }

    @Test func `a probe of the session before is not taken for another restart`() {
        var near = SampleDatagrams.receiver()
        var probes: [[UInt8]] = []
        for seed in 1...2 as ClosedRange<UInt64> {
            var far = Tunnel(SampleDatagrams.configuration, random: SeededRandom(seed: seed), at: .zero)
            for _ in 0..<3 {
                var arena = ByteArena(capacity: 128)
                let deadline = far.nextDeadline
                if let range = far.wake(at: deadline, into: &arena) { probes.append(octets(arena.bytes(range))) }
            }
        }
        let now = Instant(nanoseconds: 400_000_000)
        var opened: [Opened] = []
        for index in [0, 1, 3, 2, 4, 5] {
            let probe = probes[index]
            opened.append(near.open(probe.span.bytes, at: now))
        }
        #expect(
            opened == [
                .probe(attachment: nil), .probe(attachment: nil), .probe(attachment: nil), .refused(.duplicate),
                .probe(attachment: nil), .probe(attachment: nil),
            ])
        #expect(near.counters.restarts == 1 && near.counters.tooLate == 1 && near.counters.lost == 0)
    }

    @Test func `a probe before its time stands for the one that is due next`() throws {
        var tunnel = Tunnel(shared, random: SeededRandom(seed: 4), at: .zero)
        var arena = ByteArena(capacity: 4_096)
        let attachment: [UInt8] = [1, 2, 3]
        var now = tunnel.nextDeadline
        _ = tunnel.wake(at: now, into: &arena)
        for _ in 0..<50 {
            now = now + .milliseconds(99)
            let due = tunnel.nextDeadline
            try #require(due > now)
            let carrying = tunnel.probe(carrying: attachment.span.bytes, at: now, into: &arena)
            try #require(carrying.count == 88 + 3)
        }
        // They have ceased, and those on the grid go on.
        #expect(tunnel.nextDeadline == now + .milliseconds(125))
        let next = tunnel.wake(at: now + .milliseconds(125), into: &arena)
        #expect(next?.count == 88)
        #expect(tunnel.nextDeadline == now + .milliseconds(225))
        #expect(tunnel.counters.probesSent == 52)
    }

    @Test func `probes go out on a grid whose phase is drawn`() {
        var phases: Set<UInt64> = []
        forEachSeed(20) { random in
            let start = Instant(nanoseconds: 77)
            var tunnel = Tunnel(shared, random: random.fork(), at: start)
            let first = tunnel.nextDeadline
            phases.insert(first.nanoseconds)
            try #require(first >= start && first < start + .milliseconds(100))
            var arena = ByteArena(capacity: 256)
            let early = tunnel.wake(at: first - .nanoseconds(1), into: &arena)
            try #require(early == nil)
            let onTime = tunnel.wake(at: first, into: &arena)
            try #require(onTime?.count == 88)
            try #require(tunnel.nextDeadline == first + .milliseconds(100))
            // A late host skips what it missed.
            let late = tunnel.wake(at: first + .milliseconds(350), into: &arena)
            try #require(late != nil && tunnel.nextDeadline == first + .milliseconds(400))
        }
        #expect(phases.count == 20)
    }
}
