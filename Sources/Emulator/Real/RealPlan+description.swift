import LinuxHost

extension RealPlan {
    /// What is going to be done, for people, a line each.
    public func describe(keepsAddresses: Bool = false) -> [String] {
        var lines = ["this machine becomes node \(node) of \(topology)"]
        for port in ports {
            let interface = port.interface ?? "an interface to be named with --port \(port.name)=INTERFACE"
            lines.append("port \(port.name) (\(port.role == .wan ? "WAN" : "LAN")) on \(interface)")
            lines += port.addresses.map { address in
                let text = "\(address.address)/\(address.prefixLength)"
                return keepsAddresses ? "  address \(text), which is to be there" : "  address \(text)"
            }
            if !keepsAddresses { lines.append("  other addresses are taken off until the node ends") }
            lines.append("  MTU \(port.mtu), up, large receive offload off")
            lines += RealParameters.wanted(for: port).map { "  \($0.name) = \($0.value)" }
            if usesDataplane { lines.append("  XDP: the data plane, in the driver") }
        }
        lines += routes.map { route in
            let gateway = route.gateway.map { " through \($0)" } ?? ""
            let metric = route.metric.map { ", metric \($0)" } ?? ""
            return "route \(route.destination)\(gateway) by port \(ports[route.port].name)\(metric)"
        }
        lines.append("interface \(overlay.name) with \(overlay.address), MTU \(overlay.mtu)")
        if forwardsIPv6 { lines.append("IPv6 is forwarded between the ports and \(overlay.name)") }
        if spreadsFlows { lines += RealParameters.spreadingFlows.map { "\($0.name) = \($0.value)" } }
        return lines
    }
}
