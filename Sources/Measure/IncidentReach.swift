import Basics
import Scenario
import Telemetry

/// Which tunnels each disruptive incident hits, and to which incident trouble on a tunnel belongs.
struct IncidentReach: Sendable {
    /// How long after an incident ends its consequences are still looked for.
    static let afterglow = Interval.seconds(5)

    /// The disruptive ones in order of start.
    let incidents: [Incident]
    private let end: Instant
    /// Whether the subject hits each tunnel, once for each subject.
    private var hits: [[Bool]] = []
    private var hitsOfIncident: [Int] = []
    private var spansOfTunnel: [SpanIndex] = []

    init(_ record: RunRecord) {
        let disruptive = record.incidents.filter(\.isDisruptive)
        let order = disruptive.indices.sorted { (disruptive[$0].start, $0) < (disruptive[$1].start, $1) }
        incidents = order.map { disruptive[$0] }
        end = record.end
        let ways = TunnelWays(record, incidents)
        var places = IndexTable()
        for incident in incidents {
            let key = UInt64(incident.subject) << 1 | (incident.concernsNode ? 1 : 0)
            if let place = places[key] {
                hitsOfIncident.append(Int(place))
                continue
            }
            places[key] = UInt32(hits.count)
            hitsOfIncident.append(hits.count)
            hits.append(record.tunnels.indices.map { ways.crosses($0, incident) })
        }
        var spans = record.tunnels.map { _ in [Span]() }
        for index in incidents.indices {
            let span = Span(
                start: incidents[index].start, end: lastInstant(of: index) + Self.afterglow, incident: index)
            for tunnel in spans.indices where hits[hitsOfIncident[index]][tunnel] { spans[tunnel].append(span) }
        }
        spansOfTunnel = spans.map { SpanIndex($0) }
    }

    /// When the incident's cause is gone, or the run's end where it lasts.
    func lastInstant(of incident: Int) -> Instant {
        max(min(incidents[incident].end ?? end, end), incidents[incident].start)
    }

    func hits(_ incident: Int, _ tunnel: TunnelID) -> Bool {
        let tunnels = hits[hitsOfIncident[incident]]
        return Int(tunnel.rawValue) < tunnels.count && tunnels[Int(tunnel.rawValue)]
    }

    /// The incident to which trouble on a tunnel belongs: the last one that hit it, if that is not long over.
    func cause(of tunnel: TunnelID, at now: Instant) -> Int? {
        guard Int(tunnel.rawValue) < spansOfTunnel.count else { return nil }
        return spansOfTunnel[Int(tunnel.rawValue)].latest(startedBy: now, lastingTo: now)?.incident
    }
}

extension Incident {
    /// Whether its subject is a node, not a link.
    var concernsNode: Bool {
        switch kind {
        case .nodeKilled, .sessionReset, .prefixesAnnounced, .prefixesWithdrawn, .attack: true
        case .linkDown, .linkChanged: false
        }
    }
}

/// What of the underlay each tunnel crosses, by the static shortest paths of its routers.
private struct TunnelWays {
    private let record: RunRecord
    /// Empty where no incident is about the inside of the underlay.
    private var ways: [Way?] = []

    private struct Way {
        var links: [Int] = []
        var routers: [Int] = []
    }

    init(_ record: RunRecord, _ incidents: [Incident]) {
        self.record = record
        guard incidents.contains(where: { Self.isInside($0, record.scenario.topology) }) else { return }
        let routes = UnderlayRoutes(record.scenario.topology)
        ways = record.tunnels.map { tunnel in
            guard let there = way(from: tunnel.first, to: tunnel.second, routes),
                let back = way(from: tunnel.second, to: tunnel.first, routes)
            else { return nil }
            return Way(links: there.links + back.links, routers: there.routers + back.routers)
        }
    }

    func crosses(_ index: Int, _ incident: Incident) -> Bool {
        let tunnel = record.tunnels[index]
        let subject = incident.subject
        if incident.concernsNode {
            if tunnel.firstNode == subject || tunnel.secondNode == subject { return true }
        } else if tunnel.first.link == subject || tunnel.second.link == subject {
            return true
        }
        guard Self.isInside(incident, record.scenario.topology) else { return false }
        // Where a tunnel's way is not known, every router and every link between them may lie on it.
        guard let way = ways[index] else { return true }
        return incident.concernsNode ? way.routers.contains(subject) : way.links.contains(subject)
    }

    /// Whether an incident is about a router, or about a link between two of them.
    private static func isInside(_ incident: Incident, _ topology: Topology) -> Bool {
        if incident.concernsNode { return topology.isTransit(incident.subject) }
        let link = topology.links[incident.subject]
        return topology.isTransit(link.first.node) && topology.isTransit(link.second.node)
    }

    private func way(from first: NodePort, to second: NodePort, _ routes: UnderlayRoutes) -> Way? {
        let topology = record.scenario.topology
        if first.link == second.link { return Way() }
        guard let prefix = topology.end(second).addresses.first?.prefix else { return nil }
        var way = Way()
        var node = topology.farEnd(first).node
        for _ in topology.nodes.indices {
            guard let port = routes.routes[node].first(where: { $0.prefix == prefix })?.port else { return nil }
            way.routers.append(node)
            if port.link == second.link { return way }
            way.links.append(port.link)
            node = topology.farEnd(port).node
        }
        return nil
    }
}
