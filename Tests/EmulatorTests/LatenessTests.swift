import Basics
import Emulator
import TestKit
import Testing

struct LatenessTests {
    @Test func `quantiles are those of the sorted values, up to a sixteenth`() {
        forEachSeed(20) { random in
            var histogram = LatenessHistogram()
            var values: [Int64] = []
            for _ in 0..<1_000 {
                let value = Int64(random.next() >> (34 + random.next() % 30))
                values.append(value)
                histogram.record(.nanoseconds(value), limit: .milliseconds(1))
            }
            values.sort()
            for (share, rank) in [(0.5, 500), (0.99, 990), (1, 1_000)] {
                let exact = values[rank - 1]
                let found = histogram.quantile(Ratio(share)).nanoseconds
                try #require(found >= exact && found <= exact + exact / 16 + 1)
            }
            let late = UInt64(values.count { $0 > 1_000_000 })
            try #require(histogram.count == 1_000 && histogram.overLimit == late)
            try #require(histogram.maximum == .nanoseconds(values[999]))
        }
    }

    @Test func `an empty histogram is not late, and one before its time is on time`() {
        var histogram = LatenessHistogram()
        #expect(histogram.quantile(.one) == .zero)
        histogram.record(.nanoseconds(-5), limit: .zero)
        #expect(histogram.count == 1 && histogram.overLimit == 0 && histogram.maximum == .zero)
    }

    @Test func `two histograms add up`() {
        var (one, other) = (LatenessHistogram(), LatenessHistogram())
        one.record(.microseconds(10), limit: .milliseconds(1))
        other.record(.seconds(100), limit: .milliseconds(1))
        one.add(other)
        #expect(one.count == 2 && one.overLimit == 1 && one.maximum == .seconds(100))
        #expect(one.quantile(Ratio(0.5)) < .microseconds(11) && one.quantile(.one) <= .seconds(100))
    }

    @Test(arguments: [(0, 500), (5, 500), (10, 500), (20, 1_000), (100, 5_000)])
    func `half a millisecond or a twentieth of the delay is allowed`(delay: Int, limit: Int) {
        #expect(LateDirection.limit(forDelay: .milliseconds(Int64(delay))) == .microseconds(Int64(limit)))
    }
}
