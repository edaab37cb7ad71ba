import Basics
import Scenario
import Telemetry

/// On which tunnel each direction of a flow was, and since when.
struct PathHistory: Sendable {
    /// The flow was put on the tunnel then; nil is none.
    struct Stay: Equatable, Sendable {
        var start: Instant
        var tunnel: TunnelID?
    }

    private var places = IndexTable()
    /// By place, in order of first mention.
    private(set) var keys: [FlowKey] = []
    private(set) var stays: [[Stay]] = []

    /// The place of a direction of a flow, where anything was said of it.
    func place(of key: FlowKey) -> Int? { places[key.rawValue].map { Int($0) } }

    /// Notes that a flow was put on a tunnel, and gives its place.
    mutating func append(_ key: FlowKey, _ tunnel: TunnelID?, at now: Instant) -> Int {
        let stay = Stay(start: now, tunnel: tunnel)
        if let place = place(of: key) {
            stays[place].append(stay)
            return place
        }
        places[key.rawValue] = UInt32(keys.count)
        keys.append(key)
        stays.append([stay])
        return keys.count - 1
    }

    /// The tunnel at an instant.
    func tunnel(of place: Int, at instant: Instant) -> TunnelID? {
        let next = stays[place].partitioningIndex { $0.start > instant }
        return next > 0 ? stays[place][next - 1].tunnel : nil
    }

    /// When a flow was on a tunnel that the incident hits, while it lasted.
    ///
    /// A flow without a path, because the incident took it, is still waiting for the incident to be over.
    func exposures(of place: Int, to incident: Int, _ reach: IncidentReach) -> [Span] {
        let start = reach.incidents[incident].start
        let end = reach.lastInstant(of: incident)
        let stays = stays[place]
        var spans: [Span] = []
        var exposedSince: Instant?
        var next = max(0, stays.partitioningIndex { $0.start > start } - 1)
        while next < stays.count, stays[next].start <= end {
            let isHit = stays[next].tunnel.map { reach.hits(incident, $0) } ?? (exposedSince != nil)
            if isHit, exposedSince == nil { exposedSince = max(start, stays[next].start) }
            if !isHit, let since = exposedSince {
                spans.append(Span(start: since, end: stays[next].start, incident: incident))
                exposedSince = nil
            }
            next += 1
        }
        if let exposedSince { spans.append(Span(start: exposedSince, end: end, incident: incident)) }
        return spans
    }
}
