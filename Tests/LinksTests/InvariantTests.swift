import Basics
import Links
import Telemetry
import TestKit
import Testing

@Suite struct InvariantTests {
    private static let disciplines: [QueueDiscipline] = [.dropTail, .coDel, .fairQueueCoDel]

    private func randomProfile(_ random: inout SeededRandom, _ discipline: QueueDiscipline) throws -> LinkProfile {
        func ratio(_ most: Double) -> Ratio { random.chance(Ratio(0.5)) ? .zero : Ratio(random.unit() * most) }
        var profile = LinkProfile(discipline: discipline)
        if random.chance(Ratio(0.8)) { profile.rate = BitRate(bitsPerSecond: 500_000 + random.below(50_000_000)) }
        if random.chance(Ratio(0.3)) { profile.trace = try Trace(parsing: "1\n2\n2\n5\n11\n11\n40\n") }
        profile.delay = .microseconds(Int64(random.below(30_000)))
        profile.jitter = random.chance(Ratio(0.5)) ? .zero : .microseconds(Int64(random.below(10_000)))
        let models: [LossModel] = [
            .none, .bernoulli(ratio(0.5)), .gilbertElliott(p: ratio(0.1), r: ratio(1), lossBad: ratio(1)),
        ]
        profile.loss = models[Int(random.below(3))]
        profile.duplicate = ratio(0.3)
        profile.reorder = ratio(0.3)
        profile.corrupt = ratio(0.3)
        let limits: [QueueLimit] = [
            .packets(UInt32(random.below(60))), .bytes(random.below(60_000)),
            .time(.microseconds(Int64(random.below(50_000)))),
        ]
        profile.queue = limits[Int(random.below(3))]
        return profile
    }

    private func conserves(_ link: Link) -> Bool {
        let counters = link.counters
        return counters.offered + counters.duplicated
            == counters.delivered + counters.dropped + UInt64(link.packetsInside)
    }

    @Test(arguments: disciplines)
    func `every packet is delivered, dropped or inside, and its token comes back once`(
        discipline: QueueDiscipline
    ) {
        forEachSeed(40) { random in
            var link = Link(try randomProfile(&random, discipline), random: random.fork())
            var inside: Set<UInt32> = []
            var now = Instant.zero
            func take(until end: Instant) throws {
                for happening in link.drain(until: end) {
                    switch happening.outcome {
                    case .delivered(let token, let bit):
                        try #require(inside.remove(token) != nil)
                        try #require(bit.map { $0 < (40 + token % 1_460) * 8 } ?? true)
                    case .dropped(let token, _): try #require(inside.remove(token) != nil)
                    case .duplicated(let token): try #require(inside.contains(token))
                    }
                    try #require(happening.at <= end)
                }
                try #require(link.packetsInside == inside.count && conserves(link))
                try #require(link.nextDue.map { $0 > end } ?? inside.isEmpty)
            }
            for token in 0..<1_500 as Range<UInt32> {
                now += Interval(nanoseconds: Int64(random.below(2_000_000)))
                try take(until: now)
                let packet = QueuedPacket(
                    token: token, byteCount: 40 + token % 1_460, flowHash: UInt32(random.below(12)))
                if link.offer(packet, at: now) == .accepted { inside.insert(token) }
                switch random.below(100) {
                case 0..<4: link.setUp(random.chance(Ratio(0.7)), at: now)
                case 4..<8:
                    let next = random.chance(Ratio(0.3)) ? Self.disciplines[Int(random.below(3))] : discipline
                    link.change(to: try randomProfile(&random, next), at: now)
                case 8: link.change(to: link.profile, at: now)
                default: break
                }
                try #require(link.packetsInside == inside.count && conserves(link))
            }
            try take(until: now + .seconds(3_600))
            try #require(inside.isEmpty && link.nextDue == nil)
        }
    }

    @Test(arguments: disciplines)
    func `the same seed and the same offers give the same outcomes, however late the host asks`(
        discipline: QueueDiscipline
    ) {
        forEachSeed(40) { random in
            let profile = try randomProfile(&random, discipline)
            let stream = random.fork()
            var punctual = Link(profile, random: stream)
            var late = Link(profile, random: stream)
            var happenings: [Link.Outcome] = []
            var lateOutcomes: [Link.Outcome] = []
            var now = Instant.zero
            for token in 0..<1_000 as Range<UInt32> {
                now += Interval(nanoseconds: Int64(random.below(2_000_000)))
                happenings += punctual.drain(until: now).map(\.outcome)
                if random.chance(Ratio(0.05)) {
                    while let outcome = late.next(at: now) { lateOutcomes.append(outcome) }
                }
                let packet = QueuedPacket(token: token, byteCount: 40 + token % 1_460, flowHash: token % 7)
                let offer = punctual.offer(packet, at: now)
                let lateOffer = late.offer(packet, at: now)
                try #require(offer == lateOffer)
            }
            happenings += punctual.drain().map(\.outcome)
            while let outcome = late.next(at: .never) { lateOutcomes.append(outcome) }
            // Drops inside are reported when asked for, and so earlier or later among the rest.
            func deliveries(_ outcomes: [Link.Outcome]) -> [Link.Outcome] {
                outcomes.filter { if case .dropped(_, .activeQueue) = $0 { false } else { !$0.isQueueFull } }
            }
            try #require(deliveries(happenings) == deliveries(lateOutcomes))
            try #require(happenings.count == lateOutcomes.count)
            try #require(punctual.counters == late.counters)
        }
    }

    @Test(arguments: disciplines)
    func `a warm link allocates nothing`(discipline: QueueDiscipline) {
        let profile = LinkProfile(
            rate: .megabits(10), delay: .milliseconds(20), jitter: .milliseconds(1), loss: .bernoulli(Ratio(0.01)),
            duplicate: Ratio(0.01), reorder: Ratio(0.01), corrupt: Ratio(0.01), queue: .packets(100),
            discipline: discipline)
        var link = Link(profile, random: testRandom())
        var now = Instant.zero
        func load() {
            for token in 0..<5_000 as Range<UInt32> {
                now += .microseconds(900)
                while link.next(at: now) != nil {}
                _ = link.offer(QueuedPacket(token: token, byteCount: 1_250, flowHash: token % 5), at: now)
            }
        }
        load()
        let count = allocations { load() }
        #expect(count == 0)
        #expect(link.counters.delivered > 8_000)
    }
}

extension Link.Outcome {
    fileprivate var isQueueFull: Bool {
        if case .dropped(_, .queueFull) = self { true } else { false }
    }
}
