import Basics
import Scenario
import Telemetry

/// A direction of a flow that was moved because of an incident.
struct Move: Sendable {
    var incident: Int
    /// The flow's place in the ``PathHistory``.
    var flow: Int
    var at: Instant
    var from: TunnelID
    var to: TunnelID
    var failbackCount = 0
    var firstFailback: Instant?
    /// The flow's move before this one.
    var previous: Int?
}

/// What the nodes concluded and did about each incident, from one pass over the telemetry.
struct NodeResponses: Sendable {
    private(set) var history = PathHistory()
    /// By incident.
    private(set) var detections: [[Interval]]
    private(set) var reactions: [[Interval]]
    /// In order of time.
    private(set) var moves: [Move] = []

    /// A node's first verdict on an incident.
    private struct Verdict {
        var at: Instant
        var hasMovedFlows = false
    }

    private struct LostPath {
        var incident: Int
        var from: TunnelID
    }

    private let reach: IncidentReach
    private var verdicts: [Verdict] = []
    private var verdictOfNode = IndexTable()
    /// By the flow's place.
    private var lastMove: [Int?] = []
    private var lostPath: [LostPath?] = []

    init(_ record: RunRecord, _ reach: IncidentReach) {
        self.reach = reach
        detections = reach.incidents.map { _ in [] }
        reactions = reach.incidents.map { _ in [] }
        for entry in record.telemetry {
            switch entry.record {
            case .tunnelState(let tunnel, let state, let cause):
                guard state == .down || state == .degraded, cause != .started else { continue }
                noteVerdict(on: tunnel, by: entry.node, at: entry.at)
            case .pathChange(let key, let from, let to, let cause):
                noteChange(of: key, from, to, cause, by: entry.node, at: entry.at)
            case .pathSample, .sessionState, .bestPathChanged, .dropped:
                continue
            }
        }
    }

    /// A flow's moves, the last one first.
    func moves(of flow: Int) -> [Move] {
        var found: [Move] = []
        var next = lastMove[flow]
        while let index = next {
            found.append(moves[index])
            next = moves[index].previous
        }
        return found
    }

    private mutating func noteVerdict(on tunnel: TunnelID, by node: Int, at now: Instant) {
        guard let incident = reach.cause(of: tunnel, at: now) else { return }
        let cause = reach.incidents[incident]
        // A node that was killed and started again does not detect its own death.
        if cause.kind == .nodeKilled, cause.subject == node { return }
        let key = UInt64(incident) << 32 | UInt64(node)
        guard verdictOfNode[key] == nil else { return }
        verdictOfNode[key] = UInt32(verdicts.count)
        verdicts.append(Verdict(at: now))
        detections[incident].append(now - cause.start)
    }

    private mutating func noteChange(
        of key: FlowKey, _ from: TunnelID?, _ to: TunnelID?, _ cause: ChangeCause, by node: Int, at now: Instant
    ) {
        let flow = history.append(key, to, at: now)
        if flow == lastMove.count {
            lastMove.append(nil)
            lostPath.append(nil)
        }
        let lost = lostPath[flow]
        lostPath[flow] = nil
        guard let from else {
            // The first packet by another path, after a time in which there was none.
            if let lost, let to, to != lost.from { move(flow, lost.from, to, lost.incident, by: node, at: now) }
            return
        }
        switch cause {
        case .failover, .slaViolated:
            guard let incident = reach.cause(of: from, at: now) else { return }
            if let to {
                move(flow, from, to, incident, by: node, at: now)
            } else {
                lostPath[flow] = LostPath(incident: incident, from: from)
            }
        case .failback, .slaMet:
            guard let last = lastMove[flow] else { return }
            moves[last].failbackCount += 1
            if moves[last].firstFailback == nil { moves[last].firstFailback = now }
        case .started, .detectionExpired, .neighborSignaled, .portDown, .probesLost, .sessionUp, .policy,
            .administrative:
            return
        }
    }

    private mutating func move(
        _ flow: Int, _ from: TunnelID, _ to: TunnelID, _ incident: Int, by node: Int, at now: Instant
    ) {
        if let verdict = verdictOfNode[UInt64(incident) << 32 | UInt64(node)],
            !verdicts[Int(verdict)].hasMovedFlows
        {
            verdicts[Int(verdict)].hasMovedFlows = true
            reactions[incident].append(now - verdicts[Int(verdict)].at)
        }
        var earlier = lastMove[flow]
        while let index = earlier, moves[index].at >= reach.incidents[incident].start {
            if moves[index].incident == incident { return }
            earlier = moves[index].previous
        }
        moves.append(Move(incident: incident, flow: flow, at: now, from: from, to: to, previous: lastMove[flow]))
        lastMove[flow] = moves.count - 1
    }
}
