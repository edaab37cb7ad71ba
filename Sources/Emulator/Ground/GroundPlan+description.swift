import Scenario

extension GroundPlan {
    /// What would be made, a line each, in the order in which it would be, and how many there are at the end.
    public func describe() -> [String] {
        var lines: [String] = []
        for namespace in namespaces {
            lines.append("namespace \(namespace.name) (\(namespace.kind.rawValue))")
            lines += namespace.lines(in: self).map { "  \($0)" }
        }
        for link in links {
            lines.append("link \(link.name): \(link.kind.rawValue) \(text(link.first)) - \(text(link.second))")
        }
        let wires = links.count { $0.kind == .wire }
        let counts = [
            "\(namespaces.count) namespaces", "\(links.count - wires) veths", "\(wires) wires (\(wires * 2) TAPs)",
            "\(namespaces.reduce(0) { $0 + $1.ports.reduce(0) { $0 + $1.addresses.count } }) addresses",
            "\(namespaces.reduce(0) { $0 + $1.routes.count + $1.ownPrefixes.count }) routes",
        ]
        return lines + [counts.joined(separator: ", ")]
    }

    /// An end as files write it: `branch:wan-a`.
    func text(_ end: End) -> String {
        let namespace = namespaces[end.namespace]
        return "\(namespace.name):\(namespace.ports[end.port].name)"
    }

    /// The port at an end.
    func port(_ end: End) -> Port { namespaces[end.namespace].ports[end.port] }
}

extension GroundPlan.Namespace {
    fileprivate func lines(in plan: GroundPlan) -> [String] {
        var lines = parameters.map { "set net/\($0.name) to \($0.value)" }
        for port in ports {
            let addresses = port.addresses.map { "\($0.address)/\($0.prefixLength)" }
            let kind = plan.links[port.link].kind == .wire ? "TAP" : "veth"
            lines.append(
                "port \(port.name): \(kind), \(port.hardwareAddress), MTU \(port.mtu)"
                    + (addresses.isEmpty ? "" : ", \(addresses.joined(separator: " "))"))
        }
        for route in routes {
            lines.append(
                "route \(route.destination)" + (route.gateway.map { " through \($0)" } ?? "")
                    + " on \(ports[route.port].name)")
        }
        lines += ownPrefixes.map { "all of \($0) is its own" }
        if let overlay { lines.append("overlay \(overlay.address), MTU \(overlay.mtu)") }
        lines += commands.map { "run \($0)" }
        return lines
    }
}
