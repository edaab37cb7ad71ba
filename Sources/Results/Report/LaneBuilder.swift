import Basics
import Measure
import Scenario
import Telemetry
import Traffic

/// Follows every tunnel's state and every group of flows through the tunnels.
struct LaneBuilder {
    /// More lanes than this are not taken in at a glance.
    private static let laneLimit = 16
    private static let markLimit = 400
    private static let trackLimit = 4_000

    private(set) var lanes: [ReportModel.Lane] = []
    private(set) var groups: [ReportModel.Group] = []
    /// The tunnels that have a lane, in the order of lanes.
    private(set) var shown: [Int] = []
    private(set) var quietCount = 0

    private let record: RunRecord

    init(_ record: RunRecord) {
        self.record = record
        shown = choose()
        quietCount = record.tunnels.count - shown.count
        lanes = shown.map(lane)
        groups = buildGroups()
    }

    /// The tunnels to which something happened first, then those that carried something, in the topology's order.
    private func choose() -> [Int] {
        var weights = [Int](repeating: 0, count: record.tunnels.count)
        func note(_ tunnel: TunnelID?, _ weight: Int) {
            guard let tunnel, Int(tunnel.rawValue) < weights.count else { return }
            weights[Int(tunnel.rawValue)] = max(weights[Int(tunnel.rawValue)], weight)
        }
        for entry in record.telemetry {
            switch entry.record {
            case .tunnelState(let tunnel, let state, let cause): note(tunnel, cause == .started && state == .up ? 0 : 2)
            case .pathChange(_, let from, let to, _):
                note(from, 3)
                note(to, 1)
            case .pathSample, .sessionState, .bestPathChanged, .dropped: continue
            }
        }
        let ranked = weights.indices.sorted { (-weights[$0], $0) < (-weights[$1], $1) }
        return ranked.prefix(Self.laneLimit).sorted()
    }

    private func lane(_ tunnel: Int) -> ReportModel.Lane {
        let end = seconds(record.end)
        var lane = ReportModel.Lane(name: record.tunnels[tunnel].name, states: [], marks: [])
        var verdicts: [(node: Int, state: TunnelState)] = []
        for entry in record.telemetry {
            guard case .tunnelState(let id, let state, let cause) = entry.record, Int(id.rawValue) == tunnel else {
                continue
            }
            let at = min(seconds(entry.at), end)
            if let index = verdicts.firstIndex(where: { $0.node == entry.node }) {
                verdicts[index].state = state
            } else {
                verdicts.append((entry.node, state))
            }
            if let worst = verdicts.map(\.state).max(by: { $0.severity < $1.severity }) {
                Self.append("\(worst)", from: at, to: end, &lane.states)
            }
            guard cause != .started, lane.marks.count < Self.markLimit else { continue }
            lane.marks.append(
                .init(
                    at: at, state: "\(state)",
                    text: "\(record.nodeName(entry.node) ?? "?"): \(state), \(cause.words)"))
        }
        return lane
    }

    private static func append(
        _ name: String, from start: Double, to end: Double, _ states: inout [ReportModel.Lane.State]
    ) {
        guard states.last?.name != name else { return }
        if !states.isEmpty { states[states.count - 1].end = start }
        states.append(.init(start: start, end: end, name: name))
    }

    /// A flow as one node steers it.
    private struct SteeredFlow: Hashable {
        let node: Int
        let key: UInt64
    }

    private func buildGroups() -> [ReportModel.Group] {
        let directory = record.flowDirectory()
        var trackers: [GroupTracker] = []
        for index in record.scenario.traffic.indices {
            for direction in FlowDirection.allCases {
                let name = "\(record.trafficName(ofEntry: index)) \(direction.name)"
                trackers.append(GroupTracker(name: name, laneCount: lanes.count))
            }
        }
        trackers.append(GroupTracker(name: "other flows", laneCount: lanes.count))
        var places: [SteeredFlow: Int] = [:]
        for change in changes() {
            let place = directory[change.key].map { $0.flow.entry * 2 + ($0.direction == .forward ? 0 : 1) }
            let group = place.flatMap { trackers.indices.contains($0) ? $0 : nil } ?? trackers.count - 1
            let flow = SteeredFlow(node: change.node, key: change.key.rawValue)
            // An end that the flow's report gives counts only for flows that are on a path.
            if change.isEnd, places[flow] == nil { continue }
            let lane = change.to.flatMap { to in shown.firstIndex(of: Int(to.rawValue)) }
            trackers[group].move(from: places[flow], to: lane, at: seconds(change.at))
            places[flow] = lane
        }
        let end = seconds(record.end)
        return trackers.map { $0.finished(at: end, limit: Self.trackLimit) }
    }

    private typealias Change = (at: Instant, node: Int, key: FlowKey, to: TunnelID?, isEnd: Bool)

    /// Every change of a path and every end of a flow, in order of time.
    private func changes() -> [Change] {
        var changes: [Change] = []
        var nodesOfKey: [UInt64: [Int]] = [:]
        for entry in record.telemetry {
            guard case .pathChange(let key, _, let to, _) = entry.record else { continue }
            changes.append((entry.at, entry.node, key, to, false))
            if nodesOfKey[key.rawValue]?.contains(entry.node) != true {
                nodesOfKey[key.rawValue, default: []].append(entry.node)
            }
        }
        let directory = record.flowDirectory()
        for report in record.flowReports {
            let flow = directory[report.flow]
            guard let last = report.sent?.lastAt, last < record.end,
                let key = report.direction == .forward ? flow?.forwardKey : flow?.reverseKey
            else { continue }
            for node in nodesOfKey[key.rawValue] ?? [] { changes.append((last, node, key, nil, true)) }
        }
        let order = changes.indices.sorted { (changes[$0].at, $0) < (changes[$1].at, $1) }
        return order.map { changes[$0] }
    }

    private func seconds(_ at: Instant) -> Double { (at - .zero).inSeconds }
}

/// Counts how many flows of a group are on each lane.
private struct GroupTracker {
    private var group: ReportModel.Group
    private var counts: [Int]
    private var since: [Double]
    private var most = 1

    init(name: String, laneCount: Int) {
        group = ReportModel.Group(name: name, tracks: [], moves: [])
        counts = Array(repeating: 0, count: laneCount)
        since = Array(repeating: 0, count: laneCount)
    }

    mutating func move(from old: Int?, to new: Int?, at time: Double) {
        guard old != new else { return }
        if let old { change(old, by: -1, at: time) }
        if let new { change(new, by: 1, at: time) }
        guard let old, let new else { return }
        // Flows that move within 50 ms of each other move together for the eye.
        if let last = group.moves.last(where: { $0.from == old && $0.to == new }), time - last.at < 0.05 { return }
        group.moves.append(.init(at: time, from: old, to: new))
    }

    private mutating func change(_ lane: Int, by step: Int, at time: Double) {
        close(lane, at: time)
        counts[lane] += step
        most = max(most, counts.reduce(0, +))
    }

    /// Ends the lane's track; its share is a count until the group is finished.
    private mutating func close(_ lane: Int, at time: Double) {
        if counts[lane] > 0, time > since[lane] {
            group.tracks.append(.init(lane: lane, start: since[lane], end: time, share: Double(counts[lane])))
        }
        since[lane] = time
    }

    func finished(at end: Double, limit: Int) -> ReportModel.Group {
        var copy = self
        for lane in counts.indices { copy.close(lane, at: end) }
        copy.group.tracks = copy.group.tracks.prefix(limit).map { track in
            var track = track
            track.share = min(1, track.share / Double(most))
            return track
        }
        copy.group.moves = Array(copy.group.moves.prefix(limit))
        return copy.group
    }
}

extension TunnelState {
    /// Which of two ends' verdicts a person should see.
    fileprivate var severity: Int {
        switch self {
        case .up: 0
        case .adminDown: 1
        case .degraded: 2
        case .down: 3
        }
    }
}
