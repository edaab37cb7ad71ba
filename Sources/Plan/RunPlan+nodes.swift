import Basics
import Machine
public import Node
public import Scenario
import Steering
import Telemetry
import Wire

extension RunPlan {
    /// What a node is told about itself, its peers and its tunnels.
    public func nodeConfiguration(of index: Int, in scenario: Scenario) -> NodeConfiguration {
        let topology = scenario.topology
        let node = topology.nodes[index]
        let wan = topology.wanPorts(of: index)
        let own = tunnels.enumerated().filter { $0.element.port(of: index) != nil }
        let peers = peers(of: index)
        var ends: [TunnelEnd] = []
        for (place, tunnel) in own {
            guard let here = tunnel.port(of: index), let far = tunnel.farEnd(from: index),
                let peer = peers.firstIndex(of: far.node), let port = wan.firstIndex(of: here),
                let remote = Self.address(topology.end(far.port), likeThatOf: topology.end(here))
            else { continue }
            ends.append(
                TunnelEnd(
                    id: TunnelID(place: place), peer: peer, port: port, remoteAddress: remote,
                    remotePort: topology.end(far.port).port))
        }
        var configuration = NodeConfiguration(
            name: node.name, autonomousSystem: Self.autonomousSystem(of: index, in: topology),
            overlayAddress: OverlayAddresses.address(ofNode: index), lan: node.lan,
            ports: wan.compactMap { wanPort($0, of: index, topology) },
            peers: peers.map { peer in
                OverlayPeer(
                    name: topology.nodes[peer].name,
                    autonomousSystem: Self.autonomousSystem(of: peer, in: topology),
                    overlayAddress: OverlayAddresses.address(ofNode: peer))
            }, tunnels: ends, steering: Self.steering(of: topology))
        configuration.probeInterval = topology.overlay.probeInterval
        configuration.detectMultiplier = UInt8(clamping: topology.overlay.detectMultiplier)
        configuration.sampleInterval = scenario.record.interval
        // In a full mesh everybody hears of everything at first hand.
        configuration.isTransit = topology.overlay.tunnels != .fullMesh
        configuration.usesDataplane = Self.usesDataplane(scenario)
        configuration.neighbors = topology.neighbors(of: index).compactMap { neighbor in
            guard let number = ports[index].firstIndex(of: neighbor.port) else { return nil }
            var result = BGPNeighbor(
                name: neighbor.name, session: neighbor.settings, port: PortID(UInt16(number)),
                connected: neighbor.connected)
            result.liveness = neighbor.liveness
            return result
        }
        configuration.listeners = topology.listeners(of: index).compactMap { listener in
            guard let number = ports[index].firstIndex(of: listener.port) else { return nil }
            return BGPListener(
                listener.peers, port: PortID(UInt16(number)), localAddress: listener.localAddress,
                connected: listener.connected)
        }
        configuration.networks = node.bgp?.networks ?? []
        configuration.aggregates = node.bgp?.aggregates ?? []
        configuration.confederation = node.bgp?.confederation
        configuration.origins = node.bgp?.origins
        configuration.collectors = node.bgp?.collectors ?? []
        configuration.maximumPaths = node.bgp?.maximumPaths ?? 1
        configuration.spreadsOverNeighbors = node.bgp?.spreadsOverNeighbors ?? false
        return configuration
    }

    /// What a node's sessions are called, by number: the peers of the overlay, then its neighbours.
    public func sessionNames(of node: Int, in topology: Topology) -> [String] {
        peers(of: node).map { topology.nodes[$0].name } + topology.neighbors(of: node).map(\.name)
    }

    /// Whether the nodes' ports run the XDP program.
    public static func usesDataplane(_ scenario: Scenario) -> Bool {
        scenario.topology.overlay.usesDataplane && scenario.topology.nodes.contains { $0.kind == .patronus }
    }

    /// The number that `node` has for its session with `peer`, be that one of the overlay or a neighbour on a link.
    public func sessionNumber(of peer: Int, at node: Int, in topology: Topology) -> Int? {
        let peers = peers(of: node)
        let neighbor = topology.neighbors(of: node).firstIndex { topology.farEnd($0.port).node == peer }
        return peers.firstIndex(of: peer) ?? neighbor.map { peers.count + $0 }
    }

    /// The nodes at the far ends of a node's tunnels, in order of index.
    public func peers(of index: Int) -> [Int] {
        var found: [Int] = []
        for tunnel in tunnels {
            guard let far = tunnel.farEnd(from: index), !found.contains(far.node) else { continue }
            found.append(far.node)
        }
        return found.sorted()
    }

    private func wanPort(_ port: NodePort, of index: Int, _ topology: Topology) -> WANPort? {
        let end = topology.end(port)
        guard let number = ports[index].firstIndex(of: port),
            let address = end.ipv4.map({ IPAddress.v4($0) }) ?? end.ipv6.map({ .v6($0) })
        else { return nil }
        return WANPort(id: PortID(UInt16(number)), name: end.port, address: address)
    }

    private static func address(_ end: LinkEnd, likeThatOf other: LinkEnd) -> IPAddress? {
        if other.ipv4 != nil { return end.ipv4.map { .v4($0) } }
        return end.ipv6.map { .v6($0) }
    }

    /// The node's own number, or one of the private range by its place (RFC 6996).
    private static func autonomousSystem(of index: Int, in topology: Topology) -> UInt32 {
        topology.nodes[index].autonomousSystem ?? 4_200_000_000 + UInt32(index)
    }

    private static func steering(of topology: Topology) -> Steering.Configuration {
        let classes = topology.slaClasses.map {
            Steering.SLAClass(name: $0.name, latency: $0.latency, jitter: $0.jitter, loss: $0.loss)
        }
        var configuration = Steering.Configuration(
            policies: topology.steering.map { policy in
                Steering.Policy(
                    name: policy.name, match: match(policy.match), slaClass: policy.slaClass.map { classes[$0] },
                    prefer: policy.preferredPorts, priority: policy.priority)
            })
        configuration.rules.failbackDelay = topology.overlay.failbackDelay
        return configuration
    }

    private static func match(_ match: SteeringMatch) -> Steering.Match {
        let protocols: [(name: String, number: UInt8)] = [
            ("tcp", ProtocolNumber.tcp), ("udp", ProtocolNumber.udp), ("icmp", ProtocolNumber.icmp),
        ]
        return Steering.Match(
            application: match.application.flatMap { Steering.Application(rawValue: $0) }, source: match.source,
            destination: match.destination,
            protocolNumber: protocols.first { $0.name == match.transport }?.number,
            ports: match.port.map { $0...$0 })
    }
}
