import Basics
import Scenario
import Telemetry

/// What became of the nodes' routes and sessions in a run.
struct RoutingFigures {
    /// Of each incident's start and end that changed any best path, how long until it changed the last one.
    let convergences: [Interval]
    /// Of each time that a node's session ended, how long until it stood again.
    let downtimes: [Interval]
    private let hasIncidents: Bool
    private let hasLostSession: Bool

    init(_ record: RunRecord) {
        convergences = Self.convergences(record)
        hasIncidents = !record.incidents.isEmpty
        var losses = IndexTable()
        var places: [(upSince: Instant?, lostAt: Instant?)] = []
        var downtimes: [Interval] = []
        for entry in record.telemetry {
            guard case .sessionState(let peer, let state) = entry.record else { continue }
            let key = UInt64(entry.node) << 32 | UInt64(peer)
            let place = losses[key].map { Int($0) } ?? places.count
            if place == places.count {
                losses[key] = UInt32(place)
                places.append((nil, nil))
            }
            if state == .established {
                if let lostAt = places[place].lostAt { downtimes.append(entry.at - lostAt) }
                places[place] = (entry.at, nil)
            } else if let upSince = places[place].upSince {
                places[place] = (nil, Self.kill(of: entry.node, in: upSince...entry.at, record) ?? entry.at)
            }
        }
        self.downtimes = downtimes
        hasLostSession = places.contains { $0.lostAt != nil }
    }

    /// When a node was killed within a time: it says so of its sessions only in its next life.
    private static func kill(of node: Int, in time: ClosedRange<Instant>, _ record: RunRecord) -> Instant? {
        record.incidents.filter { $0.kind == .nodeKilled && $0.subject == node && time.contains($0.start) }
            .map(\.start).min()
    }

    /// What happens last before a change has caused it.
    private static func convergences(_ record: RunRecord) -> [Interval] {
        var changes: [Instant] = []
        for entry in record.telemetry {
            if case .bestPathChanged = entry.record { changes.append(entry.at) }
        }
        let events = record.incidents.flatMap { [$0.start] + ($0.end.map { [$0] } ?? []) }.sorted()
        var times: [Interval] = []
        for (index, event) in events.enumerated() where index == 0 || events[index - 1] != event {
            let next = events[index...].first { $0 > event } ?? .never
            let last = changes.partitioningIndex { $0 >= next } - 1
            guard last >= 0, changes[last] >= event else { continue }
            times.append(changes[last] - event)
        }
        return times
    }

    /// Why a metric has no value; nil where that cannot be said.
    func absence(of name: String) -> String? {
        if name.hasPrefix("bgp.convergence"), convergences.isEmpty {
            return hasIncidents
                ? "nothing that happened in this run changed any best path, so there was no convergence to measure"
                : "nothing happened in this run, so there was no convergence to measure"
        }
        if name.hasPrefix("bgp.sessionDowntime"), downtimes.isEmpty {
            return hasLostSession
                ? "no session that ended in this run was established again" : "no session ended in this run"
        }
        return nil
    }
}
