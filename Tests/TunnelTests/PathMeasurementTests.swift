import Basics
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

@Suite struct PathMeasurementTests {
    @Test func `what a data plane has carried counts into the loss, and not while the tunnel is silent`() throws {
        var near = Tunnel(SampleDatagrams.configuration, random: SeededRandom(seed: 1), at: .zero)
        var far = Tunnel(SampleDatagrams.configuration, random: SeededRandom(seed: 2), at: .zero)
        var arena = ByteArena(capacity: 65_536)
        near.count(carried: 0, of: 1_000, at: .zero)
        for _ in 0..<30 {
            let now = far.nextDeadline
            let probe = try #require(far.wake(at: now, into: &arena))
            let datagram = octets(arena.bytes(probe))
            let opened = near.open(datagram.span.bytes, at: now)
            #expect(opened == .probe(attachment: nil))
            near.count(carried: 98, of: 100, at: now)
            while near.nextDeadline <= now { _ = near.wake(at: near.nextDeadline, into: &arena) }
        }
        // Two of each hundred and one.
        #expect(abs(near.sample.lossReceived.fraction - 2.0 / 101) < 0.001, "\(near.sample.lossReceived)")
    }

    @Test func `the lost end of a burst that is noticed after a pause is not the path's loss`() throws {
        var near = Tunnel(SampleDatagrams.configuration, random: SeededRandom(seed: 1), at: .zero)
        var far = Tunnel(SampleDatagrams.configuration, random: SeededRandom(seed: 2), at: .zero)
        var arena = ByteArena(capacity: 65_536)
        var losses: [Bool] = []
        for round in 0..<60 {
            let now = far.nextDeadline
            let probe = try #require(far.wake(at: now, into: &arena))
            let datagram = octets(arena.bytes(probe))
            let opened = near.open(datagram.span.bytes, at: now)
            #expect(opened == .probe(attachment: nil))
            // A burst, a pause of two seconds, then packets again, before the first of which forty are missing.
            switch round {
            case 0..<20, 41..<60: near.count(carried: 10, of: 10, at: now)
            case 40: near.count(carried: 10, of: 50, at: now)
            default: near.count(carried: 0, of: 0, at: now)
            }
            while near.nextDeadline <= now { _ = near.wake(at: near.nextDeadline, into: &arena) }
            losses.append(near.sample.lossReceived > .zero)
        }
        #expect(!losses[20...].contains(true))
    }

    private let shared = TunnelConfiguration(number: 7, clocksShared: true)

    /// Whether `measured` of `count` draws is within five deviations of the binomial distribution, and one packet.
    private func isPlausible(_ measured: Ratio, of loss: Double, count: Int) -> Bool {
        let deviation = (loss * (1 - loss) / Double(count)).squareRoot()
        return abs(measured.fraction - loss) <= 5 * deviation + 1 / Double(count)
    }

    @Test func `an idle path's latency and round trip are exact with a shared clock`() {
        forEachSeed(20) { random in
            var pair = TunnelPair(shared, random: random.fork())
            pair.wires[0].latency = Interval(nanoseconds: Int64(random.below(80_000_000)))
            pair.wires[1].latency = Interval(nanoseconds: Int64(random.below(80_000_000)))
            pair.run(for: .seconds(2))
            for end in 0..<2 {
                let sample = pair.ends[end].sample
                try #require(sample.latency == pair.wires[1 - end].latency)
                try #require(sample.roundTrip == pair.wires[0].latency + pair.wires[1].latency)
                try #require(sample.jitter == .zero)
                try #require(sample.lossReceived == .zero && sample.lossSent == .zero)
                try #require(pair.ends[end].peerReport?.latency == pair.wires[end].latency)
            }
        }
    }

    @Test func `packets measure latency to the microsecond`() {
        forEachSeed(10) { random in
            var pair = TunnelPair(shared, random: random.fork())
            pair.wires[0].latency = Interval(nanoseconds: Int64(random.below(80_000_000)))
            pair.sendPackets(from: 0, every: Interval(nanoseconds: 777_777))
            pair.run(for: .seconds(1))
            let error = pair.ends[1].sample.latency - pair.wires[0].latency
            try #require(error >= .zero && error < .microseconds(1))
            let jitter = pair.ends[1].sample.jitter
            try #require(jitter < .microseconds(1))
        }
    }

    @Test func `one-way loss shows on the side that misses it, and is reported to the other`() {
        forEachSeed(10) { random in
            let loss = 0.02 + random.unit() * 0.2
            var pair = TunnelPair(shared, random: random.fork())
            pair.wires[0].loss = Ratio(loss)
            pair.sendPackets(from: 0, every: .milliseconds(1))
            pair.sendPackets(from: 1, every: .milliseconds(1))
            pair.run(for: .seconds(3))
            let near = pair.ends[0].sample
            let far = pair.ends[1].sample
            try #require(isPlausible(far.lossReceived, of: loss, count: 1_000))
            try #require(isPlausible(near.lossSent, of: loss, count: 1_000))
            try #require(far.lossSent == .zero && near.lossReceived == .zero)
            let missing = Int(pair.ends[1].counters.lost)
            // The newest losses have no later arrival to show them, the oldest no earlier one.
            try #require(missing <= pair.lost[0] && missing >= pair.lost[0] - 10)
        }
    }

    @Test func `loss follows the last second`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 5))
        pair.sendPackets(from: 0, every: .milliseconds(1))
        pair.wires[0].loss = Ratio(0.3)
        pair.run(for: .seconds(3))
        let during = pair.ends[1].sample.lossReceived
        #expect(isPlausible(during, of: 0.3, count: 1_000))
        pair.wires[0].loss = .zero
        pair.run(for: .milliseconds(1_300))
        let after = pair.ends[1].sample.lossReceived
        #expect(after == .zero)
    }

    @Test func `jitter is that of RFC 3550 for the wire's spread`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 11))
        pair.wires[0].spread = .milliseconds(12)
        pair.wires[1].spread = .milliseconds(6)
        for end in 0..<2 { pair.sendPackets(from: end, every: .milliseconds(20)) }
        pair.run(for: .seconds(1))
        // Two evenly spread draws differ by a third of the spread in the mean; the filter wavers around that.
        var sums = [0.0, 0.0]
        for _ in 0..<300 {
            pair.run(for: .milliseconds(100))
            for end in 0..<2 { sums[end] += pair.ends[end].sample.jitter.inMilliseconds }
        }
        #expect(abs(sums[1] / 300 - 4) < 0.4)
        #expect(abs(sums[0] / 300 - 2) < 0.2)
        let reported = pair.ends[0].peerReport?.jitter ?? .zero
        #expect(reported > .milliseconds(2) && reported < .milliseconds(7))
    }

    @Test func `reordering is no loss, and every packet comes out once`() {
        forEachSeed(10) { random in
            var pair = TunnelPair(shared, random: random.fork())
            pair.wires[0].reordering = Ratio(0.1)
            pair.wires[0].duplication = Ratio(0.1)
            pair.sendPackets(from: 0, every: .milliseconds(1))
            pair.run(for: .seconds(2))
            pair.sendPackets(from: 0, every: nil)
            pair.run(for: .milliseconds(300))
            let sent = pair.ends[0].counters.packetsSent
            try #require(pair.deliveredAt[1].count == Int(sent))
            let counters = pair.ends[1].counters
            try #require(counters.lost == 0 && counters.reordered > 100 && counters.tooLate == 0)
            try #require(counters.duplicates > 100 && counters.duplicates == UInt64(pair.duplicatesRefused[1]))
            let sample = pair.ends[1].sample
            try #require(sample.lossReceived == .zero)
        }
    }

    @Test func `a brownout of 8 percent and 120 ms shows within a second`() {
        forEachSeed(10) { random in
            var pair = TunnelPair(shared, random: random.fork())
            for end in 0..<2 { pair.sendPackets(from: end, every: .milliseconds(5)) }
            pair.run(for: .seconds(5))
            pair.wires[0].loss = Ratio(0.08)
            pair.wires[0].latency += .milliseconds(120)
            pair.run(for: .milliseconds(350))
            try #require(pair.ends[1].sample.latency >= .milliseconds(100))
            pair.run(for: .milliseconds(650))
            try #require(pair.ends[1].sample.lossReceived > Ratio(0.02))
            try #require(pair.ends[1].sample.latency.nanoseconds / 1_000 == 130_000)
            pair.run(for: .milliseconds(200))
            try #require(pair.ends[0].sample.lossSent > Ratio(0.02))
        }
    }

    @Test func `one lost probe on an idle path stays at the resolution of loss`() {
        var pair = TunnelPair(shared, random: SeededRandom(seed: 3))
        pair.run(for: .seconds(12))
        pair.wires[0].loss = .one
        while pair.lost[0] == 0 { pair.run(for: .milliseconds(10)) }
        pair.wires[0].loss = .zero
        var worst = Ratio.zero
        for _ in 0..<50 {
            pair.run(for: .milliseconds(100))
            worst = max(worst, pair.ends[1].sample.lossReceived)
        }
        #expect(worst > .zero && worst <= Ratio(0.0101))
        #expect(pair.ends[1].counters.lost == 1)
    }

    @Test func `without a shared clock the level is half the round trip and a change is exact`() {
        forEachSeed(10) { random in
            var configuration = shared
            configuration.clocksShared = false
            let offset = Interval(nanoseconds: Int64(random.below(1 << 50)))
            var pair = TunnelPair(configuration, random: random.fork(), clocks: [.zero, offset])
            pair.wires[0].latency = .milliseconds(30)
            pair.wires[1].latency = .milliseconds(10)
            pair.sendPackets(from: 0, every: .milliseconds(3))
            let before = pair.ends[1].sample
            try #require(before.latency < .zero && before.roundTrip == .zero)
            pair.run(for: .seconds(2))
            for end in 0..<2 {
                let sample = pair.ends[end].sample
                try #require((sample.latency - .milliseconds(20)).magnitude <= .microseconds(1))
                try #require(sample.roundTrip == .milliseconds(40))
            }
            pair.wires[0].latency = .milliseconds(150)
            pair.run(for: .seconds(2))
            let changed = pair.ends[1].sample
            try #require((changed.latency - .milliseconds(140)).magnitude <= .microseconds(1))
            let other = pair.ends[0].sample
            try #require((other.latency - .milliseconds(20)).magnitude <= .microseconds(1))
        }
    }

    @Test func `an echo counts once, and only for the session that it names`() throws {
        var tunnel = SampleDatagrams.receiver()
        var arena = ByteArena(capacity: 256)
        let sentAt = tunnel.nextDeadline
        let range = try #require(tunnel.wake(at: sentAt, into: &arena))
        let own = try ProbePayload(parsing: arena.bytes(range).extracting(24..<88))
        let report = PathReport(expected: 10, received: 9)
        /// Hands in a probe with an echo, 50 ms after the last, and says what the next sample is.
        func sample(afterEcho session: UInt32, _ timestamp: UInt64, hold: Interval, number: UInt32) -> PathSample {
            let now = sentAt + .milliseconds(50 * Int64(number))
            let echo = ProbePayload.Echo(sessionID: session, timestamp: timestamp, hold: hold)
            let probe = ProbePayload(sessionID: 1, sequence: number, timestamp: 0, echo: echo, report: report)
            var payload = ByteArena(capacity: 64)
            probe.append(to: &payload)
            let inner = octets(payload.bytes(ByteRange(start: 0, count: 64)))
            let datagram = datagram(
                protocolType: EtherType.localExperimental, isControl: true, sequence: number, inner: inner)
            let opened = tunnel.open(datagram.span.bytes, at: now)
            #expect(opened == .probe(attachment: nil))
            _ = tunnel.wake(at: tunnel.nextDeadline, into: &arena)
            return tunnel.sample
        }
        let foreign = sample(afterEcho: own.sessionID ^ 1, own.timestamp, hold: .milliseconds(30), number: 1)
        #expect(foreign.roundTrip == .zero && foreign.lossSent == .zero)
        let future = sample(afterEcho: own.sessionID, own.timestamp << 8, hold: .zero, number: 2)
        let tooLong = sample(afterEcho: own.sessionID, own.timestamp, hold: .milliseconds(200), number: 3)
        #expect(future.roundTrip == .zero && tooLong.roundTrip == .zero)
        let counted = sample(afterEcho: own.sessionID, own.timestamp, hold: .milliseconds(180), number: 4)
        #expect(counted.roundTrip == .milliseconds(20) && counted.lossSent == Ratio(1, of: 10))
        let again = sample(afterEcho: own.sessionID, own.timestamp, hold: .milliseconds(180), number: 5)
        #expect(again.roundTrip == .milliseconds(20))
    }
}
