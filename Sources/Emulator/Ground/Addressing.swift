import Plan
import Scenario
import Wire

/// The addresses and routes of one namespace, as the simulator has them.
struct Addressing {
    /// For each port by its number.
    private(set) var addresses: [[GroundPlan.Address]] = []
    private(set) var routes: [GroundPlan.Route] = []
    private(set) var ownPrefixes: [IPPrefix] = []
    private let index: Int
    private let topology: Topology
    private let plan: RunPlan
    private var ports: [NodePort] { plan.ports[index] }
    /// Where the route to a prefix stands.
    private var places: [IPPrefix: Int] = [:]

    /// The kernel has no IPv6 on what takes less (RFC 8200 §5).
    private static let leastMTUOfIPv6 = 1_280

    init(of index: Int, _ topology: Topology, _ plan: RunPlan) {
        self.index = index
        self.topology = topology
        self.plan = plan
        for port in ports { addresses.append(addresses(of: port)) }
        for number in ports.indices { addNeighbours(across: number) }
        let node = topology.nodes[index]
        switch node.kind {
        case .router:
            for route in plan.routes.routes[index] { addUnderlay(route) }
        case .host:
            ownPrefixes = node.prefixes
            if !ports.isEmpty { addDefaultRoute(by: 0) }
        case .patronus:
            addHostPrefixes()
            addBreakout()
            addTunnelEnds()
        default: break
        }
    }

    private func hasIPv6(_ port: NodePort) -> Bool {
        let link = topology.links[port.link]
        return LinkDirection.allCases.allSatisfy { RunPlan.mtu(link, $0) >= Self.leastMTUOfIPv6 }
    }

    private func addresses(of port: NodePort) -> [GroundPlan.Address] {
        let entries = topology.end(port).addresses.filter { $0.address.isIPv4 || hasIPv6(port) }
        return entries.map { entry in
            GroundPlan.Address(
                address: entry.address, prefixLength: UInt8(entry.prefixLength),
                isWholePrefixThere: !isElsewhere(entry.prefix, than: port))
        }
    }

    /// Whether parts of a port's prefix lie behind other ports: on a LAN every host has a link of its own.
    private func isElsewhere(_ prefix: IPPrefix, than port: NodePort) -> Bool {
        guard topology.nodes[index].kind != .linux else { return false }
        if topology.links[port.link].isLAN { return true }
        return [index, topology.farEnd(port).node].contains { node in
            plan.ports[node].contains { other in
                other.link != port.link && topology.end(other).addresses.contains { $0.prefix == prefix }
            }
        }
    }

    private func neighbours(across number: Int) -> [IPAddress] {
        topology.neighbours(across: ports[number], besides: addresses[number])
    }

    private func gateway(for prefix: IPPrefix, across number: Int) -> IPAddress? {
        neighbours(across: number).first { $0.isIPv4 == prefix.isIPv4 }
    }

    private mutating func addNeighbours(across number: Int) {
        for address in neighbours(across: number) {
            let isThere = addresses[number].contains { $0.isWholePrefixThere && $0.prefix.contains(address) }
            if !isThere { add(IPPrefix(host: address), gateway: nil, number) }
        }
    }

    private mutating func addUnderlay(_ route: UnderlayRoute) {
        guard let number = ports.firstIndex(of: route.port), canRoute(route.prefix, by: number) else { return }
        let isDirect = addresses.joined().contains { $0.isWholePrefixThere && $0.prefix == route.prefix }
        let isOwn = addresses.joined().contains { IPPrefix(host: $0.address) == route.prefix }
        if !isDirect, !isOwn { add(route.prefix, gateway: gateway(for: route.prefix, across: number), number) }
    }

    private func canRoute(_ prefix: IPPrefix, by number: Int) -> Bool {
        prefix.isIPv4 || hasIPv6(ports[number])
    }

    /// The further addresses of hosts on a node's LAN lie behind the hosts' own.
    private mutating func addHostPrefixes() {
        for (number, port) in ports.enumerated() {
            let host = topology.nodes[topology.farEnd(port).node]
            guard host.kind == .host else { continue }
            for prefix in host.prefixes where canRoute(prefix, by: number) {
                add(prefix, gateway: gateway(for: prefix, across: number), number)
            }
        }
    }

    /// A site that the underlay routes to answers into the underlay.
    private mutating func addBreakout() {
        guard !topology.nodes[index].publicPrefixes.isEmpty, let port = topology.wanPorts(of: index).first,
            let number = ports.firstIndex(of: port)
        else { return }
        addDefaultRoute(by: number)
    }

    /// The far end of each tunnel by the port from which the tunnel starts: a socket that is bound to a port takes the
    /// route that leaves there, whatever its metric.
    private mutating func addTunnelEnds() {
        for tunnel in plan.tunnels {
            guard let own = tunnel.port(of: index), let far = tunnel.farEnd(from: index),
                let number = ports.firstIndex(of: own)
            else { continue }
            for address in topology.end(far.port).addresses.map(\.address) {
                let destination = IPPrefix(host: address)
                guard canRoute(destination, by: number), let gateway = gateway(for: destination, across: number),
                    gateway != address
                else { continue }
                let metric = UInt32(100 + number)
                guard !routes.contains(where: { $0.destination == destination && $0.metric == metric }) else {
                    continue
                }
                routes.append(
                    GroundPlan.Route(destination: destination, gateway: gateway, port: number, metric: metric))
            }
        }
    }

    private mutating func addDefaultRoute(by number: Int) {
        for gateway in neighbours(across: number) {
            let everything = gateway.isIPv4 ? IPAddress.v4(.any) : .v6(.any)
            add(IPPrefix(everything, length: 0), gateway: gateway, number)
        }
    }

    /// Adds a route; of two to one prefix the later one counts.
    private mutating func add(_ destination: IPPrefix, gateway: IPAddress?, _ number: Int) {
        let route = GroundPlan.Route(destination: destination, gateway: gateway, port: number)
        if let place = places[destination] {
            routes[place] = route
        } else {
            places[destination] = routes.count
            routes.append(route)
        }
    }
}

extension Topology {
    /// The first address of each family across a port, of those families that the port itself has addresses of.
    func neighbours(across port: NodePort, besides own: [GroundPlan.Address]) -> [IPAddress] {
        let far = farEnd(port)
        return [far.ipv4.map { .v4($0) }, far.ipv6.map { .v6($0) }].compactMap { $0 }.filter { address in
            own.contains { $0.address.isIPv4 == address.isIPv4 }
        }
    }
}

extension GroundPlan.Address {
    /// The prefix around the address.
    var prefix: IPPrefix { IPPrefix(address, length: Int(prefixLength)) }
}
