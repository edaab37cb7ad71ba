import Basics
import Dataplane
import LinuxSystem
import Telemetry
import Wire

/// Two sites: host - node - node - host, the nodes with the project's own program on both of their ports.
struct Overlay: ~Copyable {
    let hosts: Ends
    let nodes: Ends
    var west: DataplaneControl<KernelDataplaneMaps>
    var east: DataplaneControl<KernelDataplaneMaps>
    /// What keeps the programs where they are.
    private let attachments: InlineArray<4, XDPAttachment>
    private let veths: InlineArray<4, PreparedVeth>

    /// The western one and the eastern one.
    struct Ends: ~Copyable {
        let west: NetworkNamespace
        let east: NetworkNamespace

        init() throws(SystemError) {
            let west = try NetworkNamespace()
            let east = try NetworkNamespace()
            self.west = west
            self.east = east
        }
    }

    static let westHost = IPv4Address(10, 1, 0, 2)
    static let eastHost = IPv4Address(10, 2, 0, 2)
    static let westNode = IPAddress.v4(IPv4Address(192, 0, 2, 1))
    static let eastNode = IPAddress.v4(IPv4Address(192, 0, 2, 2))
    static let tunnel = TunnelID(7)
    static let host = InterfaceIndex(10)
    static let lan = InterfaceIndex(11)
    static let wan = InterfaceIndex(12)

    private static func address(_ number: UInt64) -> MACAddress { MACAddress(bits: 0x0200_0000_0000 | number) }

    init(limits: FloodGuardLimits = FloodGuardLimits()) throws {
        let hosts = try Ends()
        let nodes = try Ends()
        try Self.quieten(hosts.west)
        try Self.quieten(hosts.east)
        try Self.quieten(nodes.west)
        try Self.quieten(nodes.east)
        try Self.makeLinks(hosts, nodes)
        try Self.configure(hosts.west, Self.westHost, gateway: Self.address(0x11))
        try Self.configure(hosts.east, Self.eastHost, gateway: Self.address(0x21))
        let westPlane = try KernelDataplane(sizes: [(.flows, 4_096)])
        let eastPlane = try KernelDataplane(sizes: [(.flows, 4_096)])
        let attachments = try InlineArray<4, XDPAttachment> { place throws(SystemError) in
            let port = place % 2 == 0 ? Self.lan : Self.wan
            return place < 2
                ? try XDPAttachment(westPlane.program, to: port, in: nodes.west)
                : try XDPAttachment(eastPlane.program, to: port, in: nodes.east)
        }
        let veths = try InlineArray<4, PreparedVeth> { place throws(SystemError) in
            switch place {
            case 0: try PreparedVeth(Self.lan, in: nodes.west, peerIn: hosts.west, leastMTU: 1_500)
            case 1: try PreparedVeth(Self.wan, in: nodes.west, peerIn: nodes.east, leastMTU: 1_600)
            case 2: try PreparedVeth(Self.lan, in: nodes.east, peerIn: hosts.east, leastMTU: 1_500)
            default: try PreparedVeth(Self.wan, in: nodes.east, peerIn: nodes.west, leastMTU: 1_600)
            }
        }
        var west = try DataplaneControl(westPlane.maps(in: nodes.west.shared()), limits: limits)
        var east = try DataplaneControl(eastPlane.maps(in: nodes.east.shared()), limits: limits)
        try Self.program(&west, site: 1, from: Self.westNode, to: Self.eastNode)
        try Self.program(&east, site: 2, from: Self.eastNode, to: Self.westNode)
        self.hosts = hosts
        self.nodes = nodes
        self.attachments = attachments
        self.veths = veths
        self.west = west
        self.east = east
    }

    private static func quieten(_ namespace: borrowing NetworkNamespace) throws(SystemError) {
        for name in ["all", "default"] { try namespace.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1") }
    }

    private static func makeLinks(_ hosts: borrowing Ends, _ nodes: borrowing Ends) throws(SystemError) {
        var west = try RouteSocket(in: nodes.west)
        var east = try RouteSocket(in: nodes.east)
        try west.change { batch in
            batch.createVeth(
                VethEnd("lan", index: lan, address: address(0x11)),
                peer: VethEnd("h0", index: host, address: address(0x10)), in: hosts.west)
            batch.createVeth(
                VethEnd("wan", index: wan, address: address(0x12)),
                peer: VethEnd("wan", index: wan, address: address(0x22)), in: nodes.east)
            for port in [lan, wan] { batch.changeLink(.index(port), LinkChange(isUp: true)) }
        }
        try east.change { batch in
            batch.createVeth(
                VethEnd("lan", index: lan, address: address(0x21)),
                peer: VethEnd("h0", index: host, address: address(0x20)), in: hosts.east)
            for port in [lan, wan] { batch.changeLink(.index(port), LinkChange(isUp: true)) }
        }
    }

    private static func configure(
        _ namespace: borrowing NetworkNamespace, _ own: IPv4Address, gateway: MACAddress
    ) throws(SystemError) {
        var routes = try RouteSocket(in: namespace)
        try routes.change { batch in
            batch.changeLink(.index(host), LinkChange(isUp: true))
            batch.addAddress(InterfaceAddress(.v4(own), prefixLength: 8, on: host))
            batch.addNeighbour(Neighbour(.v4(own == westHost ? eastHost : westHost), at: gateway, on: host))
        }
    }

    /// Tells a node of its ports, its tunnel to the other, and its own host.
    private static func program(
        _ control: inout DataplaneControl<KernelDataplaneMaps>, site: UInt64, from local: IPAddress,
        to remote: IPAddress
    ) throws(DataplaneError) {
        let (near, far) = (DataplanePort(lan.number), DataplanePort(wan.number))
        let (lanAddress, wanAddress) = (address(site << 4 | 1), address(site << 4 | 2))
        let (own, other) = site == 1 ? (westHost, eastHost) : (eastHost, westHost)
        try control.apply(.setPort(near, role: .lan, address: lanAddress))
        try control.apply(.setPort(far, role: .wan, address: wanAddress))
        try control.apply(.setNeighbor(.v4(own), on: near, DataplaneNeighbor(address(site << 4), from: lanAddress)))
        try control.apply(
            .setNeighbor(
                remote, on: far,
                DataplaneNeighbor(address((3 - site) << 4 | 2), from: wanAddress, maximumPacketByteCount: 1_600)))
        var tunnel = DataplaneTunnel(from: local, to: remote, on: far, nextHop: remote, firstSequence: 100)
        tunnel.maximumPacketByteCount = 1_600
        try control.apply(.setTunnel(Self.tunnel, tunnel))
        try control.apply(.setRoute(.v4(IPv4Prefix(own, length: 16)), .port(near)))
        try control.apply(.setRoute(.v4(IPv4Prefix(other, length: 16)), .tunnel(Self.tunnel)))
    }

    /// How many packets had a cause, in the west and in the east.
    mutating func packets(_ cause: DataplaneCause) throws(DataplaneError) -> [UInt64] {
        [try west.counters()[cause].packets, try east.counters()[cause].packets]
    }
}
