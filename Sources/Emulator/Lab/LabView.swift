import Basics
import Scenario
import Telemetry
import Wire

/// What the nodes of a lab have said of themselves last, for people who look at it.
struct LabView {
    private let topology: Topology
    private let tunnels: [OverlayTunnel]
    private var states: [Int: [TunnelID: TunnelState]] = [:]  // looked up, never walked
    private var samples: [Int: [TunnelID: PathSample]] = [:]  // looked up, never walked
    private var sessions: [Int: [UInt32: BGPSessionState]] = [:]  // looked up, never walked
    private var pathChanges: [Int]
    private var drops: [UInt64]

    init(_ topology: Topology) {
        self.topology = topology
        tunnels = topology.tunnels()
        pathChanges = Array(repeating: 0, count: topology.nodes.count)
        drops = Array(repeating: 0, count: topology.nodes.count)
    }

    mutating func take(_ record: TelemetryRecord, of node: Int) {
        switch record {
        case .tunnelState(let tunnel, let state, _): states[node, default: [:]][tunnel] = state
        case .pathSample(let tunnel, let sample): samples[node, default: [:]][tunnel] = sample
        case .sessionState(let peer, let state): sessions[node, default: [:]][peer] = state
        case .pathChange: pathChanges[node] += 1
        case .dropped: drops[node] += 1
        case .bestPathChanged: break
        }
    }

    /// Forgets what a node said in a life that is over.
    mutating func forget(_ node: Int) {
        states[node] = nil
        samples[node] = nil
        sessions[node] = nil
    }

    /// What a node's sessions are called: those that the topology names, and behind them those who have called.
    func sessionNames(of node: Int, named: [String]) -> [String] {
        let last = sessions[node]?.keys.max().map { Int($0) } ?? -1
        return named + (named.count..<max(named.count, last + 1)).map { "dynamic-\($0 - named.count + 1)" }
    }

    /// What a node looks like; `peers` are the names of its peers in the topology, by index.
    func state(of node: Int, peers: [String], at now: Instant) -> NodeState {
        var result = NodeState(name: topology.nodes[node].name, uptime: (now - .zero).inSeconds)
        for (place, tunnel) in tunnels.enumerated() where tunnel.port(of: node) != nil {
            let id = TunnelID(UInt32(place))
            let state = states[node]?[id] ?? .down
            var shown = NodeState.TunnelState(name: tunnel.name, state: "\(state)")
            if state != .down, let sample = samples[node]?[id] {
                // Before the first measurement it is negative.
                if sample.latency >= .zero { shown.latencyMilliseconds = sample.latency.inMilliseconds }
                shown.jitterMilliseconds = sample.jitter.inMilliseconds
                shown.lossReceived = sample.lossReceived.fraction
                shown.lossSent = sample.lossSent.fraction
            }
            result.tunnels.append(shown)
        }
        for (place, peer) in sessionNames(of: node, named: peers).enumerated() {
            let state = sessions[node]?[UInt32(place)] ?? .idle
            result.sessions.append(NodeState.SessionState(peer: peer, state: "\(state)"))
        }
        result.pathChanges = pathChanges[node]
        result.droppedPackets = drops[node]
        return result
    }
}
