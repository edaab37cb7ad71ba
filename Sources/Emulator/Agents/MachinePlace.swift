import Basics
import Dataplane
import Endpoints
import LinuxHost
import LinuxSystem
import Node
import Plan
import Scenario
import Wire

/// Where a machine of a lab runs: what it is told of itself, and what its host is told of the place.
struct MachinePlace {
    private let task: AgentTask
    private let scenario: Scenario
    private let plan: RunPlan

    init(_ task: AgentTask, _ scenario: Scenario, _ plan: RunPlan) {
        self.task = task
        self.scenario = scenario
        self.plan = plan
    }

    private var topology: Topology { scenario.topology }
    private var name: String { topology.nodes[task.node].name }
    var seed: UInt64 { task.seed }

    /// The stream that the simulator gives the same machine in the same life.
    var random: SeededRandom { SeededRandom(seed: task.seed, stream: "node \(name) life \(task.life)") }

    func nodeConfiguration(_ clock: MonotonicClock) -> NodeConfiguration {
        var configuration = plan.nodeConfiguration(of: task.node, in: scenario)
        configuration.epoch = clock.secondsAtZero
        return configuration
    }

    var endHostConfiguration: EndHostConfiguration { plan.flows.configuration(of: task.node, in: scenario) }

    func hostConfiguration(_ clock: MonotonicClock) -> HostConfiguration {
        let isNode = topology.nodes[task.node].kind == .patronus
        let overlay = OverlayInterface(
            address: OverlayAddresses.address(ofNode: task.node), mtu: plan.overlayMTU(of: task.node, in: topology))
        var configuration = HostConfiguration(
            ports: plan.ports[task.node].map { port($0) }, overlay: isNode ? overlay : nil,
            usesDataplane: isNode && RunPlan.usesDataplane(scenario), clock: clock,
            random: SeededRandom(seed: task.seed, stream: "dataplane \(name) life \(task.life)"))
        // As simulated hosts do (RFC 9438), whatever this machine's own is.
        configuration.congestionControl = "cubic"
        return configuration
    }

    private func port(_ port: NodePort) -> HostPort {
        let isWAN = topology.wanPorts(of: task.node).contains(port)
        let far = topology.farEnd(port)
        let host = topology.nodes[far.node]
        return HostPort(
            topology.end(port).port, role: isWAN ? .wan : .lan, addresses: topology.end(port).addresses.map(\.address),
            gateways: far.addresses.map(\.address),
            reachable: isWAN ? [] : far.addresses.map { IPPrefix(host: $0.address) } + host.prefixes)
    }

    /// What the data plane counted, with nothing that is zero.
    func accounts(of counters: DataplaneCounters?) -> [DataplaneAccount] {
        guard let counters else { return [] }
        return DataplaneCause.allCases.filter { counters[$0].packets > 0 }.map { cause in
            DataplaneAccount(
                node: task.node, cause: "\(cause)", verdict: cause.verdict.map { "\($0)" },
                packets: counters[cause].packets, bytes: counters[cause].bytes)
        }
    }

    /// What is wrong with the kernel's routes, in words.
    func disagreement(wanted: [IPPrefix], routed: [IPPrefix]) -> String? {
        guard wanted.sorted() != routed.sorted() else { return nil }
        return "\(name) has \(routed.count) overlay routes installed, routing wants \(wanted.count)"
    }
}
