import Wire

/// What is built: nodes, the links between them, and how the overlay runs over them.
///
/// Build one with ``init(name:nodes:links:overlay:slaClasses:steering:)``, which fills
/// in what the declarations leave open.
public struct Topology: Equatable, Sendable {
    public var name: String
    public internal(set) var nodes: [TopologyNode]
    /// Those of the file in file order, then one for each host that stands at a node.
    public internal(set) var links: [TopologyLink]
    public var overlay: OverlayConfiguration
    public var slaClasses: [SLAClass]
    public var steering: [SteeringPolicy]

    /// Takes the IPv4 addresses off all ports that have an IPv6 address as well.
    public mutating func removeIPv4() {
        for index in links.indices {
            if links[index].first.ipv6 != nil { links[index].first.addresses.removeAll { $0.address.isIPv4 } }
            if links[index].second.ipv6 != nil { links[index].second.addresses.removeAll { $0.address.isIPv4 } }
        }
    }

    /// The index of the node of that name.
    public func nodeIndex(named name: String) -> Int? {
        nodes.firstIndex { $0.name == name }
    }

    /// The index of the link of that name.
    ///
    /// A link answers to its name, to `node:port--node:port`, and one that stands for
    /// a host's `at` also to `host--node`.
    public func linkIndex(named name: String) -> Int? {
        links.firstIndex { $0.name == name } ?? links.firstIndex { otherNames(of: $0).contains(name) }
    }

    private func otherNames(of link: TopologyLink) -> [String] {
        let first = nodes[link.first.node].name
        let second = nodes[link.second.node].name
        return ["\(first):\(link.first.port)--\(second):\(link.second.port)", "\(first)--\(second)"]
    }

    /// The ends of links at a node, in the order of links.
    public func ports(of node: Int) -> [NodePort] {
        var result: [NodePort] = []
        for (index, link) in links.enumerated() {
            if link.first.node == node { result.append(NodePort(link: index, direction: .forward)) }
            if link.second.node == node { result.append(NodePort(link: index, direction: .reverse)) }
        }
        return result
    }

    /// The end of a link that a port is.
    public func end(_ port: NodePort) -> LinkEnd { links[port.link].source(port.direction) }

    /// The end of a link that lies across from a port.
    public func farEnd(_ port: NodePort) -> LinkEnd { links[port.link].target(port.direction) }

    /// Whether a port faces the site: one of a host's link, or one whose name starts with `lan`.
    public func isLANPort(_ port: NodePort) -> Bool {
        links[port.link].isLAN || nodes[farEnd(port).node].kind == .host || end(port).port.hasPrefix("lan")
    }

    /// The ports of a `patronus` node over which it builds tunnels, in the order of links.
    public func wanPorts(of node: Int) -> [NodePort] {
        guard nodes[node].kind == .patronus else { return [] }
        return ports(of: node).filter { !isLANPort($0) }
    }
}

/// A port of a node: the link there, and the direction that leaves the node.
public struct NodePort: Hashable, Sendable, BitwiseCopyable {
    public var link: Int
    public var direction: LinkDirection

    public init(link: Int, direction: LinkDirection) {
        self.link = link
        self.direction = direction
    }
}
