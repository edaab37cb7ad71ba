public import Scenario

/// One measured value.
public struct Metric: Equatable, Sendable {
    public let name: String
    public let value: Double
    public let unit: MetricUnit

    public init(_ name: String, _ value: Double, _ unit: MetricUnit) {
        self.name = name
        self.value = value
        self.unit = unit
    }

    /// Whether it tells of the machine that ran the run, and so is no part of the digest.
    public var isCost: Bool { name == "run.wallSeconds" || name == "run.speedup" }
}

/// All metrics of a run, in the order in which they were measured.
public struct MetricSet: Equatable, Sendable {
    public private(set) var all: [Metric] = []

    public init() {}

    /// The metric of that name, where the run produced it.
    public subscript(name: String) -> Metric? { all.first { $0.name == name } }

    /// Adds one value.
    public mutating func append(_ name: String, _ value: Double, _ unit: MetricUnit) {
        all.append(Metric(name, value, unit))
    }

    /// Adds a distribution under `NAME.min` to `NAME.count`, and its mean under the bare name; nil adds nothing.
    public mutating func append(_ name: String, _ distribution: Distribution?, _ unit: MetricUnit) {
        guard let distribution else { return }
        append(name, distribution.mean, unit)
        for statistic in distribution.statistics {
            append("\(name).\(statistic.name)", statistic.value, statistic.name == "count" ? .count : unit)
        }
    }
}
