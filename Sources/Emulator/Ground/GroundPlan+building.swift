import Basics
public import Plan
public import Scenario
import Tunnel
import Wire

extension GroundPlan {
    /// Plans the ground of a scenario.
    ///
    /// In a lab that is kept all links but those of LANs are wires, whatever they do to packets yet: whoever keeps it
    /// changes them.
    public init(_ scenario: Scenario, _ plan: RunPlan, isKept: Bool = false) throws(GroundError) {
        let topology = scenario.topology
        try Self.judge(topology, plan)
        self.topology = topology.name
        links = topology.links.enumerated().map { index, link in
            let ends = LinkDirection.allCases.map { direction in
                let node = link.source(direction).node
                return End(
                    namespace: node, port: plan.portNumber(of: node, link: index, direction: direction) ?? 0)
            }
            let isWire = isKept && !link.isLAN || Self.needsWire(link) || Self.changes(index, in: scenario)
            return Link(name: link.name, kind: isWire ? .wire : .veth, first: ends[0], second: ends[1])
        }
        namespaces = topology.nodes.map { Namespace(name: $0.name, kind: $0.kind, commands: $0.commands) }
        for index in topology.nodes.indices {
            namespaces[index].ports = plan.ports[index].map { Self.port($0, topology) }
            let addressing = Addressing(of: index, topology, plan)
            namespaces[index].routes = addressing.routes
            namespaces[index].ownPrefixes = addressing.ownPrefixes
            for (number, addresses) in addressing.addresses.enumerated() {
                namespaces[index].ports[number].addresses = addresses
            }
            if topology.nodes[index].kind == .patronus {
                namespaces[index].overlay = Self.overlay(of: index, topology)
            }
            namespaces[index].spreadsFlows = topology.nodes[index].bgp?.spreadsFlows ?? false
            namespaces[index].parameters = namespaces[index].neededParameters
        }
    }

    /// Refuses what no namespace can be made for.
    private static func judge(_ topology: Topology, _ plan: RunPlan) throws(GroundError) {
        for (index, node) in topology.nodes.enumerated() {
            guard !node.kind.isCloud else { throw .cloudNode(node.name, node.kind) }
            var taken: [String] = []
            for port in plan.ports[index] {
                let name = topology.end(port).port
                if let fault = fault(ofInterfaceName: name, taken) {
                    throw .interfaceName(topology.portName(port), fault)
                }
                taken.append(name)
            }
        }
    }

    private static func fault(ofInterfaceName name: String, _ taken: [String]) -> GroundError.NameFault? {
        if name.utf8.count > longestInterfaceName { return .tooLong }
        // The kernel takes these two for all interfaces, and the last is in every namespace.
        if ["", ".", "..", "all", "default", "lo"].contains(name) { return .reserved }
        let isFit = name.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":")
        }
        if !isFit { return .unfitCharacter }
        return taken.contains(name) ? .taken : nil
    }

    /// Whether a link does anything to packets that a veth does not.
    private static func needsWire(_ link: TopologyLink) -> Bool {
        if RunPlan.mtu(link, .forward) != RunPlan.mtu(link, .reverse) { return true }
        return LinkDirection.allCases.contains { direction in
            let settings = link.settings(direction)
            return settings.rate != nil || settings.trace != nil || settings.loss != nil
                || (settings.delay ?? .zero) > longestUnkeptDelay || (settings.jitter ?? .zero) > .zero
                || [settings.duplicate, settings.reorder, settings.corrupt].contains { ($0 ?? .zero) > .zero }
        }
    }

    /// Whether a scenario does something to a link that a veth cannot do: lose its carrier is all that it can.
    private static func changes(_ link: Int, in scenario: Scenario) -> Bool {
        let topology = scenario.topology
        let routers = LinkDirection.allCases.map { topology.links[link].source($0).node }.filter {
            topology.nodes[$0].kind == .router
        }
        return scenario.events.contains { event in
            switch event.kind {
            case .linkSet(link, _, _, _): true
            case .linkDown(link, let directions, _), .linkUp(link, let directions, _),
                .linkFlap(link, let directions, _, _, _):
                directions != .both
            // With a carrier, and nobody behind it.
            case .nodeKill(let node), .nodeRestart(let node, _): routers.contains(node)
            default: false
            }
        }
    }

    private static func port(_ port: NodePort, _ topology: Topology) -> Port {
        let direction = RunPlan.direction(port.link, port.direction)
        return Port(
            name: topology.end(port).port, link: port.link, direction: port.direction,
            hardwareAddress: MACAddress(locallyAdministered: UInt32(direction + 1)),
            mtu: UInt32(clamping: RunPlan.mtu(topology.links[port.link], port.direction)))
    }

    /// What a tunnel puts in front of a packet has to fit the node's WAN ports.
    private static func overlay(of index: Int, _ topology: Topology) -> OverlayInterface {
        let room = topology.wanPorts(of: index).map { port in
            let isOverIPv4 = topology.end(port).ipv4 != nil
            return RunPlan.mtu(topology.links[port.link], port.direction)
                - (isOverIPv4 ? Tunnel.overheadOverIPv4 : Tunnel.overheadOverIPv6)
        }
        return OverlayInterface(
            address: .v4(OverlayAddresses.address(ofNode: index)),
            mtu: room.min() ?? 1_500 - Tunnel.overheadOverIPv4)
    }
}
