public import Basics
public import Scenario

/// How a run ended.
public enum RunStatus: String, Sendable {
    case passed
    case failed
    /// The host was too busy for its figures to mean anything.
    case invalid
    case error
}

/// What came of one expectation.
public struct ExpectationResult: Equatable, Sendable {
    public var expectation: Expectation
    /// What was measured; nil where the run did not produce the metric.
    public var value: Double?
    public var unit: MetricUnit
    public var passed: Bool
    /// Why it failed, where the value alone does not say it.
    public var reason: String?
}

/// One line of a run's story.
public struct TimelineEntry: Equatable, Sendable {
    public var at: Instant
    /// `event`, `verdict`, `path`, `session`, `violation`.
    public var kind: String
    public var subject: String
    public var text: String

    public init(at: Instant, kind: String, subject: String, text: String) {
        self.at = at
        self.kind = kind
        self.subject = subject
        self.text = text
    }
}

/// Everything that is concluded from a run's record.
public struct RunSummary: Sendable {
    public var status: RunStatus
    public var metrics: MetricSet
    public var failovers: [FailoverOutcome]
    public var expectations: [ExpectationResult]
    public var timeline: [TimelineEntry]

    /// Measures everything, and holds it against the scenario's expectations.
    ///
    /// `wallSeconds` is what the run took on the clock, where that is known.
    public init(_ record: RunRecord, wallSeconds: Double?) {
        failovers = FailoverAnalysis(record).outcomes()
        metrics = MetricSet()
        metrics.measureFailovers(failovers)
        metrics.measureTraffic(record)
        metrics.measureRouting(record)
        metrics.measureSecurity(record)
        metrics.measureRun(record, wallSeconds: wallSeconds)
        var results: [ExpectationResult] = []
        for expectation in record.scenario.expectations {
            results.append(Self.judge(expectation, metrics, failovers, record))
        }
        expectations = results
        timeline = Timeline.entries(of: record)
        let isSound = record.violations.isEmpty && results.allSatisfy(\.passed)
        status = record.invalidity.isEmpty ? (isSound ? .passed : .failed) : .invalid
    }

    private static func judge(
        _ expectation: Expectation, _ metrics: MetricSet, _ failovers: [FailoverOutcome], _ record: RunRecord
    ) -> ExpectationResult {
        guard let metric = metrics[expectation.metric] else {
            let unit = MetricCatalogue.unit(
                of: expectation.metric, trafficNames: record.scenario.traffic.map(\.name))
            return ExpectationResult(
                expectation: expectation, value: nil, unit: unit ?? .none, passed: false,
                reason: absence(of: expectation.metric, failovers, record))
        }
        return ExpectationResult(
            expectation: expectation, value: metric.value, unit: metric.unit,
            passed: expectation.condition.isMet(by: metric.value), reason: nil)
    }

    private static func absence(
        of name: String, _ failovers: [FailoverOutcome], _ record: RunRecord
    ) -> String {
        if name.hasPrefix("security."), let reason = SecurityFigures(record).absence(of: name) { return reason }
        if name.hasPrefix("bgp."), let reason = RoutingFigures(record).absence(of: name) { return reason }
        guard name.hasPrefix("failover.") else { return "the run did not produce this metric" }
        if failovers.isEmpty { return "nothing failed in this run, so there was no failover to measure" }
        guard failovers.contains(where: \.wasExercised) else {
            return "what failed hit no flow and no path, so there was no failover to measure"
        }
        switch name.split(separator: ".").dropFirst().first {
        case "detection": return "no node noticed what failed, so there was no failover to measure"
        case "outage", "packetsLost": return "what failed hit no flow, so there was no failover to measure"
        default: return "no flow was moved to another path, so there was no failover to measure"
        }
    }
}
