import Basics
import Links
import Machine
import Scenario
import Traffic
import Tunnel
import Wire

/// What a scenario's topology comes to in the simulator: which direction leads where, which port is which.
///
/// Link *n* of the topology has the directions 2*n* (from its first end) and 2*n* + 1.
struct SimulationPlan: Sendable {
    /// The ports of each device, in the order of links: a port's place is its number.
    let ports: [[NodePort]]
    let tunnels: [OverlayTunnel]
    let routes: UnderlayRoutes
    let flows: FlowPlan
    let largestFrame: Int
    /// The largest packet that any link takes.
    let largestPacket: Int

    init(_ scenario: Scenario, replays: [ReplayScript?]) {
        let topology = scenario.topology
        ports = topology.nodes.indices.map { topology.ports(of: $0) }
        tunnels = topology.tunnels()
        routes = UnderlayRoutes(topology, includingTransitLinks: true)
        flows = FlowPlan(scenario, replays: replays)
        largestPacket = Self.largestPacket(in: scenario)
        largestFrame = largestPacket + EthernetHeader.byteCount + Tunnel.overheadOverIPv6
    }

    /// What pools have room for; file formats allow no more (``LinkSettings/largestTransmissionUnit``).
    private static func largestPacket(in scenario: Scenario) -> Int {
        var largest = 1_500
        for link in scenario.topology.links {
            largest = max(largest, mtu(link, .forward), mtu(link, .reverse))
        }
        for event in scenario.events {
            if case .linkSet(_, _, let changes, _) = event.kind {
                largest = max(largest, changes.maximumTransmissionUnit ?? 0)
            }
        }
        return min(largest, LinkSettings.largestTransmissionUnit)
    }

    /// The number that a device has for its end of a link.
    func portNumber(of device: Int, link: Int, direction: LinkDirection) -> Int? {
        ports[device].firstIndex(of: NodePort(link: link, direction: direction))
    }

    static func direction(_ link: Int, _ direction: LinkDirection) -> Int {
        link * 2 + (direction == .forward ? 0 : 1)
    }

    static func mtu(_ link: TopologyLink, _ direction: LinkDirection) -> Int {
        link.settings(direction).maximumTransmissionUnit ?? 1_500
    }
}

extension LinkProfile {
    /// The profile that a topology's settings stand for.
    init(_ settings: LinkSettings) {
        self.init(
            rate: settings.rate, delay: settings.delay ?? .zero, jitter: settings.jitter ?? .zero,
            jitterDistribution: Self.distribution(settings),
            loss: settings.loss.map { LossModel($0) } ?? .none, duplicate: settings.duplicate ?? .zero,
            reorder: settings.reorder ?? .zero, corrupt: settings.corrupt ?? .zero)
        if let queue = settings.queue { self.queue = QueueLimit(queue) }
        if let discipline = settings.discipline { self.discipline = QueueDiscipline(discipline) }
        if let trace = settings.trace { self.trace = Self.trace(trace) }
    }

    private static func trace(_ trace: DeliveryTrace) -> Trace? {
        try? Trace(parsing: trace.opportunities.map { String($0) }.joined(separator: "\n"))
    }

    private static func distribution(_ settings: LinkSettings) -> Links.JitterDistribution {
        switch settings.jitterDistribution {
        case .uniform: .uniform
        case .pareto: .pareto
        case .normal, nil: .normal
        }
    }
}

extension LossModel {
    init(_ setting: LossSetting) {
        switch setting {
        case .independent(let ratio): self = .bernoulli(ratio)
        case .gilbertElliott(let p, let r, let lossBad, let lossGood):
            self = .gilbertElliott(p: p, r: r, lossBad: lossBad, lossGood: lossGood)
        }
    }
}

extension QueueLimit {
    init(_ setting: QueueSetting) {
        switch setting {
        case .duration(let interval): self = .time(interval)
        case .size(let size): self = .bytes(size.bytes)
        case .packets(let count): self = .packets(UInt32(clamping: count))
        }
    }
}

extension QueueDiscipline {
    init(_ name: QueueDisciplineName) {
        switch name {
        case .droptail: self = .dropTail
        case .codel: self = .coDel
        case .fairCodel: self = .fairQueueCoDel
        }
    }
}
