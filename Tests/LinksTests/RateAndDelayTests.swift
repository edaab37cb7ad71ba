import Basics
import Links
import TestKit
import Testing

@Suite struct RateAndDelayTests {
    @Test func `a packet arrives after its transmission and the delay, to the nanosecond`() {
        let profile = LinkProfile(rate: .megabits(10), delay: Interval(nanoseconds: 12_345_678))
        var link = Link(profile, random: testRandom())
        let offer = link.offer(QueuedPacket(token: 7, byteCount: 1_250), at: .milliseconds(3))
        #expect(offer == .accepted)
        #expect(link.nextDue == .nanoseconds(3_000_000 + 1_000_000 + 12_345_678))
        let early = link.next(at: .nanoseconds(16_345_677))
        #expect(early == nil)
        let outcome = link.next(at: .nanoseconds(16_345_678))
        #expect(outcome == .delivered(token: 7, damagedBit: nil))
        #expect(link.nextDue == nil)
    }

    @Test func `an infinitely fast link adds its delay and nothing else`() {
        var link = Link(LinkProfile(delay: .milliseconds(5)), random: testRandom())
        let happenings = link.run(count: 1_000, byteCount: 1_500, every: .zero)
        #expect(happenings.count == 1_000)
        #expect(happenings.allSatisfy { $0.at == .milliseconds(5) })
        #expect(happenings.compactMap(\.deliveredToken) == Array(0..<1_000))
    }

    @Test func `a busy link sends exactly its rate, with no drift over 200 000 packets`() {
        // 7 Mbit/s divides neither the nanosecond nor the packet.
        let profile = LinkProfile(rate: .megabits(7), queue: .packets(4_000_000))
        var link = Link(profile, random: testRandom())
        for token in 0..<200_000 as Range<UInt32> {
            _ = link.offer(QueuedPacket(token: token, byteCount: 1_001), at: .zero)
        }
        let happenings = link.drain()
        let nanosecondBits = UInt64(200_000) * 1_001 * 8 * 1_000_000_000
        #expect(happenings.last?.at == .nanoseconds((nanosecondBits + 6_999_999) / 7_000_000))
        #expect(happenings[0].at == .nanoseconds(1_144_000))
        #expect(happenings[99_999].at == .nanoseconds((nanosecondBits / 2 + 6_999_999) / 7_000_000))
    }

    @Test func `a busy link is never faster than its rate and at most a nanosecond slower`() {
        forEachSeed(50) { random in
            let rate = BitRate(bitsPerSecond: 1 + random.below(1 << random.below(37)))
            let profile = LinkProfile(rate: rate, queue: .packets(.max))
            var link = Link(profile, random: random.fork())
            var bits: UInt64 = 0
            for token in 0..<200 as Range<UInt32> {
                let size = UInt32(random.below(9_000))
                bits += UInt64(size) * 8
                _ = link.offer(QueuedPacket(token: token, byteCount: size), at: .zero)
                let (high, low) = bits.multipliedFullWidth(by: 1_000_000_000)
                let exact = rate.bitsPerSecond.dividingFullWidth((high, low))
                let expected = exact.quotient + (exact.remainder == 0 ? 0 : 1)
                var copy = link
                let last = copy.drain().last
                try #require(last?.at == .nanoseconds(expected), "rate \(rate), \(bits) bits")
            }
        }
    }

    @Test func `a link that was idle starts at once, and delivers in order`() {
        forEachSeed(50) { random in
            let rate = BitRate(bitsPerSecond: 1_000_000 + random.below(1_000_000_000))
            let profile = LinkProfile(rate: rate, delay: .milliseconds(10), queue: .bytes(64_000))
            var link = Link(profile, random: random.fork())
            var now = Instant.zero
            var free = Instant.zero
            var expected: [Happening] = []
            var happenings: [Happening] = []
            for token in 0..<1_000 as Range<UInt32> {
                now += Interval(nanoseconds: Int64(random.below(100_000)))
                happenings += link.drain(until: now)
                let size = 64 + UInt32(random.below(1_400))
                guard link.offer(QueuedPacket(token: token, byteCount: size), at: now) == .accepted else { continue }
                free = max(free, now) + rate.transmissionTime(byteCount: Int(size))
                expected.append(
                    Happening(at: free + .milliseconds(10), outcome: .delivered(token: token, damagedBit: nil)))
            }
            happenings += link.drain()
            try #require(happenings.map(\.outcome) == expected.map(\.outcome))
            for (happening, model) in zip(happenings, expected) {
                // The model rounds every packet up, the link only their sum.
                let difference = model.at - happening.at
                try #require(difference >= .zero && difference < .microseconds(1))
            }
        }
    }

    @Test func `rates and sizes, as a table of departures`() throws {
        var table = "rate bytes: departure of packets 1, 2, 3 and 1000 in nanoseconds\n"
        for bits: UInt64 in [0, 64_000, 3_000_000, 100_000_000, 999_999_999, 40_000_000_000] {
            for size: UInt32 in [1, 64, 1_500, 65_535] {
                let profile = LinkProfile(rate: BitRate(bitsPerSecond: bits))
                var link = Link(profile, random: testRandom())
                let happenings = link.run(count: 1_000, byteCount: size, every: .zero)
                let columns = [0, 1, 2, 999].map { "\(happenings[$0].at.nanoseconds)" }
                table += "\(bits) \(size): \(columns.joined(separator: " "))\n"
            }
        }
        try expectGolden(table, named: "departures-by-rate.txt")
    }
}
