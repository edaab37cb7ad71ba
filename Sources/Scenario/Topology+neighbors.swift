public import BFD
public import BGP
public import Wire

/// A range of callers as the topology completes it.
public struct ResolvedListener: Equatable, Sendable {
    public var peers: DynamicPeers
    /// The node's port towards them, and its address there.
    public var port: NodePort
    public var localAddress: IPAddress
    /// What is reached directly over the port.
    public var connected: [IPPrefix]
}

/// A neighbour's session as the topology completes it.
public struct ResolvedNeighbor: Equatable, Sendable {
    public var name: String
    /// The node's port towards it.
    public var port: NodePort
    public var settings: PeerConfiguration
    /// What is reached directly over the port.
    public var connected: [IPPrefix]
    public var liveness: LivenessTiming?
}

extension Topology {
    /// A node's neighbours outside the overlay, in file order; those that are at none of its ports are left out.
    public func neighbors(of node: Int) -> [ResolvedNeighbor] {
        (nodes[node].bgp?.neighbors ?? []).compactMap { resolve($0, of: node) }
    }

    /// From where a node's neighbours may call, in file order, and for each range in that of the ports.
    public func listeners(of node: Int) -> [ResolvedListener] {
        (nodes[node].bgp?.listeners ?? []).flatMap { resolve($0, of: node) }
    }

    /// Over which of a node's links those come who call; empty where none leads there.
    public func resolve(_ listener: BGPListenerDeclaration, of node: Int) -> [ResolvedListener] {
        ports(of: node).compactMap { port in
            let own = end(port)
            let local = own.addresses.first {
                $0.prefix.contains(listener.range.address) || listener.range.contains($0.address)
            }
            guard let local else { return nil }
            var settings = listener.settings
            settings.otherFamilyNextHop =
                own.addresses.first { $0.address.isIPv4 != local.address.isIPv4 }?.address
            // Each link has the part of the range that is on it.
            let range = listener.range.length < local.prefix.length ? local.prefix : listener.range
            return ResolvedListener(
                peers: DynamicPeers(
                    range, PeerGroup("\(listener.range)", template: settings),
                    maximumCount: listener.maximumCount),
                port: port, localAddress: local.address, connected: own.addresses.map(\.prefix))
        }
    }

    /// The session with a neighbour; nil where none of the node's links leads to it.
    public func resolve(_ neighbor: BGPNeighborDeclaration, of node: Int) -> ResolvedNeighbor? {
        for port in ports(of: node) {
            let (own, far) = (end(port), farEnd(port))
            let address: IPAddress
            switch neighbor.place {
            case .address(let wanted):
                guard own.addresses.contains(where: { $0.prefix.contains(wanted) && $0.address != wanted }) else {
                    continue
                }
                address = wanted
            case .node(let wanted):
                guard far.node == wanted, let first = far.addresses.first?.address else { continue }
                address = first
            }
            guard let local = own.addresses.first(where: { $0.prefix.contains(address) }) else { continue }
            var settings = neighbor.settings
            settings.address = address
            settings.localAddress = local.address
            settings.otherFamilyNextHop =
                own.addresses.first { $0.address.isIPv4 != address.isIPv4 }?.address ?? settings.otherFamilyNextHop
            if settings.autonomousSystem == 0 {
                guard let number = nodes[far.node].autonomousSystem else { return nil }
                settings.autonomousSystem = number
            }
            let isFarEnd = far.addresses.contains { $0.address == address }
            return ResolvedNeighbor(
                name: neighbor.description ?? (isFarEnd ? nodes[far.node].name : "\(address)"), port: port,
                settings: settings, connected: own.addresses.map(\.prefix), liveness: neighbor.liveness)
        }
        return nil
    }
}
