import Basics
public import Scenario
public import Traffic
import Tunnel
import Wire

/// What a scenario comes to on any host: which direction leads where, which port is which, who sends what.
///
/// Link *n* of the topology has the directions 2*n* (from its first end) and 2*n* + 1.
public struct RunPlan: Sendable {
    /// The ports of each device, in the order of links: a port's place is its number.
    public let ports: [[NodePort]]
    public let tunnels: [OverlayTunnel]
    public let routes: UnderlayRoutes
    public let flows: FlowPlan
    public let largestFrame: Int
    /// The largest packet that any link takes.
    public let largestPacket: Int

    public init(_ scenario: Scenario, replays: [ReplayScript?]) {
        let topology = scenario.topology
        ports = topology.nodes.indices.map { topology.ports(of: $0) }
        tunnels = topology.tunnels()
        routes = UnderlayRoutes(topology, includingTransitLinks: true)
        flows = FlowPlan(scenario, replays: replays)
        largestPacket = Self.largestPacket(in: scenario)
        largestFrame = largestPacket + EthernetHeader.byteCount + Tunnel.overheadOverIPv6
    }

    /// What pools have room for; file formats allow no more (``LinkSettings/largestTransmissionUnit``).
    private static func largestPacket(in scenario: Scenario) -> Int {
        var largest = 1_500
        for link in scenario.topology.links {
            largest = max(largest, mtu(link, .forward), mtu(link, .reverse))
        }
        for event in scenario.events {
            if case .linkSet(_, _, let changes, _) = event.kind {
                largest = max(largest, changes.maximumTransmissionUnit ?? 0)
            }
        }
        return min(largest, LinkSettings.largestTransmissionUnit)
    }

    /// The number that a device has for its end of a link.
    public func portNumber(of device: Int, link: Int, direction: LinkDirection) -> Int? {
        ports[device].firstIndex(of: NodePort(link: link, direction: direction))
    }

    /// The number of a link's direction.
    public static func direction(_ link: Int, _ direction: LinkDirection) -> Int {
        link * 2 + (direction == .forward ? 0 : 1)
    }

    /// The largest packet that a direction of a link takes.
    public static func mtu(_ link: TopologyLink, _ direction: LinkDirection) -> Int {
        link.settings(direction).maximumTransmissionUnit ?? 1_500
    }

    /// The largest packet that fits into a tunnel from any of a node's ports.
    public func overlayMTU(of node: Int, in topology: Topology) -> Int {
        let room = topology.wanPorts(of: node).map { port in
            let overhead =
                topology.end(port).ipv4 == nil ? Tunnel.overheadOverIPv6 : Tunnel.overheadOverIPv4
            return Self.mtu(topology.links[port.link], port.direction) - overhead
        }
        return room.min() ?? 1_500 - Tunnel.overheadOverIPv4
    }
}
