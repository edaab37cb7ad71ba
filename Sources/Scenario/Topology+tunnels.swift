public import Telemetry

/// One tunnel of the overlay: a pair of WAN ports; its ``TunnelID`` is its place in the list.
public struct OverlayTunnel: Equatable, Sendable {
    /// As in `branch:wan-a>hq:wan-a`.
    public var name: String
    public var firstNode: Int
    public var first: NodePort
    public var secondNode: Int
    public var second: NodePort

    /// The node and port across from `node`, where that is at one of the ends.
    public func farEnd(from node: Int) -> (node: Int, port: NodePort)? {
        if node == firstNode { return (secondNode, second) }
        return node == secondNode ? (firstNode, first) : nil
    }

    /// The port of `node`, where that is at one of the ends.
    public func port(of node: Int) -> NodePort? {
        if node == firstNode { return first }
        return node == secondNode ? second : nil
    }
}

extension Topology {
    /// The overlay's tunnels: for every pair of nodes, in file order, each pair of WAN ports that reach each other.
    ///
    /// A tunnel is named from its first node to its second, and a hub is second to a
    /// node that is none; otherwise the order is that of the file.
    public func tunnels() -> [OverlayTunnel] {
        let segments = UnderlaySegments(self)
        var result: [OverlayTunnel] = []
        for pair in tunnelPairs() {
            for first in wanPorts(of: pair.first) {
                for second in wanPorts(of: pair.second) where segments.joins(first, second) {
                    result.append(
                        OverlayTunnel(
                            name: "\(portName(first))>\(portName(second))", firstNode: pair.first, first: first,
                            secondNode: pair.second, second: second))
                }
            }
        }
        return result
    }

    /// A port as files write it: `branch:wan-a`.
    public func portName(_ port: NodePort) -> String {
        let end = end(port)
        return "\(nodes[end.node].name):\(end.port)"
    }

    private func tunnelPairs() -> [NodePair] {
        let members = nodes.indices.filter { nodes[$0].kind == .patronus }
        var result: [NodePair] = []
        for (place, first) in members.enumerated() {
            for second in members[(place + 1)...] where hasTunnels(first, second) {
                let isReversed = nodes[first].isHub && !nodes[second].isHub
                result.append(isReversed ? NodePair(second, first) : NodePair(first, second))
            }
        }
        return result
    }

    private func hasTunnels(_ first: Int, _ second: Int) -> Bool {
        switch overlay.tunnels {
        case .fullMesh: true
        case .hubAndSpoke: nodes[first].isHub || nodes[second].isHub
        case .pairs(let pairs): pairs.contains(NodePair(first, second)) || pairs.contains(NodePair(second, first))
        }
    }
}

/// Which ports reach each other through the underlay: routers pass packets on, all other nodes do not.
private struct UnderlaySegments {
    /// For each router the lowest index of a router that it can reach.
    private var groups: [Int]
    private let topology: Topology

    init(_ topology: Topology) {
        self.topology = topology
        groups = Array(topology.nodes.indices)
        for link in topology.links where topology.isTransit(link.first.node) && topology.isTransit(link.second.node) {
            let first = root(link.first.node)
            let second = root(link.second.node)
            groups[max(first, second)] = min(first, second)
        }
    }

    func joins(_ first: NodePort, _ second: NodePort) -> Bool {
        if first.link == second.link { return first.direction != second.direction }
        let left = topology.farEnd(first).node
        let right = topology.farEnd(second).node
        guard topology.isTransit(left), topology.isTransit(right) else { return false }
        return root(left) == root(right)
    }

    private func root(_ node: Int) -> Int {
        var node = node
        while groups[node] != node { node = groups[node] }
        return node
    }
}

extension Topology {
    /// Whether the node passes packets on between its links in the underlay.
    public func isTransit(_ node: Int) -> Bool { nodes[node].kind == .router }
}

extension TunnelID {
    /// The tunnel at that place of ``Topology/tunnels()``.
    public init(place: Int) {
        self.init(UInt32(truncatingIfNeeded: place))
    }
}
