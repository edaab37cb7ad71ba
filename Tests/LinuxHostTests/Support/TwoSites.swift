import Basics
import Endpoints
import LinuxHost
import LinuxSystem
import Machine
import Node
import Steering
import Telemetry
import Traffic
import Wire

/// Two sites: host - node - node - host, the nodes joined by two links of the underlay.
struct TwoSites: ~Copyable {
    /// The western one, then the eastern one.
    let hosts: Slab<NetworkNamespace>
    let nodes: Slab<NetworkNamespace>
    let clock = MonotonicClock.startingNow()
    private let veths: Slab<PreparedVeth>
    let usesDataplane: Bool

    static let links = ["wan-a", "wan-b"]

    static func overlayAddress(_ site: Int) -> IPv4Address { IPv4Address(10, 255, 0, UInt8(site + 1)) }
    static func lan(_ site: Int) -> IPPrefix {
        .v4(IPv4Prefix(IPv4Address(10, UInt8(site + 1), 0, 0), length: 24))
    }
    static func host(_ site: Int) -> IPAddress { .v4(IPv4Address(10, UInt8(site + 1), 0, 10)) }
    static func gateway(_ site: Int) -> IPAddress { .v4(IPv4Address(10, UInt8(site + 1), 0, 1)) }
    static func wan(_ site: Int, _ link: Int) -> IPAddress {
        .v4(IPv4Address(192, 0, UInt8(2 + link), UInt8(site + 1)))
    }

    init(usesDataplane: Bool = false) throws {
        var hosts = Slab<NetworkNamespace>()
        var nodes = Slab<NetworkNamespace>()
        for _ in 0..<2 {
            hosts.append(try Self.namespace(forwards: false))
            nodes.append(try Self.namespace(forwards: true))
        }
        var west = try RouteSocket(in: nodes[0])
        var east = try RouteSocket(in: nodes[1])
        try west.change { batch in
            for link in Self.links {
                batch.createVeth(VethEnd(link, mtu: 1_600), peer: VethEnd(link, mtu: 1_600), in: nodes[1])
            }
            batch.createVeth(VethEnd("lan"), peer: VethEnd("eth0"), in: hosts[0])
        }
        try east.change { $0.createVeth(VethEnd("lan"), peer: VethEnd("eth0"), in: hosts[1]) }
        for site in 0..<2 {
            try Self.configureNode(site, nodes[site])
            try Self.configureHost(site, hosts[site])
        }
        var veths = Slab<PreparedVeth>()
        if usesDataplane {
            let westLAN = try west.existingLink(.named("lan")).index
            let eastLAN = try east.existingLink(.named("lan")).index
            veths.append(try PreparedVeth(westLAN, in: nodes[0], peerIn: hosts[0], leastMTU: 1_500))
            veths.append(try PreparedVeth(eastLAN, in: nodes[1], peerIn: hosts[1], leastMTU: 1_500))
        }
        self.usesDataplane = usesDataplane
        self.veths = veths
        self.hosts = hosts
        self.nodes = nodes
    }

    private static func namespace(forwards: Bool) throws(SystemError) -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        for name in ["all", "default"] {
            try namespace.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
            try namespace.setParameter("ipv4/conf/\(name)/rp_filter", to: "0")
        }
        if forwards { try namespace.setParameter("ipv4/ip_forward", to: "1") }
        var routes = try RouteSocket(in: namespace)
        try routes.change { $0.changeLink(.named("lo"), LinkChange(isUp: true)) }
        return namespace
    }

    private static func configureNode(_ site: Int, _ namespace: borrowing NetworkNamespace) throws(SystemError) {
        var routes = try RouteSocket(in: namespace)
        let lan = try routes.existingLink(.named("lan")).index
        let wan = [
            try routes.existingLink(.named(links[0])).index, try routes.existingLink(.named(links[1])).index,
        ]
        try routes.change { batch in
            batch.addAddress(InterfaceAddress(gateway(site), prefixLength: 24, on: lan))
            batch.changeLink(.index(lan), LinkChange(isUp: true))
            for link in 0..<2 {
                batch.addAddress(InterfaceAddress(Self.wan(site, link), prefixLength: 24, on: wan[link]))
                batch.changeLink(.index(wan[link]), LinkChange(isUp: true))
            }
        }
    }

    private static func configureHost(_ site: Int, _ namespace: borrowing NetworkNamespace) throws(SystemError) {
        var routes = try RouteSocket(in: namespace)
        let link = try routes.existingLink(.named("eth0")).index
        try routes.change { batch in
            batch.addAddress(InterfaceAddress(host(site), prefixLength: 24, on: link))
            batch.changeLink(.index(link), LinkChange(isUp: true))
            batch.addRoute(KernelRoute(to: .v4(IPv4Prefix(.any, length: 0)), through: gateway(site), on: link))
        }
    }

    /// What the node of a site is told; ports 0 and 1 are the underlay's, port 2 is the LAN.
    private func nodeConfiguration(_ site: Int) -> NodeConfiguration {
        let other = 1 - site
        var configuration = NodeConfiguration(
            name: "site-\(site)", autonomousSystem: 65_001 + UInt32(site), overlayAddress: Self.overlayAddress(site),
            lan: [Self.lan(site)],
            ports: Self.links.enumerated().map {
                WANPort(id: PortID(UInt16($0.offset)), name: $0.element, address: Self.wan(site, $0.offset))
            },
            peers: [
                OverlayPeer(
                    name: "site-\(other)", autonomousSystem: 65_001 + UInt32(other),
                    overlayAddress: Self.overlayAddress(other))
            ],
            tunnels: Self.links.indices.map {
                TunnelEnd(
                    id: TunnelID(UInt32($0)), peer: 0, port: $0, remoteAddress: Self.wan(other, $0),
                    remotePort: Self.links[$0])
            }, steering: Steering.Configuration())
        configuration.usesDataplane = usesDataplane
        return configuration
    }

    private func hostConfiguration(ofNode site: Int, life: UInt64) -> HostConfiguration {
        let wan = Self.links.indices.map { HostPort(Self.links[$0], role: .wan, addresses: [Self.wan(site, $0)]) }
        let lan = HostPort(
            "lan", role: .lan, addresses: [Self.gateway(site)], reachable: [IPPrefix(host: Self.host(site))])
        var configuration = HostConfiguration(
            ports: wan + [lan], overlay: OverlayInterface(address: Self.overlayAddress(site), mtu: 1_500),
            usesDataplane: usesDataplane, clock: clock, random: SeededRandom(seed: life, stream: "dataplane \(site)"))
        configuration.dataplaneFlowCount = 4_096
        return configuration
    }

    /// Starts the node of a site.
    func startNode(
        _ site: Int, life: UInt64 = 0, change: (inout NodeConfiguration) -> Void = { _ in }
    ) throws -> RunningMachine<Node> {
        var changed = nodeConfiguration(site)
        change(&changed)
        let configuration = changed
        let clock = clock
        return try RunningMachine(
            in: nodes[site], hostConfiguration(ofNode: site, life: life)
        ) {
            Node(configuration, random: SeededRandom(seed: life, stream: configuration.name), at: clock.now)
        }
    }

    /// Starts the host of a site with its ends of flows.
    func startHost(_ site: Int, _ flows: [FlowAssignment]) throws -> RunningMachine<EndHost> {
        let port = HostPort("eth0", role: .lan, addresses: [Self.host(site)], gateways: [Self.gateway(site)])
        let configuration = HostConfiguration(
            ports: [port], clock: clock, random: SeededRandom(seed: 1, stream: "host \(site)"))
        return try RunningMachine(in: hosts[site], configuration) {
            EndHost(EndHostConfiguration(name: "host-\(site)", flows: flows), seed: 1)
        }
    }

    /// One end of a flow from the west to the east.
    func end(
        _ role: FlowRole, of flow: UInt32, _ application: ApplicationProfile, from start: Instant, to stop: Instant
    ) -> FlowAssignment {
        let west = SocketAddress(Self.host(0), port: 20_000 + UInt16(flow))
        let east = SocketAddress(Self.host(1), port: 30_000 + UInt16(flow))
        return FlowAssignment(
            flow: flow, role: role, application: application, local: role == .source ? west : east,
            remote: role == .source ? east : west, start: start, stop: stop)
    }

    /// Takes one link of the underlay down at the western end, and with it the eastern end's carrier; or up again.
    func setLink(_ link: Int, isUp: Bool) throws(SystemError) {
        var routes = try RouteSocket(in: nodes[0])
        try routes.change { $0.changeLink(.named(Self.links[link]), LinkChange(isUp: isUp)) }
    }

    /// The prefixes that the kernel of a node routes to the overlay interface, asked for from outside.
    func kernelRoutes(ofNode site: Int) throws(SystemError) -> [IPPrefix] {
        var routes = try RouteSocket(in: nodes[site])
        guard let overlay = try routes.link(.named("patronus0")) else { return [] }
        return try routes.routes().filter { $0.interface == overlay.index }.map(\.destination).sorted()
    }
}
