import Basics
import Measure
import Scenario
import Traffic

extension RunResults {
    /// The document that `summary.json` holds, and that `--json` prints.
    public var summaryJSON: String { summaryDocument.prettyPrinted }

    private var summaryDocument: JSONValue {
        .object([
            .init("format", .whole(1)),
            .init("scenario", .text(record.scenario.name)),
            .init("backend", .text(record.backend)),
            .init("seed", .whole(record.seed)),
            .init("status", .text(summary.status.rawValue)),
            .init("simulatedSeconds", .number((record.end - .zero).inSeconds)),
            .init("wallSeconds", .optional(wallSeconds)),
            .init("digest", .text(digest)),
            .init("version", .text(version)),
            .init("metrics", .object(summary.metrics.all.map(Self.metric))),
            .init("expectations", .array(summary.expectations.map(Self.expectation))),
            .init("failovers", .array(summary.failovers.map(failover))),
            .init("attacks", .array(AttackFigures.all(of: record).map(attack))),
            .init("dataplanes", .array(record.dataplanes.map(dataplane))),
            .init("violations", .array(record.violations.map(violation))),
            .init("invalidity", .array(record.invalidity.map { .text($0) })),
            .init("inputs", .array(inputs.map(Self.input))),
            .init("timeline", .array(summary.timeline.map(Self.timelineEntry))),
        ])
    }

    private static func metric(_ metric: Metric) -> JSONValue.Member {
        .init(
            metric.name,
            .object([.init("value", .number(metric.value)), .init("unit", .text(metric.unit.rawValue))]))
    }

    private static func expectation(_ result: ExpectationResult) -> JSONValue {
        let limits = result.expectation.condition.limits
        var members: [JSONValue.Member] = [
            .init("metric", .text(result.expectation.metric)),
            .init("operator", .text(result.expectation.condition.operatorName)),
            .init("limit", limits.count == 1 ? .number(limits[0]) : .array(limits.map { .number($0) })),
            .init("value", .optional(result.value)),
            .init("unit", .text(result.unit.rawValue)),
            .init("passed", .boolean(result.passed)),
        ]
        if let reason = result.reason { members.append(.init("reason", .text(reason))) }
        return .object(members)
    }

    private func failover(_ outcome: FailoverOutcome) -> JSONValue {
        let figures = FailoverFigures(outcome)
        return .object([
            .init("at", .number((outcome.incident.start - .zero).inMilliseconds)),
            .init("kind", .text(outcome.incident.kind.rawValue)),
            .init("subject", .text(record.subjectName(of: outcome.incident))),
            .init("label", .text(outcome.incident.label)),
            .init("end", .optional(outcome.incident.end.map { ($0 - .zero).inMilliseconds })),
            .init("detection", .optional(figures.detection)),
            .init("reaction", .optional(figures.reaction)),
            .init("outageMax", .optional(figures.outage?.maximum)),
            .init("outageMedian", .optional(figures.outage?.p50)),
            .init("flowsHit", .whole(UInt64(figures.flowCount))),
            .init("packetsLost", .whole(figures.packetsLost)),
            .init("failbacks", .whole(UInt64(outcome.failbacks))),
        ])
    }

    private func dataplane(_ account: DataplaneAccount) -> JSONValue {
        .object([
            .init("node", .text(record.nodeName(account.node) ?? "")),
            .init("cause", .text(account.cause)),
            .init("verdict", account.verdict.map { .text($0) } ?? .null),
            .init("packets", .whole(account.packets)),
            .init("bytes", .whole(account.bytes)),
        ])
    }

    private func attack(_ figures: AttackFigures) -> JSONValue {
        let incident = record.incidents.first { $0.event == figures.event }
        return .object([
            .init("at", .optional(incident.map { ($0.start - .zero).inMilliseconds })),
            .init("end", .optional(incident?.end.map { ($0 - .zero).inMilliseconds })),
            .init("subject", .text(incident.map { record.subjectName(of: $0) } ?? "")),
            .init("label", .text(incident?.label ?? "")),
            .init("packetsSent", .whole(figures.sent)),
            .init("packetsReachedNodes", .whole(figures.reachedNodes)),
            .init("packetsPoliced", .whole(figures.policed)),
            .init("packetsDenied", .whole(figures.denied)),
        ])
    }

    private func violation(_ violation: InvariantViolation) -> JSONValue {
        .object([
            .init("at", .number((violation.at - .zero).inMilliseconds)),
            .init("kind", .text(violation.kind.rawValue)),
            .init("subject", .text(record.nodeName(violation.node) ?? "network")),
            .init("text", .text(violation.text)),
        ])
    }

    private static func input(_ input: Input) -> JSONValue {
        .object([
            .init("path", .text(input.path)),
            .init("bytes", .whole(UInt64(input.bytes.count))),
            .init("digest", .text(ContentDigest.text(of: input.bytes))),
        ])
    }

    private static func timelineEntry(_ entry: TimelineEntry) -> JSONValue {
        .object([
            .init("at", .number((entry.at - .zero).inMilliseconds)),
            .init("kind", .text(entry.kind)),
            .init("subject", .text(entry.subject)),
            .init("text", .text(entry.text)),
        ])
    }
}

/// What one failover comes down to, in milliseconds.
struct FailoverFigures {
    /// The first verdict.
    let detection: Double?
    /// From the first verdict to the first packet by another path.
    let reaction: Double?
    let outage: Distribution?
    let packetsLost: UInt64
    /// Directions of flows that were hit.
    let flowCount: Int

    init(_ outcome: FailoverOutcome) {
        detection = outcome.detections.min()?.inMilliseconds
        reaction = outcome.reactions.first?.inMilliseconds
        outage = Distribution(outcome.impacts.map(\.outage.inMilliseconds))
        packetsLost = outcome.impacts.reduce(0) { $0 + $1.packetsLost }
        flowCount = outcome.impacts.count
    }
}

extension Expectation.Condition {
    /// The limit, or both of them.
    var limits: [Double] {
        switch self {
        case .below(let limit), .atMost(let limit), .atLeast(let limit), .above(let limit), .equals(let limit): [limit]
        case .between(let low, let high): [low, high]
        }
    }
}
