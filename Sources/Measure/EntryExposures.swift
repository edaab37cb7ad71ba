import Basics
import Scenario
import Telemetry

/// Where the traffic of one entry begins and ends: its hosts, and the nodes that they stand at.
struct EntryEnds {
    let hosts: [Int]
    let sites: [Int]

    init(_ entry: TrafficEntry, _ topology: Topology) {
        hosts = [entry.from, entry.to]
        sites = hosts.map { host in
            topology.nodes[host].attachment ?? topology.ports(of: host).first.map { topology.farEnd($0).node } ?? host
        }
    }

    /// Whether an incident is about one of the hosts, its link or its site's node, so that no path avoids it.
    func areHit(by incident: Incident, _ topology: Topology) -> Bool {
        if incident.concernsNode { return hosts.contains(incident.subject) || sites.contains(incident.subject) }
        let link = topology.links[incident.subject]
        return hosts.contains(link.first.node) || hosts.contains(link.second.node)
    }

    /// Whether a link begins at one of the sites.
    func touch(_ incident: Incident, _ topology: Topology) -> Bool {
        guard !incident.concernsNode else { return false }
        let link = topology.links[incident.subject]
        return sites.contains(link.first.node) || sites.contains(link.second.node)
    }
}

/// To which incidents flows may have been exposed whose own paths are not known, such as streams.
///
/// The nodes say on which tunnels they put flows that the scenario does not know by
/// their five-tuples. A stream may have been exposed while any of those that began after
/// its traffic did was on a tunnel between its sites that the incident hits.
struct EntryExposures {
    /// A flow without a description was on a tunnel.
    private struct Stay {
        var tunnel: Int
        var start: Instant
        var end: Instant
        /// When the flow was first heard of.
        var firstSeen: Instant
    }

    private let analysis: FailoverAnalysis
    /// In order of start.
    private let stays: [Stay]
    private var spansOfEntry: [[Span]?]

    init(_ analysis: FailoverAnalysis) {
        self.analysis = analysis
        spansOfEntry = analysis.record.scenario.traffic.map { _ in nil }
        let history = analysis.responses.history
        var found: [Stay] = []
        for place in history.keys.indices where !analysis.isDescribed(history.keys[place]) {
            let stays = history.stays[place]
            for (index, stay) in stays.enumerated() {
                guard let tunnel = stay.tunnel else { continue }
                let end = index + 1 < stays.count ? stays[index + 1].start : analysis.record.end
                found.append(
                    Stay(tunnel: Int(tunnel.rawValue), start: stay.start, end: end, firstSeen: stays[0].start))
            }
        }
        stays = found.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    /// The times in which flows of that entry may have been exposed.
    mutating func spans(of flow: FlowDescription) -> [Span] {
        if let known = spansOfEntry[flow.entry] { return known }
        let spans = newSpans(of: flow)
        spansOfEntry[flow.entry] = spans
        return spans
    }

    private func newSpans(of flow: FlowDescription) -> [Span] {
        let record = analysis.record
        let topology = record.scenario.topology
        let ends = analysis.ends[flow.entry]
        let tunnels = record.tunnels.indices.filter {
            ends.sites.contains(record.tunnels[$0].firstNode) && ends.sites.contains(record.tunnels[$0].secondNode)
        }
        let coverage = flow.forwardKey == nil ? self.coverage(of: flow.entry) : []
        let isTold = tunnels.contains { $0 < coverage.count && !coverage[$0].isEmpty }
        var spans: [Span] = []
        for (index, incident) in analysis.reach.incidents.enumerated() {
            let whole = analysis.wholeSpan(of: index)
            if ends.areHit(by: incident, topology) {
                spans.append(whole)
                continue
            }
            let hit = tunnels.filter { analysis.reach.hits(index, TunnelID(place: $0)) }
            if isTold {
                spans += hit.flatMap { Self.overlaps(of: coverage[$0], with: whole) }
            } else if !hit.isEmpty || (tunnels.isEmpty && ends.touch(incident, topology)) {
                var possible = whole
                possible.isCertain = false
                spans.append(possible)
            }
        }
        return spans
    }

    /// By tunnel, when a flow that may be the entry's was on it, in stretches that do not touch.
    private func coverage(of entry: Int) -> [[Span]] {
        let begin = Instant.zero + analysis.record.scenario.traffic[entry].start
        var coverage = analysis.record.tunnels.map { _ in [Span]() }
        for stay in stays where stay.firstSeen >= begin && stay.tunnel < coverage.count {
            if let last = coverage[stay.tunnel].last, stay.start <= last.end {
                coverage[stay.tunnel][coverage[stay.tunnel].count - 1].end = max(last.end, stay.end)
            } else {
                coverage[stay.tunnel].append(Span(start: stay.start, end: stay.end, incident: 0))
            }
        }
        return coverage
    }

    private static func overlaps(of coverage: [Span], with whole: Span) -> [Span] {
        let first = coverage.partitioningIndex { $0.end >= whole.start }
        return coverage[first...].prefix { $0.start <= whole.end }.map { stretch in
            Span(
                start: max(stretch.start, whole.start), end: min(stretch.end, whole.end), incident: whole.incident,
                isCertain: false)
        }
    }
}
