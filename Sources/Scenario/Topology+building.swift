import Basics
import Wire

extension Topology {
    /// Fills in what declarations leave open: ports' names, links' names, addresses, hosts' links.
    ///
    /// Ports without a name are `eth0`, `eth1`, … of their node in file order. A link
    /// without addresses gets the /31 and the /127 that belong to its place in the
    /// file. A host that stands at a node gets a link of its own behind all others,
    /// `HOST:eth0--NODE:lan0`, with a delay of 50 us and no limit of rate: on the LAN
    /// of a `patronus` node, or with a /31 behind a router, whose port is then `ethN`.
    public init(
        name: String, nodes: [TopologyNode], links declarations: [LinkDeclaration],
        overlay: OverlayConfiguration = OverlayConfiguration(), slaClasses: [SLAClass] = [],
        steering: [SteeringPolicy] = []
    ) {
        var ports = PortNames(nodeCount: nodes.count, declarations)
        var links: [TopologyLink] = []
        for (index, declaration) in declarations.enumerated() {
            links.append(
                Self.link(
                    declaration, nodes: nodes, addresses: AllottedAddresses(linkNumber: index), ports: &ports))
        }
        var hostCounts = [Int](repeating: 0, count: nodes.count)
        var linkNumber = declarations.count
        for (index, node) in nodes.enumerated() {
            guard let site = node.attachment else { continue }
            if nodes[site].kind == .patronus {
                links.append(
                    Self.siteLink(
                        host: index, site: site, place: hostCounts[site], nodes: nodes, ports: &ports))
                hostCounts[site] += 1
            } else {
                links.append(
                    Self.accessLink(
                        host: index, router: site, nodes: nodes,
                        addresses: AllottedAddresses(linkNumber: linkNumber), ports: &ports))
                linkNumber += 1
            }
        }
        self.name = name
        self.nodes = nodes
        self.links = links
        self.overlay = overlay
        self.slaClasses = slaClasses
        self.steering = steering
    }

    /// The settings of a link that stands for a host's `at`.
    private static var hostLinkSettings: LinkSettings {
        var settings = LinkSettings()
        settings.delay = .microseconds(50)
        return settings
    }

    private static func link(
        _ declaration: LinkDeclaration, nodes: [TopologyNode], addresses: AllottedAddresses, ports: inout PortNames
    ) -> TopologyLink {
        func text(_ end: EndDeclaration) -> String {
            end.port.map { "\(nodes[end.node].name):\($0)" } ?? nodes[end.node].name
        }
        var first = LinkEnd(
            node: declaration.first.node, port: declaration.first.port ?? ports.next("eth", at: declaration.first.node),
            addresses: declaration.first.addresses)
        var second = LinkEnd(
            node: declaration.second.node,
            port: declaration.second.port ?? ports.next("eth", at: declaration.second.node),
            addresses: declaration.second.addresses)
        addresses.complete(&first, &second)
        return TopologyLink(
            name: declaration.name ?? "\(text(declaration.first))--\(text(declaration.second))",
            first: first, second: second, forward: declaration.forward, reverse: declaration.reverse)
    }

    private static func siteLink(
        host: Int, site: Int, place: Int, nodes: [TopologyNode], ports: inout PortNames
    ) -> TopologyLink {
        let lan = nodes[site].lan
        let hostAddresses = LANAddresses.families(of: lan).map { prefix in
            PortAddress(LANAddresses.host(place, in: prefix), prefixLength: prefix.length)
        }
        let siteAddresses = lan.map { PortAddress(LANAddresses.gateway(of: $0), prefixLength: $0.length) }
        let first = LinkEnd(node: host, port: ports.next("eth", at: host), addresses: hostAddresses)
        let second = LinkEnd(node: site, port: ports.next("lan", at: site), addresses: siteAddresses)
        return TopologyLink(
            name: "\(nodes[host].name):\(first.port)--\(nodes[site].name):\(second.port)", first: first,
            second: second, forward: hostLinkSettings, reverse: hostLinkSettings, isLAN: true)
    }

    private static func accessLink(
        host: Int, router: Int, nodes: [TopologyNode], addresses: AllottedAddresses, ports: inout PortNames
    ) -> TopologyLink {
        var first = LinkEnd(node: host, port: ports.next("eth", at: host))
        var second = LinkEnd(node: router, port: ports.next("eth", at: router))
        addresses.complete(&first, &second)
        return TopologyLink(
            name: "\(nodes[host].name):\(first.port)--\(nodes[router].name):\(second.port)", first: first,
            second: second, forward: hostLinkSettings, reverse: hostLinkSettings)
    }
}

/// Hands out names to ports that have none.
private struct PortNames {
    private var taken: [[String]]

    init(nodeCount: Int, _ declarations: [LinkDeclaration]) {
        taken = Array(repeating: [], count: nodeCount)
        for declaration in declarations {
            for end in [declaration.first, declaration.second] {
                if let port = end.port { taken[end.node].append(port) }
            }
        }
    }

    /// The first of `eth0`, `eth1`, … that the node does not have yet.
    mutating func next(_ stem: String, at node: Int) -> String {
        var number = 0
        while taken[node].contains("\(stem)\(number)") { number += 1 }
        taken[node].append("\(stem)\(number)")
        return "\(stem)\(number)"
    }
}
