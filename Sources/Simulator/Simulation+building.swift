import Basics
import Endpoints
import Links
import Machine
import Node
import Plan
import Scenario
import Tunnel
import Wire

extension Simulation {
    mutating func buildLinks() {
        for (index, link) in scenario.topology.links.enumerated() {
            for direction in LinkDirection.allCases {
                let target = link.target(direction)
                let number = RunPlan.direction(index, direction)
                let stream = "link \(link.name) \(direction == .forward ? "forward" : "reverse")"
                let port = plan.portNumber(of: target.node, link: index, direction: direction.opposite) ?? 0
                var motion = LinkInMotion(
                    Link(
                        LinkProfile(link.settings(direction)), random: SeededRandom(seed: seed, stream: stream)),
                    to: target.node, port: PortID(UInt16(port)), linkIndex: index, isForward: direction == .forward,
                    direction: number)
                motion.isCaptured = scenario.record.capturedLinks.contains(index)
                network.links.append(motion)
            }
        }
    }

    mutating func buildDevices() {
        for index in scenario.topology.nodes.indices {
            let node = scenario.topology.nodes[index]
            var device = Device(index: index, name: node.name, kind: node.kind, kernel: kernel(of: index))
            device.occupant = makeOccupant(of: index, life: 0)
            devices.append(device)
        }
    }

    /// A fresh machine for a device; each of its lives draws other numbers.
    func makeOccupant(of index: Int, life: UInt64) -> Occupant {
        let node = scenario.topology.nodes[index]
        switch node.kind {
        case .patronus:
            let random = SeededRandom(seed: seed, stream: "node \(node.name) life \(life)")
            var configuration = plan.nodeConfiguration(of: index, in: scenario)
            // Nothing here reads what a collector would, and calls in vain would only be in the way.
            configuration.collectors = []
            return Occupant(Node(configuration, random: random, at: network.now))
        case .host:
            return Occupant(EndHost(plan.flows.configuration(of: index, in: scenario), seed: seed))
        default:
            return Occupant()
        }
    }

    private func kernel(of index: Int) -> Kernel {
        let topology = scenario.topology
        var ports = ContiguousArray<Port>()
        for port in plan.ports[index] {
            let here = topology.end(port)
            let there = topology.farEnd(port)
            let direction = RunPlan.direction(port.link, port.direction)
            ports.append(
                Port(
                    name: here.port, direction: direction,
                    hardware: MACAddress(locallyAdministered: UInt32(direction + 1)), address4: here.ipv4,
                    address6: here.ipv6, gateway4: there.ipv4, gateway6: there.ipv6,
                    mtu: RunPlan.mtu(topology.links[port.link], port.direction)))
        }
        var kernel = Kernel(
            device: index, ports: ports, overlayMTU: plan.overlayMTU(of: index, in: topology),
            random: SeededRandom(seed: seed, stream: "kernel \(topology.nodes[index].name)"))
        addAddresses(of: index, to: &kernel)
        addRoutes(of: index, to: &kernel)
        return kernel
    }

    private func addAddresses(of index: Int, to kernel: inout Kernel) {
        let topology = scenario.topology
        for port in plan.ports[index] {
            for address in topology.end(port).addresses {
                kernel.forwarding.insert(IPPrefix(host: address.address), .local)
            }
        }
        if topology.nodes[index].kind == .host {
            for prefix in topology.nodes[index].prefixes { kernel.forwarding.insert(prefix, .local) }
        }
        guard topology.nodes[index].kind == .patronus else { return }
        let overlay = IPAddress.v4(OverlayAddresses.address(ofNode: index))
        kernel.overlayAddress = overlay
        kernel.forwarding.insert(IPPrefix(host: overlay), .local)
    }

    private func addRoutes(of index: Int, to kernel: inout Kernel) {
        let topology = scenario.topology
        switch topology.nodes[index].kind {
        case .router:
            for route in plan.routes.routes[index] {
                guard let number = plan.ports[index].firstIndex(of: route.port) else { continue }
                let far = topology.farEnd(route.port)
                let gateway = route.prefix.isIPv4 ? far.ipv4.map { IPAddress.v4($0) } : far.ipv6.map { .v6($0) }
                guard kernel.nextHop(to: route.prefix.address) != .local || route.prefix.length < 31 else { continue }
                kernel.forwarding.insert(route.prefix, .port(number, gateway: gateway))
            }
        case .host:
            if !kernel.ports.isEmpty { addDefaultRoute(by: 0, to: &kernel) }
        case .patronus:
            addHostPrefixes(behind: index, to: &kernel)
            addBreakout(of: index, to: &kernel)
        default:
            break
        }
    }

    /// The further addresses of hosts on a node's LAN lie behind the hosts' own.
    private func addHostPrefixes(behind index: Int, to kernel: inout Kernel) {
        let topology = scenario.topology
        for (number, port) in plan.ports[index].enumerated() {
            let host = topology.nodes[topology.farEnd(port).node]
            guard host.kind == .host else { continue }
            for prefix in host.prefixes {
                let end = topology.farEnd(port)
                let gateway = prefix.isIPv4 ? end.ipv4.map { IPAddress.v4($0) } : end.ipv6.map { .v6($0) }
                kernel.forwarding.insert(prefix, .port(number, gateway: gateway))
            }
        }
    }

    /// A site that the underlay routes to answers into the underlay.
    private func addBreakout(of index: Int, to kernel: inout Kernel) {
        let topology = scenario.topology
        guard !topology.nodes[index].publicPrefixes.isEmpty, let port = topology.wanPorts(of: index).first,
            let number = plan.ports[index].firstIndex(of: port)
        else { return }
        addDefaultRoute(by: number, to: &kernel)
    }

    private func addDefaultRoute(by number: Int, to kernel: inout Kernel) {
        if let gateway = kernel.ports[number].gateway4 {
            kernel.forwarding.insert(IPPrefix(.v4(.any), length: 0), .port(number, gateway: .v4(gateway)))
        }
        if let gateway = kernel.ports[number].gateway6 {
            kernel.forwarding.insert(IPPrefix(.v6(.any), length: 0), .port(number, gateway: .v6(gateway)))
        }
    }
}
