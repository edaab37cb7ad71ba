import Basics
import Links
import Telemetry
import TestKit
import Testing

@Suite struct ActiveQueueTests {
    @Test func `CoDel drops what the pseudo-code of RFC 8289 drops, when it drops it`() {
        var drops = 0
        forEachSeed(40) { random in
            let rate = BitRate(bitsPerSecond: 8_000_000)
            var link = Link(
                LinkProfile(rate: rate, queue: .packets(.max), discipline: .coDel), random: random.fork())
            var model = ReferenceCoDel(rate: rate)
            var happenings: [Happening] = []
            var now: UInt64 = 0
            // Loads between half and three times the rate, each for a while, so that dropping starts and ends.
            for _ in 0..<25 {
                let gap = 300 + random.below(1_800)
                for _ in 0..<(50 + random.below(400)) {
                    now += 500 * gap + random.below(1_000 * gap)
                    let size = UInt32(100 + random.below(1_400))
                    let token = UInt32(model.offered)
                    happenings += link.drain(until: .nanoseconds(now))
                    _ = link.offer(QueuedPacket(token: token, byteCount: size), at: .nanoseconds(now))
                    model.offer(byteCount: size, at: now)
                }
            }
            happenings += link.drain()
            model.advance(to: .max)
            let delivered = happenings.filter { $0.deliveredToken != nil }
            try #require(delivered.map { Int($0.deliveredToken ?? 0) } == model.sent.map(\.token))
            try #require(delivered.map(\.at.nanoseconds) == model.sent.map(\.at))
            let dropped = happenings.filter { $0.deliveredToken == nil }
            let tokens = model.dropped.map { UInt32($0.token) }
            try #require(dropped.map(\.outcome) == tokens.map { .dropped(token: $0, .activeQueue) })
            try #require(dropped.map(\.at.nanoseconds) == model.dropped.map(\.at))
            drops += dropped.count
        }
        #expect(drops > 1_000)
    }

    @Test func `CoDel leaves a queue below its target alone`() {
        var link = Link(LinkProfile(rate: .megabits(10), discipline: .coDel), random: testRandom())
        let happenings = link.run(count: 20_000, byteCount: 1_250, every: .milliseconds(1))
        #expect(happenings.count == 20_000)
        #expect(link.counters.dropped == 0)
        #expect(happenings[100].at == .milliseconds(101))
    }

    @Test(arguments: [QueueDiscipline.coDel, .fairQueueCoDel])
    func `an active queue brings a standing delay down to its target`(discipline: QueueDiscipline) throws {
        let profile = LinkProfile(rate: .megabits(10), queue: .packets(1_000), discipline: discipline)
        var link = Link(profile, random: testRandom())
        // Sixty packets at once, then exactly the rate: under drop-tail the delay would stay at 60 ms.
        for token in 0..<60 as Range<UInt32> { _ = link.offer(QueuedPacket(token: token, byteCount: 1_250), at: .zero) }
        var late: [Happening] = []
        for index in 0..<5_000 as Range<UInt64> {
            late += link.drain(until: .milliseconds(index))
            _ = link.offer(QueuedPacket(token: 100 + UInt32(index), byteCount: 1_250), at: .milliseconds(index))
        }
        let last = try #require(late.last { $0.deliveredToken != nil })
        let sent = Instant.milliseconds(UInt64(last.deliveredToken ?? 0) - 100)
        #expect(last.at - sent <= Interval.milliseconds(7))
        #expect(link.counters.dropped(.activeQueue) > 40)
    }

    @Test(arguments: [QueueDiscipline.coDel, .fairQueueCoDel])
    func `an active queue serves a trace to the byte while it is saturated`(discipline: QueueDiscipline) throws {
        let trace = try Trace(parsing: "1\n1\n4\n9\n")
        let profile = LinkProfile(queue: .packets(500), discipline: discipline, trace: trace)
        var link = Link(profile, random: testRandom())
        var delivered: [UInt64] = []
        for millisecond in 0..<900 as Range<UInt64> {
            for happening in link.drain(until: .milliseconds(millisecond)) where happening.deliveredToken != nil {
                delivered.append(happening.at.nanoseconds / 1_000_000)
            }
            for token in 0..<3 as Range<UInt32> {
                _ = link.offer(QueuedPacket(token: token, byteCount: 1_500), at: .milliseconds(millisecond))
            }
        }
        let expected = (0..<100 as Range<UInt64>).flatMap { cycle in [1, 1, 4, 9].map { cycle * 9 + $0 } }
        #expect(delivered == expected.filter { $0 < 900 })
    }

    @Test func `a sparse flow hardly waits behind a greedy one`() {
        var profile = LinkProfile(rate: .megabits(10), queue: .packets(1_000), discipline: .fairQueueCoDel)
        func worstDelay(_ profile: LinkProfile) -> (worst: Interval, greedy: Int) {
            var link = Link(profile, random: testRandom())
            var worst = Interval.zero
            var greedy = 0
            func tally(_ happenings: [Happening]) {
                for happening in happenings {
                    guard let token = happening.deliveredToken else { continue }
                    if token >= 1_000_000 {
                        worst = max(worst, happening.at - Instant.milliseconds(UInt64(token) - 1_000_000))
                    } else {
                        greedy += 1
                    }
                }
            }
            for millisecond in 0..<10_000 as Range<UInt64> {
                let now = Instant.milliseconds(millisecond)
                tally(link.drain(until: now))
                for token in 0..<2 as Range<UInt32> {
                    _ = link.offer(QueuedPacket(token: token, byteCount: 1_250, flowHash: 1), at: now)
                }
                guard millisecond % 20 == 0 else { continue }
                let token = UInt32(1_000_000 + millisecond)
                _ = link.offer(QueuedPacket(token: token, byteCount: 200, flowHash: 2), at: now)
            }
            return (worst, greedy)
        }
        let fair = worstDelay(profile)
        // At most two packets of the greedy flow, of 1 ms each, are ahead of it.
        #expect(fair.worst <= Interval.microseconds(2_160), "\(fair.worst)")
        #expect(fair.greedy >= 9_900)
        profile.discipline = .dropTail
        #expect(worstDelay(profile).worst > Interval.milliseconds(500))
    }

    @Test func `greedy flows share a link evenly by bytes, whatever their packets' sizes`() {
        let profile = LinkProfile(rate: .megabits(12), queue: .packets(1_000), discipline: .fairQueueCoDel)
        var link = Link(profile, random: testRandom())
        let sizes: [UInt32] = [1_500, 1_500, 500, 300]
        var bytes = [0, 0, 0, 0]
        for millisecond in 0..<10_000 as Range<UInt64> {
            for happening in link.drain(until: .milliseconds(millisecond)) {
                guard let flow = happening.deliveredToken else { continue }
                bytes[Int(flow)] += Int(sizes[Int(flow)])
            }
            for (flow, size) in sizes.enumerated() {
                for _ in 0..<(3_000 / size) {
                    let packet = QueuedPacket(token: UInt32(flow), byteCount: size, flowHash: UInt32(flow) &* 77_777)
                    _ = link.offer(packet, at: .milliseconds(millisecond))
                }
            }
        }
        let fairShare = 10_000 * 1_500 / 4
        for flow in 0..<4 { #expect(abs(bytes[flow] - fairShare) < fairShare / 50, "flow \(flow): \(bytes)") }
    }

    @Test func `a full fair queue drops from the head of the fattest flow`() {
        let profile = LinkProfile(rate: .megabits(1), queue: .packets(10), discipline: .fairQueueCoDel)
        var link = Link(profile, random: testRandom())
        for token in 0..<3 as Range<UInt32> {
            _ = link.offer(QueuedPacket(token: token, byteCount: 125, flowHash: 5), at: .zero)
        }
        for token in 10..<18 as Range<UInt32> {
            _ = link.offer(QueuedPacket(token: token, byteCount: 1_250, flowHash: 6), at: .zero)
        }
        #expect(link.waiting(at: .zero).packets == 10)
        let last = link.offer(QueuedPacket(token: 18, byteCount: 125, flowHash: 7), at: .zero)
        #expect(last == .accepted)
        // Half of the eight that wait in the fat flow.
        let dropped = link.drain(until: .zero).map(\.outcome)
        #expect(dropped == (10..<14).map { .dropped(token: $0, .queueFull) })
        #expect(link.waiting(at: .zero).packets == 7)
        #expect(link.drain().compactMap(\.deliveredToken).sorted() == [0, 1, 2, 14, 15, 16, 17, 18])
    }

    @Test func `a full CoDel queue refuses what comes, by packets, bytes or time`() {
        for queue in [QueueLimit.packets(10), .bytes(1_250), .time(.milliseconds(10))] {
            let profile = LinkProfile(rate: .megabits(1), queue: queue, discipline: .coDel)
            var link = Link(profile, random: testRandom())
            let offers = (0..<13).map { link.offer(QueuedPacket(token: $0, byteCount: 125), at: .zero) }
            #expect(offers == Array(repeating: .accepted, count: 11) + [.dropped(.queueFull), .dropped(.queueFull)])
        }
    }
}
