import Basics
import Links
import Telemetry
import TestKit
import Testing

@Suite struct ChangeTests {
    /// Four packets of 1 ms each at 1 Mbit/s, offered at 0.
    private func loadedLink(_ change: (inout LinkProfile) -> Void = { _ in }) -> Link {
        var profile = LinkProfile(rate: .megabits(1), delay: .milliseconds(10))
        change(&profile)
        var link = Link(profile, random: testRandom())
        for token in 0..<4 as Range<UInt32> { _ = link.offer(QueuedPacket(token: token, byteCount: 125), at: .zero) }
        return link
    }

    private func microseconds(_ happenings: [Happening]) -> [UInt64] {
        happenings.map { $0.at.nanoseconds / 1_000 }
    }

    @Test func `what waits is sent by the new rate, what is being sent is not`() {
        var link = loadedLink()
        var profile = link.profile
        profile.rate = .megabits(10)
        link.change(to: profile, at: .microseconds(1_500))
        #expect(microseconds(link.drain()) == [11_000, 12_000, 12_100, 12_200])
        var slower = loadedLink()
        profile.rate = BitRate(bitsPerSecond: 100_000)
        slower.change(to: profile, at: .microseconds(1_500))
        #expect(microseconds(slower.drain()) == [11_000, 12_000, 22_000, 32_000])
        var infinite = loadedLink()
        profile.rate = nil
        infinite.change(to: profile, at: .microseconds(1_500))
        #expect(microseconds(infinite.drain()) == [11_000, 12_000, 12_000, 12_000])
    }

    @Test func `a change of delay alone leaves the departures, and the order`() {
        var link = loadedLink()
        var profile = link.profile
        profile.delay = .milliseconds(1)
        link.change(to: profile, at: .microseconds(1_500))
        _ = link.offer(QueuedPacket(token: 4, byteCount: 125), at: .microseconds(1_500))
        let happenings = link.drain()
        #expect(happenings.map(\.deliveredToken) == [0, 1, 2, 3, 4])
        #expect(microseconds(happenings) == [11_000, 12_000, 12_000, 12_000, 12_000])
        var longer = loadedLink()
        profile.delay = .milliseconds(20)
        longer.change(to: profile, at: .microseconds(1_500))
        #expect(microseconds(longer.drain()) == [11_000, 12_000, 23_000, 24_000])
    }

    @Test func `a new loss meets those that wait, not those on the way`() {
        var link = loadedLink()
        var profile = link.profile
        profile.loss = .bernoulli(.one)
        link.change(to: profile, at: .microseconds(1_500))
        let lost = link.drain(until: .milliseconds(10)).map(\.outcome)
        #expect(lost == [.dropped(token: 2, .loss), .dropped(token: 3, .loss)])
        #expect(link.drain().map(\.deliveredToken) == [0, 1])
        var healed = loadedLink { $0.loss = .bernoulli(.one) }
        profile.loss = .none
        healed.change(to: profile, at: .microseconds(1_500))
        #expect(healed.drain().map(\.deliveredToken) == [nil, nil, 2, 3])
    }

    @Test func `many small changes neither lose a burst nor prolong it`() {
        let model = LossModel.gilbertElliott(p: Ratio(0.02), r: Ratio(0.2))
        func share(changing: Bool) -> Double {
            let profile = LinkProfile(rate: .megabits(1), loss: model, queue: .packets(50))
            var link = Link(profile, random: testRandom())
            for token in 0..<30 as Range<UInt32> {
                _ = link.offer(QueuedPacket(token: token, byteCount: 125), at: .zero)
            }
            // From here on as much comes as goes: each packet waits through thirty changes.
            var lost = 0
            for token in 0..<60_000 as Range<UInt32> {
                let now = Instant.milliseconds(UInt64(token))
                lost += link.drain(until: now).count { $0.deliveredToken == nil }
                _ = link.offer(QueuedPacket(token: token, byteCount: 125), at: now)
                if changing { link.change(to: link.profile, at: now) }
            }
            return Double(lost) / 60_000
        }
        #expect(abs(share(changing: false) - model.mean.fraction) < 0.01)
        #expect(abs(share(changing: true) - model.mean.fraction) < 0.01)
    }

    @Test func `a lower queue limit drops nothing that waits, and counts it`() {
        var link = loadedLink()
        var profile = link.profile
        profile.queue = .packets(2)
        link.change(to: profile, at: .zero)
        let refused = link.offer(QueuedPacket(token: 4, byteCount: 125), at: .microseconds(1_999))
        #expect(refused == .dropped(.queueFull))
        let accepted = link.offer(QueuedPacket(token: 5, byteCount: 125), at: .milliseconds(2))
        #expect(accepted == .accepted)
        #expect(link.drain().map(\.deliveredToken) == [0, 1, 2, 3, 5])
    }

    @Test func `a trace that comes by a change starts then, and one that stays goes on`() throws {
        let trace = try Trace(parsing: "2\n4\n6\n8\n10\n")
        var link = loadedLink { $0.delay = .zero }
        var profile = link.profile
        profile.trace = trace
        link.change(to: profile, at: .microseconds(1_500))
        profile.loss = .bernoulli(.zero)
        profile.rate = .megabits(3)
        link.change(to: profile, at: .microseconds(1_600))
        _ = link.offer(QueuedPacket(token: 4, byteCount: 1_500), at: .microseconds(1_700))
        // Two small packets share the opportunity; the large one needs the rest of it and some of the next.
        #expect(microseconds(link.drain()) == [1_000, 2_000, 3_500, 3_500, 5_500])
        profile.trace = nil
        link.change(to: profile, at: .milliseconds(20))
        _ = link.offer(QueuedPacket(token: 5, byteCount: 375), at: .milliseconds(20))
        #expect(microseconds(link.drain()) == [21_000])
    }

    @Test func `going down drops all that is inside, and all that is offered until it is up`() {
        var link = loadedLink()
        link.setUp(false, at: .microseconds(10_500))
        let refused = link.offer(QueuedPacket(token: 9, byteCount: 125), at: .microseconds(10_500))
        #expect(refused == .dropped(.linkDown))
        let happenings = link.drain(until: .microseconds(10_500))
        #expect(happenings.map(\.outcome) == (0..<4).map { .dropped(token: $0, .linkDown) })
        #expect(link.packetsInside == 0)
        #expect(link.nextDue == nil)
        link.setUp(true, at: .milliseconds(11))
        _ = link.offer(QueuedPacket(token: 10, byteCount: 125), at: .milliseconds(11))
        #expect(microseconds(link.drain()) == [22_000])
        #expect(link.counters.dropped(.linkDown) == 5)
    }

    @Test func `another discipline takes over what waits, in order`() {
        forEachSeed(30) { random in
            let disciplines: [QueueDiscipline] = [.dropTail, .coDel, .dropTail, .coDel, .coDel]
            var profile = LinkProfile(rate: .megabits(10), delay: .milliseconds(1), loss: .bernoulli(Ratio(0.1)))
            var link = Link(profile, random: random.fork())
            var happenings: [Happening] = []
            for token in 0..<200 as Range<UInt32> {
                let now = Instant.microseconds(UInt64(token) * 90)
                happenings += link.drain(until: now)
                _ = link.offer(QueuedPacket(token: token, byteCount: 125), at: now)
                guard token % 10 == 9 else { continue }
                profile.discipline = disciplines[Int(random.below(5))]
                link.change(to: profile, at: now)
            }
            happenings += link.drain()
            let tokens = happenings.compactMap(\.deliveredToken)
            try #require(tokens == tokens.sorted())
            try #require(happenings.count == 200)
            // 100 us each: the line has been busy from the first offer on.
            try #require(link.counters.dropped(.activeQueue) == 0)
            try #require(happenings.last.map { $0.at >= .microseconds(20_000) } == true)
            try #require(happenings.last.map { $0.at <= .microseconds(21_001) } == true)
        }
    }

    @Test func `a ramp moves every number in a straight line and ends at its target`() throws {
        var start = LinkProfile(rate: .megabits(10), delay: .milliseconds(20), loss: .none, queue: .packets(100))
        var target = start
        target.rate = .megabits(110)
        target.delay = .milliseconds(180)
        target.jitter = .milliseconds(40)
        target.loss = .bernoulli(Ratio(0.08))
        target.corrupt = Ratio(0.4)
        target.queue = .packets(300)
        target.discipline = .coDel
        let half = start.interpolated(to: target, progress: Ratio(0.5))
        #expect(half.rate == .megabits(60))
        #expect(half.delay == .milliseconds(100))
        #expect(half.jitter == .milliseconds(20))
        #expect(half.loss == .bernoulli(Ratio(0.04)))
        #expect(half.corrupt == Ratio(0.2))
        #expect(half.queue == .packets(200))
        #expect(half.discipline == .dropTail)
        #expect(start.interpolated(to: target, progress: .zero) == start.withEvenLoss)
        #expect(start.interpolated(to: target, progress: .one) == target)
        #expect(target.interpolated(to: start, progress: Ratio(0.75)).rate == .megabits(35))
        start.rate = nil
        #expect(start.interpolated(to: target, progress: Ratio(0.99)).rate == nil)
    }

    @Test func `a ramp between the largest numbers stays between them`() {
        let start = LinkProfile(
            rate: BitRate(bitsPerSecond: 0), delay: Interval(nanoseconds: .min), queue: .bytes(.max))
        let target = LinkProfile(
            rate: BitRate(bitsPerSecond: .max), delay: Interval(nanoseconds: .max), queue: .bytes(0))
        var last = start
        for step in 0..<100 {
            let profile = start.interpolated(to: target, progress: Ratio(Double(step) / 100))
            #expect(profile.delay >= last.delay && profile.rate ?? .megabits(0) >= last.rate ?? .megabits(0))
            guard case .bytes(let limit) = profile.queue, case .bytes(let before) = last.queue else { continue }
            #expect(limit <= before)
            last = profile
        }
        #expect(target.interpolated(to: start, progress: Ratio(0.999_999_999_999_999_9)).rate != nil)
    }

    @Test func `an even loss becomes a bursty one by way of a chain`() {
        var start = LinkProfile(loss: .bernoulli(Ratio(0.1)))
        let target = LinkProfile(loss: .gilbertElliott(p: Ratio(0.01), r: Ratio(0.25), lossBad: Ratio(0.5)))
        let half = start.interpolated(to: target, progress: Ratio(0.5)).loss
        let middle = Ratio(0.1 + (0.5 - 0.1) * 0.5)
        #expect(half == .gilbertElliott(p: Ratio(0.01), r: Ratio(0.25), lossBad: middle, lossGood: Ratio(0.05)))
        start.loss = .none
        let back = target.interpolated(to: start, progress: Ratio(0.5)).loss
        #expect(back == .gilbertElliott(p: Ratio(0.01), r: Ratio(0.25), lossBad: Ratio(0.25)))
    }
}

extension LinkProfile {
    /// The same profile with no loss written as a loss of 0.
    fileprivate var withEvenLoss: LinkProfile {
        var profile = self
        if profile.loss == .none { profile.loss = .bernoulli(.zero) }
        return profile
    }
}
