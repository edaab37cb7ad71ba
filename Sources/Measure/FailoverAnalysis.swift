import Basics
import Scenario
import Telemetry
import Traffic

/// Follows each disruptive incident through verdicts, path changes and flows.
///
/// Trouble on a tunnel belongs to the last incident that hit that tunnel. A gap in a
/// flow's delivery belongs to the last incident that the flow was exposed to when the gap
/// began: it was on a tunnel that the incident hits, or its own host or site was hit.
/// `docs/metrics.md` has the rules.
struct FailoverAnalysis {
    let record: RunRecord
    let reach: IncidentReach
    let responses: NodeResponses
    /// Where each entry's traffic begins and ends.
    let ends: [EntryEnds]
    /// The place of each flow's description.
    private var descriptions = IndexTable()
    /// What the flows of each key have in common that are steered alike: their traffic and their direction.
    private var likes: IndexTable

    init(_ record: RunRecord) {
        self.record = record
        reach = IncidentReach(record)
        responses = NodeResponses(record, reach)
        ends = record.scenario.traffic.map { EntryEnds($0, record.scenario.topology) }
        likes = IndexTable(capacity: record.flows.count * 2)
        for (place, flow) in record.flows.enumerated() {
            descriptions[UInt64(flow.number)] = UInt32(place)
            for direction in FlowDirection.allCases {
                guard let key = key(of: flow, direction) else { continue }
                likes[key.rawValue] = UInt32(truncatingIfNeeded: Self.like(flow, direction))
            }
        }
    }

    /// What came of each disruptive incident, in order of start.
    func outcomes() -> [FailoverOutcome] {
        var outcomes = reach.incidents.indices.map { index in
            FailoverOutcome(
                incident: reach.incidents[index], detections: responses.detections[index],
                reactions: responses.reactions[index], switchovers: [], impacts: [], failbackCounts: [])
        }
        guard !outcomes.isEmpty else { return [] }
        for move in responses.moves where isDescribed(responses.history.keys[move.flow]) {
            outcomes[move.incident].switchovers.append(move.at - reach.incidents[move.incident].start)
            outcomes[move.incident].failbackCounts.append(move.failbackCount)
        }
        let returns = firstReturns()
        var exposures = EntryExposures(self)
        for report in record.flowReports {
            guard let received = report.received, let flow = description(of: report.flow) else { continue }
            let place = key(of: flow, report.direction).flatMap { responses.history.place(of: $0) }
            let exposed = place.map { spans(of: $0, flow) } ?? exposures.spans(of: flow)
            let moves = place.map { responses.moves(of: $0) } ?? []
            for var hit in FlowHits(received, exposed, moves, self).hits {
                hit.isStranded = hit.isStranded || stayedBehind(report, flow, place, hit, moves, returns)
                outcomes[hit.incident].impacts.append(
                    FlowImpact(
                        flow: report.flow, direction: report.direction, outage: hit.outage,
                        packetsLost: hit.packetsLost,
                        switchover: hit.movedAt.map { $0 - reach.incidents[hit.incident].start },
                        isStranded: hit.isStranded))
            }
        }
        return outcomes
    }

    /// Whether a flow is one of the scenario's; nodes' own sessions and the connections of streams are not.
    func isDescribed(_ key: FlowKey) -> Bool { likes[key.rawValue] != nil }

    private func description(of number: UInt32) -> FlowDescription? {
        descriptions[UInt64(number)].map { record.flows[Int($0)] }
    }

    private func key(of flow: FlowDescription, _ direction: FlowDirection) -> FlowKey? {
        direction == .forward ? flow.forwardKey : flow.reverseKey
    }

    /// When a flow whose paths are known was exposed to each incident.
    private func spans(of place: Int, _ flow: FlowDescription) -> [Span] {
        var spans: [Span] = []
        for incident in reach.incidents.indices {
            if ends[flow.entry].areHit(by: reach.incidents[incident], record.scenario.topology) {
                spans.append(wholeSpan(of: incident))
            } else {
                spans += responses.history.exposures(of: place, to: incident, reach)
            }
        }
        return spans
    }

    /// The whole time of an incident.
    func wholeSpan(of incident: Int) -> Span {
        Span(start: reach.incidents[incident].start, end: reach.lastInstant(of: incident), incident: incident)
    }
}

// MARK: Flows that stay on the backup

extension FailoverAnalysis {
    /// How long a flow may stay behind the first of its like to go back.
    private static let patience = Interval.seconds(60)

    /// By incident, traffic and direction, when the first flow went back.
    private func firstReturns() -> [UInt64: Instant] {  // not iterated
        var returns: [UInt64: Instant] = [:]  // not iterated
        for move in responses.moves {
            guard let back = move.firstFailback, let like = likes[responses.history.keys[move.flow].rawValue] else {
                continue
            }
            let group = UInt64(move.incident) << 32 | UInt64(like)
            returns[group] = min(returns[group] ?? back, back)
        }
        return returns
    }

    private static func like(_ flow: FlowDescription, _ direction: FlowDirection) -> UInt64 {
        UInt64(flow.entry) << 1 | (direction == .forward ? 0 : 1)
    }

    /// Whether a flow that still sends is on the backup long after the first of its like has gone back.
    private func stayedBehind(
        _ report: FlowReport, _ flow: FlowDescription, _ place: Int?, _ hit: FlowHits.Hit, _ moves: [Move],
        _ returns: [UInt64: Instant]  // not iterated
    ) -> Bool {
        let group = UInt64(hit.incident) << 32 | Self.like(flow, report.direction)
        guard let place, let move = moves.first(where: { $0.incident == hit.incident }), let first = returns[group],
            let lastSent = report.sent?.lastAt, lastSent >= first + Self.patience
        else { return false }
        return responses.history.tunnel(of: place, at: first + Self.patience) == move.to
    }
}
