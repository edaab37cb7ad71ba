/// The unit in which a metric's values and limits are kept.
public enum MetricUnit: String, CaseIterable, Sendable {
    case milliseconds = "ms"
    case seconds = "s"
    case ratio
    case packets
    case perHour = "1/h"
    case bitsPerSecond = "bit/s"
    /// Mean opinion score, 1…4.5.
    case opinionScore = "mos"
    case count
    /// A plain number, such as a speed-up.
    case none = ""
}

/// A metric that a run can produce, with `NAME` where the name of traffic or of a class stands.
public struct MetricDescription: Equatable, Sendable {
    public let pattern: String
    public let unit: MetricUnit
    /// Whether it comes as `.min`, `.p5`, `.p50`, `.p95`, `.p99`, `.max`, `.mean` and `.count`.
    public let isDistribution: Bool

    init(_ pattern: String, _ unit: MetricUnit, isDistribution: Bool = false) {
        self.pattern = pattern
        self.unit = unit
        self.isDistribution = isDistribution
    }
}

/// All metrics by name; the contract between scenario files and measurements.
public enum MetricCatalogue {
    /// What a distribution's name ends in.
    public static let statistics = ["min", "p5", "p50", "p95", "p99", "max", "mean", "count"]

    public static let all: [MetricDescription] = [
        MetricDescription("failover.outage", .milliseconds, isDistribution: true),
        MetricDescription("failover.detection", .milliseconds, isDistribution: true),
        MetricDescription("failover.reaction", .milliseconds, isDistribution: true),
        MetricDescription("failover.switchover", .milliseconds, isDistribution: true),
        MetricDescription("failover.packetsLost", .packets, isDistribution: true),
        MetricDescription("failover.failbacks", .count, isDistribution: true),
        MetricDescription("failover.strandedFlows", .count),
        MetricDescription("prediction.precision", .ratio),
        MetricDescription("prediction.recall", .ratio),
        MetricDescription("prediction.falseAlarmsPerHour", .perHour),
        MetricDescription("prediction.leadTime", .seconds, isDistribution: true),
        MetricDescription("anomaly.precision", .ratio),
        MetricDescription("anomaly.recall", .ratio),
        MetricDescription("anomaly.f1", .ratio),
        MetricDescription("anomaly.falseAlarmsPerHour", .perHour),
        MetricDescription("anomaly.detectionDelay", .milliseconds, isDistribution: true),
        MetricDescription("anomaly.class.NAME.recall", .ratio),
        MetricDescription("dpi.accuracy", .ratio),
        MetricDescription("dpi.macroF1", .ratio),
        MetricDescription("dpi.class.NAME.f1", .ratio),
        MetricDescription("traffic.NAME.latency", .milliseconds, isDistribution: true),
        MetricDescription("traffic.NAME.jitter", .milliseconds, isDistribution: true),
        MetricDescription("traffic.NAME.loss", .ratio, isDistribution: true),
        MetricDescription("traffic.NAME.goodput", .bitsPerSecond, isDistribution: true),
        MetricDescription("traffic.NAME.mos", .opinionScore, isDistribution: true),
        MetricDescription("traffic.NAME.completionTime", .milliseconds, isDistribution: true),
        MetricDescription("bgp.convergence", .milliseconds, isDistribution: true),
        MetricDescription("bgp.sessionDowntime", .milliseconds, isDistribution: true),
        MetricDescription("wanopt.reduction", .ratio),
        MetricDescription("fec.recovered", .ratio),
        MetricDescription("fec.overhead", .ratio),
        MetricDescription("tunnel.encrypted", .ratio),
        MetricDescription("security.attackPacketsDropped", .ratio),
        MetricDescription("security.legitimatePacketsDropped", .ratio),
        MetricDescription("security.legitimatePacketsPoliced", .count),
        MetricDescription("invariants.violations", .count),
        MetricDescription("run.events", .count),
        MetricDescription("run.packetHops", .count),
        MetricDescription("run.wallSeconds", .seconds),
        MetricDescription("run.speedup", .none),
    ]

    /// The unit of the metric of that name, nil where there is none; `trafficNames` may stand behind `traffic.`.
    public static func unit(of name: String, trafficNames: [String]) -> MetricUnit? {
        for description in all {
            for stem in stems(of: description, trafficNames: trafficNames) {
                if name == stem { return description.unit }
                guard description.isDistribution, name.hasPrefix(stem + ".") else { continue }
                let statistic = String(name.dropFirst(stem.count + 1))
                guard statistics.contains(statistic) else { continue }
                return statistic == "count" ? .count : description.unit
            }
            if matchesAnyClass(name, description) { return description.unit }
        }
        return nil
    }

    /// Every name that a scenario with that traffic may expect something of, for finding the nearest one.
    public static func names(trafficNames: [String]) -> [String] {
        var result: [String] = []
        for description in all {
            for stem in stems(of: description, trafficNames: trafficNames) {
                result.append(stem)
                if description.isDistribution { result += statistics.map { "\(stem).\($0)" } }
            }
        }
        return result
    }

    private static func stems(of description: MetricDescription, trafficNames: [String]) -> [String] {
        let prefix = "traffic.NAME."
        guard description.pattern.hasPrefix(prefix) else { return [description.pattern] }
        let property = description.pattern.dropFirst(prefix.count)
        return trafficNames.map { "traffic.\($0).\(property)" }
    }

    /// Whether `name` is `anomaly.class.X.recall` or `dpi.class.X.f1` for some X.
    private static func matchesAnyClass(_ name: String, _ description: MetricDescription) -> Bool {
        let parts = description.pattern.split(separator: ".")
        guard parts.count == 4, parts[1] == "class" else { return false }
        let given = name.split(separator: ".", omittingEmptySubsequences: false)
        return given.count == 4 && given[0] == parts[0] && given[1] == parts[1] && given[3] == parts[3]
            && !given[2].isEmpty
    }
}
