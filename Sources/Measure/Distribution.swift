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
        func rank(_ share: Double) -> Double {
            sorted[max(0, min(sorted.count - 1, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
        }
        minimum = first
        p5 = rank(0.05)
        p50 = rank(0.5)
        p95 = rank(0.95)
        p99 = rank(0.99)
        maximum = last
        mean = sorted.reduce(0, +) / Double(sorted.count)
        count = Double(sorted.count)
    }

    /// The values under the names that ``MetricCatalogue/statistics`` has for them.
    public var statistics: [(name: String, value: Double)] {
        [
            ("min", minimum), ("p5", p5), ("p50", p50), ("p95", p95), ("p99", p99), ("max", maximum),
            ("mean", mean), ("count", count),
        ]
    }
}
