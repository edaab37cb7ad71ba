import Basics
public import Wire

/// Where an attack's packets go.
public struct AttackRoute: Equatable, Sendable {
    /// The port that they leave the attacker by.
    public var port: NodePort
    public var target: IPAddress
}

extension Topology {
    /// How a host reaches a victim with raw packets; nil where no route leads there.
    ///
    /// From outside, a host on a LAN is reached at its own address where the underlay routes
    /// to that, else at a WAN port of its site's node; a node is reached at its WAN ports, the
    /// first of those to which a route leads. From a LAN both are reached at their LAN addresses.
    public func attackRoute(from attacker: Int, to victim: Int) -> AttackRoute? {
        guard let port = ports(of: attacker).first else { return nil }
        let neighbor = farEnd(port).node
        let own = end(port)
        let routes = UnderlayRoutes(self)
        for target in addresses(of: victim, seenFrom: neighbor) {
            guard target.isIPv4 ? own.ipv4 != nil : own.ipv6 != nil else { continue }
            let isDirect = neighbor == victim || nodes[neighbor].kind == .patronus
            guard isDirect || routes.routes[neighbor].contains(where: { $0.prefix.contains(target) }) else { continue }
            return AttackRoute(port: port, target: target)
        }
        return nil
    }

    /// The addresses at which a victim may be reached by way of a neighbour of the attacker's, best first.
    private func addresses(of victim: Int, seenFrom neighbor: Int) -> [IPAddress] {
        let isInside = nodes[neighbor].kind == .patronus
        guard nodes[victim].kind == .patronus else {
            guard let port = ports(of: victim).first else { return [] }
            let site = farEnd(port).node
            let hasSite = nodes[site].kind == .patronus
            if isInside { return hasSite ? addresses(at: [port]) : [] }
            return addresses(at: [port]) + (hasSite ? addresses(at: wanPorts(of: site)) : [])
        }
        let all = ports(of: victim)
        if isInside { return addresses(at: all.filter { isLANPort($0) }) }
        // A host may also stand right at one of the node's ports.
        return addresses(at: wanPorts(of: victim))
    }

    private func addresses(at ports: [NodePort]) -> [IPAddress] {
        ports.flatMap { end($0).addresses.map(\.address) }
    }
}
