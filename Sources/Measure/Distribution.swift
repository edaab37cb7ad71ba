import Basics
import Traffic

/// A set of values of one kind, summed up as every distribution in a report is.
public struct Distribution: Equatable, Sendable {
    public var minimum: Double
    public var p5: Double
    public var p50: Double
    public var p95: Double
    public var p99: Double
    public var maximum: Double
    public var mean: Double
    public var count: Double

    /// Sums up single values, percentiles by the nearest rank; nil where there are none.
    public init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        // In whole numbers: 0.05 * 140 is more than 7, and would be the eighth rank.
        func at(_ percent: Int) -> Double { sorted[(percent * sorted.count + 99) / 100 - 1] }
        minimum = first
        p5 = at(5)
        p50 = at(50)
        p95 = at(95)
        p99 = at(99)
        maximum = last
        mean = sorted.reduce(0, +) / Double(sorted.count)
        count = Double(sorted.count)
    }

    /// Sums up spans of time that a histogram has counted, in milliseconds; nil where it has none.
    init?(_ histogram: LatencyHistogram) {
        guard let least = histogram.minimum, let greatest = histogram.maximum, let average = histogram.mean else {
            return nil
        }
        func at(_ percent: Double) -> Double { (histogram.percentile(Ratio(percent / 100)) ?? average).inMilliseconds }
        minimum = least.inMilliseconds
        p5 = at(5)
        p50 = at(50)
        p95 = at(95)
        p99 = at(99)
        maximum = greatest.inMilliseconds
        mean = average.inMilliseconds
        count = Double(histogram.count)
    }

    /// The values under the names that ``MetricCatalogue/statistics`` has for them.
    public var statistics: [(name: String, value: Double)] {
        [
            ("min", minimum), ("p5", p5), ("p50", p50), ("p95", p95), ("p99", p99), ("max", maximum),
            ("mean", mean), ("count", count),
        ]
    }
}
