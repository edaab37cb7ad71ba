import Basics
import TestKit
import Testing
import Traffic

@Suite struct HistogramTests {
    @Test func `percentiles are within a 512th of those of a sorted list, the rest is exact`() {
        forEachSeed { random in
            var histogram = LatencyHistogram()
            var values: [Int64] = []
            let scale = UInt64(1) << random.below(50)
            for _ in 0..<1 + random.below(500) {
                let value = Int64(random.below(scale + 1))
                values.append(value)
                histogram.record(Interval(nanoseconds: value))
            }
            values.sort()
            try #require(histogram.count == UInt64(values.count))
            try #require(histogram.minimum?.nanoseconds == values.first)
            try #require(histogram.maximum?.nanoseconds == values.last)
            let sum = values.reduce(0) { $0 + Int128($1) }
            try #require(histogram.mean?.nanoseconds == Int64(sum / Int128(values.count)))
            for quantile in [0, 0.05, 0.5, 0.95, 0.99, 1] {
                let rank = max(1, Int((quantile * Double(values.count)).rounded(.up)))
                let wanted = values[rank - 1]
                let got = try #require(histogram.percentile(Ratio(quantile))).nanoseconds
                try #require(abs(got - wanted) * 512 <= wanted, "\(got) for \(wanted)")
            }
        }
    }

    @Test func `a constant latency is given exactly`() {
        var histogram = LatencyHistogram()
        for _ in 0..<1_000 { histogram.record(.nanoseconds(35_123_457)) }
        #expect(histogram.percentile(Ratio(0.05)) == .nanoseconds(35_123_457))
        #expect(histogram.percentile(Ratio(0.99)) == .nanoseconds(35_123_457))
        #expect(histogram.mean == .nanoseconds(35_123_457))
    }

    @Test func `an empty histogram knows nothing, and extremes are counted`() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(Ratio(0.5)) == nil)
        #expect(histogram.mean == nil)
        histogram.record(.nanoseconds(-5))
        histogram.record(Interval(nanoseconds: .max))
        #expect(histogram.minimum == .zero)
        #expect(histogram.maximum?.nanoseconds == .max)
        #expect(histogram.percentile(.one)?.nanoseconds ?? 0 > Int64.max / 512 * 511)
    }

    @Test func `merged histograms equal the one that counted everything, in any order`() {
        forEachSeed(30) { random in
            var parts = [LatencyHistogram(), LatencyHistogram()]
            var whole = LatencyHistogram()
            for _ in 0..<200 {
                let span = Interval(nanoseconds: Int64(random.below(1 << random.below(40))))
                parts[Int(random.below(2))].record(span)
                whole.record(span)
            }
            var first = parts[0]
            first.merge(parts[1])
            var second = parts[1]
            second.merge(parts[0])
            try #require(first == whole)
            try #require(second == whole)
            whole.record(.nanoseconds(77))
            try #require(first != whole)
        }
    }
}
