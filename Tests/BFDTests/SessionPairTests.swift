import BFD
import Basics
import TestKit
import Testing

/// Two sessions joined by a wire that delays, loses and can be cut.
private struct Pair {
    var sessions: [Session]
    var random: SeededRandom
    var now = Instant.zero
    var loss = Ratio.zero
    var delay: ClosedRange<Interval> = .zero ... .zero
    var isCut = false
    var changes: [(at: Instant, end: Int, state: Session.State, diagnostic: Diagnostic)] = []
    private var inFlight: [(at: Instant, sequence: Int, to: Int, packet: ControlPacket)] = []
    private var sent = 0

    init(_ first: Session.Configuration, _ second: Session.Configuration, random: SeededRandom) {
        var random = random
        sessions = [first, second].map { Session($0, random: random.fork(), at: .zero) }
        self.random = random
    }

    /// When the wire last took a packet to each end before it was cut.
    var lastDelivery = [Instant.zero, Instant.zero]

    mutating func run(until end: Instant, stop: (Pair) -> Bool = { _ in false }) {
        while !stop(self) {
            let arrival = inFlight.min { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
            let deadlines = sessions.map { $0.nextDeadline ?? .never }
            let wake = min(deadlines[0], deadlines[1])
            let next = min(wake, arrival?.at ?? .never)
            guard next <= end else { break }
            now = max(now, next)
            if let arrival, arrival.at == next {
                inFlight.removeAll { $0.sequence == arrival.sequence }
                lastDelivery[arrival.to] = now
                carryOut(sessions[arrival.to].receive(arrival.packet, at: now), of: arrival.to)
            } else {
                let index = deadlines[0] == wake ? 0 : 1
                carryOut(sessions[index].wake(at: now), of: index)
            }
        }
        if !stop(self) { now = end }
    }

    mutating func perform(_ end: Int, _ body: (inout Session, Instant) -> Outputs) {
        carryOut(body(&sessions[end], now), of: end)
    }

    private mutating func carryOut(_ outputs: Outputs, of end: Int) {
        for output in outputs {
            switch output {
            case .stateChanged(let state, let diagnostic): changes.append((now, end, state, diagnostic))
            case .send(let packet):
                sent += 1
                guard !isCut, !random.chance(loss) else { continue }
                guard case .success(let received) = parsed(octets(of: packet)) else { preconditionFailure("codec") }
                inFlight.append((now + random.interval(in: delay), sent, 1 - end, received))
            }
        }
    }

    var areBothUp: Bool { sessions.allSatisfy { $0.state == .up } }
}

@Suite struct SessionPairTests {
    private func configuration(
        _ interval: Interval = .milliseconds(50), multiplier: UInt8 = 3, discriminator: UInt32
    ) -> Session.Configuration {
        Session.Configuration(
            desiredMinTx: interval, requiredMinRx: interval, detectMultiplier: multiplier,
            localDiscriminator: discriminator)
    }

    @Test func `two sessions come up in a few round trips once both have spoken`() {
        var pair = Pair(configuration(discriminator: 1), configuration(discriminator: 2), random: SeededRandom(seed: 1))
        pair.delay = .milliseconds(20) ... .milliseconds(20)
        pair.run(until: .zero + .seconds(2))
        #expect(pair.areBothUp)
        #expect(pair.changes.allSatisfy { $0.at <= .zero + .milliseconds(60) })
    }

    @Test func `over a lossy wire they come up, and a cut is detected within its bounds`() {
        forEachSeed(60) { random in
            let interval = Interval.milliseconds(Int64(10 + random.below(200)))
            let multiplier = UInt8(3 + random.below(4))
            var pair = Pair(
                configuration(interval, multiplier: multiplier, discriminator: 1),
                configuration(interval, multiplier: multiplier, discriminator: 2), random: random.fork())
            pair.delay = .milliseconds(1) ... .milliseconds(40)
            pair.loss = Ratio(0.2)
            pair.run(until: .zero + .seconds(30)) { $0.areBothUp }
            try #require(pair.areBothUp)

            pair.loss = .zero
            pair.delay = .milliseconds(5) ... .milliseconds(5)
            pair.run(until: pair.now + .seconds(10))
            try #require(pair.areBothUp)
            try #require(pair.sessions.allSatisfy { !$0.isPolling && $0.detectionTime == interval * Int64(multiplier) })

            let cut = pair.now
            pair.isCut = true
            pair.changes = []
            pair.run(until: cut + .seconds(4))
            try #require(pair.changes.count == 2)
            for change in pair.changes {
                try #require(change.state == .down && change.diagnostic == .detectionExpired)
                try #require(change.at == pair.lastDelivery[change.end] + interval * Int64(multiplier))
                let elapsed = change.at - cut
                try #require(elapsed > interval * Int64(multiplier - 1))
                try #require(elapsed <= interval * Int64(multiplier) + .milliseconds(5))
            }
        }
    }

    @Test func `without loss no session goes down in an hour, whatever the jitter`() {
        forEachSeed(5) { random in
            var pair = Pair(
                configuration(discriminator: 1), configuration(.milliseconds(80), discriminator: 2),
                random: random.fork())
            pair.delay = .milliseconds(1) ... .milliseconds(60)
            // While the two greet each other, a Down that is overtaken may still undo an Up.
            pair.run(until: .zero + .seconds(10))
            try #require(pair.areBothUp)
            pair.changes = []
            pair.run(until: .zero + .seconds(3_610))
            try #require(pair.changes.isEmpty)
        }
    }

    @Test func `an end that restarts is noticed at once and both come up again`() {
        var pair = Pair(configuration(discriminator: 1), configuration(discriminator: 2), random: SeededRandom(seed: 4))
        pair.delay = .milliseconds(10) ... .milliseconds(10)
        pair.run(until: .zero + .seconds(5))
        pair.changes = []
        pair.sessions[1] = Session(configuration(discriminator: 77), random: SeededRandom(seed: 5), at: pair.now)
        let restart = pair.now
        pair.run(until: restart + .seconds(3))
        #expect(pair.areBothUp)
        #expect(pair.sessions[0].remoteDiscriminator == 77)
        let first = pair.changes.first
        #expect(first?.end == 0 && first?.state == .down && first?.diagnostic == .neighborSignaled)
        #expect(first?.at == restart + .milliseconds(10))
    }

    @Test func `an end taken out of service is signalled, not detected`() {
        var pair = Pair(configuration(discriminator: 1), configuration(discriminator: 2), random: SeededRandom(seed: 6))
        pair.delay = .milliseconds(10) ... .milliseconds(10)
        pair.run(until: .zero + .seconds(5))
        pair.changes = []
        let start = pair.now
        pair.perform(0) { $0.administratively(down: true, at: $1) }
        pair.run(until: start + .seconds(30))
        #expect(pair.changes.map(\.state) == [.adminDown, .down])
        #expect(pair.changes.last?.diagnostic == .neighborSignaled)
        #expect(pair.changes.last?.at == start + .milliseconds(10))
        #expect(pair.sessions[1].remoteState == .adminDown)
        pair.perform(0) { $0.administratively(down: false, at: $1) }
        pair.run(until: pair.now + .seconds(3))
        #expect(pair.areBothUp)
    }

    @Test func `timers renegotiated over loss end as configured, and nobody goes down for it`() {
        forEachSeed(30) { random in
            var pair = Pair(
                configuration(multiplier: 8, discriminator: 1), configuration(multiplier: 8, discriminator: 2),
                random: random.fork())
            pair.delay = .milliseconds(5) ... .milliseconds(20)
            pair.run(until: .zero + .seconds(3))
            pair.changes = []
            pair.loss = Ratio(0.05)
            var interval = Interval.zero
            for _ in 0..<6 {
                interval = .milliseconds(Int64(20 + random.below(400)))
                pair.sessions[0].reconfigure(
                    desiredMinTx: interval, requiredMinRx: interval, detectMultiplier: 8, at: pair.now)
                pair.run(until: pair.now + .seconds(Int64(random.below(4))))
            }
            pair.run(until: pair.now + .seconds(20))
            try #require(pair.changes.isEmpty)
            try #require(pair.sessions[0].transmitInterval == max(interval, .milliseconds(50)))
            try #require(pair.sessions[1].transmitInterval == max(interval, .milliseconds(50)))
            try #require(pair.sessions.allSatisfy { $0.detectionTime == max(interval, .milliseconds(50)) * 8 })
        }
    }

    @Test func `the same seed gives the same hour`() {
        func history() -> [String] {
            var pair = Pair(
                configuration(discriminator: 1), configuration(discriminator: 2), random: SeededRandom(seed: 8))
            pair.loss = Ratio(0.35)
            pair.run(until: .zero + .seconds(100))
            return pair.changes.map { "\($0.at.nanoseconds) \($0.end) \($0.state) \($0.diagnostic.rawValue)" }
        }
        let first = history()
        #expect(first.count > 4)
        #expect(first == history())
    }

    @Test func `no packet in any state breaks a session's promises`() {
        forEachSeed(200) { random in
            var played = Played(
                Session.Configuration(
                    detectMultiplier: UInt8(1 + random.below(4)), localDiscriminator: Played.local,
                    isPassive: random.chance(Ratio(0.3))))
            for _ in 0..<300 {
                played.now += .microseconds(Int64(random.below(200_000)))
                let before = played.session.state
                let outputs = step(&played, &random)
                let changed = outputs.compactMap(\.newState)
                try #require(changed.count <= 1 && changed.last ?? before == played.session.state)
                for packet in outputs.compactMap(\.packet) {
                    try #require(!(packet.isPoll && packet.isFinal))
                    try #require(packet.state == played.session.state)
                    try #require(packet.state == .up || packet.desiredMinTx >= .seconds(1))
                    try #require(packet.remoteDiscriminator != 0 || packet.state != .up)
                }
                if let deadline = played.session.nextDeadline {
                    try #require(deadline <= played.now + .seconds(4_300 * 255))
                }
            }
        }
    }

    private func step(_ played: inout Played, _ random: inout SeededRandom) -> [Output] {
        switch random.below(10) {
        case 0: return Array(played.session.administratively(down: random.chance(Ratio(0.3)), at: played.now))
        case 1:
            played.session.reconfigure(
                desiredMinTx: .nanoseconds(Int64(random.below(1 << 40))),
                requiredMinRx: .nanoseconds(Int64(random.below(1 << 40))), detectMultiplier: 3, at: played.now)
            return []
        case 2, 3: return Array(played.session.wake(at: played.now))
        default:
            var packet = ControlPacket(
                state: Session.State.allCases[Int(random.below(4))],
                diagnostic: Diagnostic(rawValue: UInt8(random.below(32))),
                detectMultiplier: UInt8(1 + random.below(255)),
                discriminators: (1 + UInt32(random.below(3)), random.chance(Ratio(0.9)) ? Played.local : 0),
                desiredMinTx: .microseconds(Int64(random.next() >> UInt64(32 + random.below(32)))),
                requiredMinRx: .microseconds(Int64(random.next() >> UInt64(32 + random.below(32)))))
            packet.isPoll = random.chance(Ratio(0.3))
            packet.isFinal = !packet.isPoll && random.chance(Ratio(0.3))
            packet.isDemand = random.chance(Ratio(0.1))
            return Array(played.session.receive(packet, at: played.now))
        }
    }
}
