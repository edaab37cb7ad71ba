import Basics
import TestKit
import Testing

@Suite struct TimeTests {
    @Test(arguments: [
        (Interval.zero, "0"), (.nanoseconds(1), "1ns"), (.nanoseconds(1_500), "1500ns"), (.microseconds(250), "250us"),
        (.milliseconds(20), "20ms"), (.milliseconds(1_500), "1500ms"), (.seconds(2), "2s"), (.seconds(90), "90s"),
        (.seconds(300), "5m"), (.seconds(7_200), "2h"), (.milliseconds(-20), "-20ms"),
    ])
    func `an interval prints in the largest unit that needs no fraction`(interval: Interval, wanted: String) {
        #expect(interval.description == wanted)
    }

    @Test func `instants and intervals add and subtract`() {
        let start = Instant(nanoseconds: 1_000_000)
        #expect(start + .milliseconds(1) == Instant(nanoseconds: 2_000_000))
        #expect(start - .microseconds(1) == Instant(nanoseconds: 999_000))
        #expect(start + .microseconds(-1) == Instant(nanoseconds: 999_000))
        #expect(start - Instant(nanoseconds: 3_000_000) == .milliseconds(-2))
        #expect(Interval.seconds(1) / 4 == .milliseconds(250))
        #expect(-Interval.seconds(1) < .zero)
        #expect(Interval.milliseconds(-3).magnitude == .milliseconds(3))
        #expect(Interval.microseconds(2_500).inMilliseconds == 2.5)
        #expect(Interval.milliseconds(2_500).inSeconds == 2.5)
        #expect(start < .never)
    }

    @Test(arguments: [
        (BitRate(bitsPerSecond: 0), "0bit"), (BitRate(bitsPerSecond: 999), "999bit"), (.megabits(1), "1Mbit"),
        (.megabits(1_000), "1Gbit"), (BitRate(bitsPerSecond: 1_500_000), "1500kbit"), (.gigabits(4_000), "4000Gbit"),
    ])
    func `a rate prints in the largest unit that needs no fraction`(rate: BitRate, wanted: String) {
        #expect(rate.description == wanted)
    }

    @Test func `transmission takes as long as the bits need, rounded up`() {
        #expect(BitRate.megabits(100).transmissionTime(byteCount: 1_250) == .microseconds(100))
        #expect(BitRate.gigabits(10).transmissionTime(byteCount: 1) == .nanoseconds(1))
        #expect(BitRate.gigabits(1).transmissionTime(byteCount: 0) == .zero)
        #expect(BitRate(bitsPerSecond: 3).transmissionTime(byteCount: 1) == .nanoseconds(2_666_666_667))
        #expect(BitRate(bitsPerSecond: 0).transmissionTime(byteCount: 1) == .nanoseconds(.max))
        #expect(BitRate(bitsPerSecond: 1).transmissionTime(byteCount: .max) == .nanoseconds(.max))
        // Ten gigabytes: the product passes 64 bits.
        #expect(BitRate.gigabits(1).transmissionTime(byteCount: 10_000_000_000) == .seconds(80))
    }

    @Test func `bytes that fit a span are those whose transmission takes no longer`() {
        forEachSeed(1_000) { random in
            let rate = BitRate(bitsPerSecond: 8 + random.below(100_000_000_000))
            let span = Interval(nanoseconds: Int64(random.below(10_000_000_000)))
            let count = rate.byteCount(in: span)
            try #require(rate.transmissionTime(byteCount: count) <= span)
            try #require(rate.transmissionTime(byteCount: count + 1) > span)
        }
        #expect(BitRate.gigabits(1).byteCount(in: .seconds(-1)) == 0)
        #expect(BitRate(bitsPerSecond: .max).byteCount(in: .nanoseconds(.max)) == .max)
    }

    @Test func `a ratio stays between nothing and all`() {
        #expect(Ratio(-1) == .zero)
        #expect(Ratio(7) == .one)
        #expect(Ratio(.nan) == .zero)
        #expect(Ratio(3, of: 4).fraction == 0.75)
        #expect(Ratio(0, of: 0) == .zero)
        #expect(Ratio.zero.threshold == 0)
        #expect(Ratio.one.threshold == .max)
        #expect(Ratio(0.5).threshold == 1 << 63)
        #expect(Ratio(1.0.nextDown).threshold == UInt64.max - 2_047)
    }
}
