import Scenario
import Telemetry
import Traffic

extension RunRecord {
    /// The name of the node of that index.
    func nodeName(_ index: Int?) -> String? {
        guard let index, scenario.topology.nodes.indices.contains(index) else { return nil }
        return scenario.topology.nodes[index].name
    }

    func linkName(_ index: Int) -> String {
        scenario.topology.links.indices.contains(index) ? scenario.topology.links[index].name : "link \(index)"
    }

    func tunnelName(_ tunnel: TunnelID) -> String {
        let index = Int(tunnel.rawValue)
        return tunnels.indices.contains(index) ? tunnels[index].name : "tunnel \(index)"
    }

    /// What an incident is about.
    func subjectName(of incident: Incident) -> String {
        switch incident.kind {
        case .linkDown, .linkChanged: linkName(incident.subject)
        case .nodeKilled, .sessionReset, .prefixesAnnounced, .prefixesWithdrawn, .attack:
            nodeName(incident.subject) ?? "node \(incident.subject)"
        }
    }

    /// The name of the traffic that a flow belongs to.
    func trafficName(ofEntry entry: Int) -> String {
        scenario.traffic.indices.contains(entry) ? scenario.traffic[entry].name : "traffic \(entry)"
    }

    /// Which flow each known five-tuple belongs to.
    func flowDirectory() -> FlowDirectory { FlowDirectory(flows) }
}

/// Finds a flow and its direction by the hash of its five-tuple, or by its number.
struct FlowDirectory {
    private var byKey: [UInt64: (flow: FlowDescription, direction: FlowDirection)] = [:]
    private var byNumber: [UInt32: FlowDescription] = [:]

    init(_ flows: [FlowDescription]) {
        for flow in flows {
            byNumber[flow.number] = flow
            if let key = flow.forwardKey { byKey[key.rawValue] = (flow, .forward) }
            if let key = flow.reverseKey { byKey[key.rawValue] = (flow, .backward) }
        }
    }

    subscript(key: FlowKey) -> (flow: FlowDescription, direction: FlowDirection)? { byKey[key.rawValue] }

    subscript(number: UInt32) -> FlowDescription? { byNumber[number] }
}
