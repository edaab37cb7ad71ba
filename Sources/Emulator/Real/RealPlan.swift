public import LinuxHost
import LinuxSystem
import Plan
public import Scenario
public import Wire

// What one node of a topology comes to on this machine's own cards, as a plain value.
//
// Way in: a scenario around the topology, the node's name, and which card stands for which port. Way out: addresses and
// routes by port, and a description for people. Nothing of the machine is looked at here: `RealChecks` does that, and
// `RealNode` carries the plan out.

/// One node of a topology on this machine's own interfaces.
public struct RealPlan: Equatable, Sendable {
    /// A port of the node, and the interface that stands for it.
    public struct Port: Equatable, Sendable {
        /// As the topology has it.
        public let name: String
        /// Nil where nobody has said.
        public let interface: String?
        public let role: HostPortRole
        public let mtu: UInt32
        public let addresses: [Address]
        /// Who is across, at most one of each family.
        public let gateways: [IPAddress]
        /// What lies behind the port, for a data plane.
        public let reachable: [IPPrefix]
    }

    /// An address of a port.
    public typealias Address = GroundPlan.Address
    /// A route by a port, given by its number; the metric is always there.
    public typealias Route = GroundPlan.Route

    public let topology: String
    public let node: String
    /// The node's number in the topology.
    let index: Int
    /// By number.
    public let ports: [Port]
    public let routes: [Route]
    public let overlay: OverlayInterface
    public let usesDataplane: Bool
    /// Whether packets of IPv6 go between the ports and the overlay.
    public let forwardsIPv6: Bool
    /// Whether packets to one prefix may leave by several next hops, those of a flow by one.
    public let spreadsFlows: Bool

    /// Plans a node; `interfaces` says which interface is to be which port.
    ///
    /// What the command says of ports must fit; that all are named is demanded by ``demandAllPorts()``.
    public init(
        _ scenario: Scenario, node name: String, interfaces: [PortAssignment]
    ) throws(RealError) {
        let topology = scenario.topology
        let known = topology.nodes.filter { $0.kind == .patronus }.map(\.name)
        guard let index = topology.nodeIndex(named: name) else { throw .unknownNode(name, known) }
        guard topology.nodes[index].kind == .patronus else {
            throw .notANode(name, topology.nodes[index].kind, known)
        }
        let plan = RunPlan(scenario, replays: scenario.traffic.map { _ in nil })
        let numbered = plan.ports[index]
        let names = numbered.map { topology.end($0).port }
        try Self.check(interfaces, names)
        let ports = numbered.map { port in
            let interface = interfaces.first { $0.port == topology.end(port).port }?.interface
            return Self.port(port, interface, topology, among: numbered)
        }
        self.topology = topology.name
        node = name
        self.index = index
        self.ports = ports
        routes = RealRoutes(of: index, ports, topology, plan).routes
        overlay = OverlayInterface(
            address: OverlayAddresses.address(ofNode: index), mtu: plan.overlayMTU(of: index, in: topology),
            alias: "patronus:real/\(name)")
        usesDataplane = RunPlan.usesDataplane(scenario)
        forwardsIPv6 = topology.nodes[index].lan.contains { !$0.isIPv4 }
        spreadsFlows = topology.nodes[index].bgp?.spreadsFlows ?? false
    }

    private static func check(_ assignments: [PortAssignment], _ names: [String]) throws(RealError) {
        for (place, assignment) in assignments.enumerated() {
            guard names.contains(assignment.port) else { throw .unknownPort(assignment.port, names) }
            for former in assignments[..<place] {
                if former.port == assignment.port { throw .portNamedTwice(assignment.port) }
                if former.interface == assignment.interface {
                    throw .interfaceNamedTwice(assignment.interface, former.port, assignment.port)
                }
            }
        }
    }

    private static func port(
        _ port: NodePort, _ interface: String?, _ topology: Topology, among all: [NodePort]
    ) -> Port {
        let end = topology.end(port)
        let far = topology.farEnd(port)
        let isWAN = !topology.isLANPort(port)
        let addresses = end.addresses.map { entry in
            let isShared = all.contains { other in
                other != port && topology.end(other).addresses.contains { $0.prefix == entry.prefix }
            }
            return Address(
                address: entry.address, prefixLength: UInt8(entry.prefixLength), isWholePrefixThere: !isShared)
        }
        var reachable: [IPPrefix] = []
        if !isWAN {
            reachable = addresses.filter(\.isWholePrefixThere).map(\.prefix)
            for prefix in far.addresses.map({ IPPrefix(host: $0.address) }) + topology.nodes[far.node].prefixes {
                if !reachable.contains(where: { $0.contains(prefix.address) }) { reachable.append(prefix) }
            }
        }
        return Port(
            name: end.port, interface: interface, role: isWAN ? .wan : .lan,
            mtu: UInt32(RunPlan.mtu(topology.links[port.link], port.direction)), addresses: addresses,
            gateways: topology.neighbours(across: port, besides: addresses), reachable: reachable)
    }

    /// Demands that every port has its interface.
    public func demandAllPorts() throws(RealError) {
        let missing = ports.filter { $0.interface == nil }.map(\.name)
        guard missing.isEmpty else { throw .unnamedPorts(missing, of: node, all: ports.map(\.name)) }
    }
}

/// Which interface is to be which port.
public struct PortAssignment: Equatable, Sendable {
    public var port: String
    public var interface: String

    public init(port: String, interface: String) {
        self.port = port
        self.interface = interface
    }
}

/// The routes of a node's ports, each with the metric of its port.
private struct RealRoutes {
    private(set) var routes: [RealPlan.Route] = []
    private let ports: [RealPlan.Port]

    /// A site that the underlay routes to answers into it, unless the machine has a default route of its own.
    private static let lastMetric: UInt32 = 4_000

    init(of index: Int, _ ports: [RealPlan.Port], _ topology: Topology, _ plan: RunPlan) {
        self.ports = ports
        let numbered = plan.ports[index]
        for (number, port) in ports.enumerated() {
            for gateway in port.gateways where !isDirect(gateway, port) {
                add(IPPrefix(host: gateway), through: nil, number)
            }
            let far = topology.nodes[topology.farEnd(numbered[number]).node]
            guard far.kind == .host else { continue }
            for prefix in far.prefixes { add(prefix, through: gateway(for: prefix.address, number), number) }
        }
        for tunnel in plan.tunnels {
            guard let own = tunnel.port(of: index), let far = tunnel.farEnd(from: index),
                let number = numbered.firstIndex(of: own)
            else { continue }
            for address in topology.end(far.port).addresses.map(\.address) {
                guard let gateway = gateway(for: address, number), gateway != address else { continue }
                add(IPPrefix(host: address), through: gateway, number)
            }
        }
        guard !topology.nodes[index].publicPrefixes.isEmpty,
            let number = ports.firstIndex(where: { $0.role == .wan })
        else { return }
        for gateway in ports[number].gateways {
            let everything: IPAddress = gateway.isIPv4 ? .v4(.any) : .v6(.any)
            add(IPPrefix(everything, length: 0), through: gateway, number, metric: Self.lastMetric)
        }
    }

    private func isDirect(_ address: IPAddress, _ port: RealPlan.Port) -> Bool {
        port.addresses.contains { $0.isWholePrefixThere && $0.prefix.contains(address) }
    }

    private func gateway(for address: IPAddress, _ number: Int) -> IPAddress? {
        ports[number].gateways.first { $0.isIPv4 == address.isIPv4 }
    }

    /// A socket that is bound to a port takes the route that leaves there, whatever its metric.
    private mutating func add(
        _ destination: IPPrefix, through gateway: IPAddress?, _ number: Int, metric: UInt32 = 100
    ) {
        let route = RealPlan.Route(
            destination: destination, gateway: gateway, port: number, metric: metric + UInt32(number))
        if !routes.contains(route) { routes.append(route) }
    }
}
