import LinuxSystem
import Wire

/// Three namespaces in a row, host - node - sink, joined by veths with addresses of one subnet:
/// what the node has to do is to hand frames from one port to the other.
struct Lab: ~Copyable {
    let host: NetworkNamespace
    let node: NetworkNamespace
    let sink: NetworkNamespace
    var hostRoutes: RouteSocket
    var nodeRoutes: RouteSocket
    var sinkRoutes: RouteSocket

    static let hostEnd = InterfaceIndex(10)
    static let nodePort = InterfaceIndex(11)
    static let farPort = InterfaceIndex(12)
    static let sinkEnd = InterfaceIndex(13)

    static let hostAddress = IPAddress.v4(IPv4Address(10, 0, 0, 1))
    static let sinkAddress = IPAddress.v4(IPv4Address(10, 0, 0, 2))
    static let hostMAC = MACAddress(locallyAdministered: 10)
    static let sinkMAC = MACAddress(locallyAdministered: 13)

    init(mtu: UInt32 = 1_500) throws(SystemError) {
        let host = try NetworkNamespace()
        let node = try NetworkNamespace()
        let sink = try NetworkNamespace()
        // Neighbour discovery would only add packets that nobody counts.
        for name in ["all", "default"] {
            try host.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
            try node.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
            try sink.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
        }
        var hostRoutes = try RouteSocket(in: host)
        var nodeRoutes = try RouteSocket(in: node)
        var sinkRoutes = try RouteSocket(in: sink)
        var batch = NetlinkBatch()
        batch.createVeth(
            VethEnd("n0", index: Self.nodePort, mtu: mtu),
            peer: VethEnd("h0", index: Self.hostEnd, mtu: mtu, address: Self.hostMAC), in: host)
        batch.createVeth(
            VethEnd("n1", index: Self.farPort, mtu: mtu),
            peer: VethEnd("s0", index: Self.sinkEnd, mtu: mtu, address: Self.sinkMAC), in: sink)
        for name in ["n0", "n1"] { batch.changeLink(.named(name), LinkChange(isUp: true)) }
        try nodeRoutes.commit(batch)
        try hostRoutes.change { Self.configure(&$0, Self.hostEnd, Self.hostAddress, Self.sinkAddress, Self.sinkMAC) }
        try sinkRoutes.change { Self.configure(&$0, Self.sinkEnd, Self.sinkAddress, Self.hostAddress, Self.hostMAC) }
        self.host = host
        self.node = node
        self.sink = sink
        self.hostRoutes = hostRoutes
        self.nodeRoutes = nodeRoutes
        self.sinkRoutes = sinkRoutes
    }

    /// Has the programs of an object redirect to the far port, whose number means something in the node only.
    func pointToFarPort(_ object: borrowing LoadedObject) throws(SystemError) {
        try node.perform { () throws(SystemError) in
            try object.map("ports").update([UInt32(0)].span.bytes, to: [Self.farPort.number].span.bytes)
        }
    }

    private static func configure(
        _ batch: inout NetlinkBatch, _ end: InterfaceIndex, _ own: IPAddress, _ other: IPAddress, _ mac: MACAddress
    ) {
        batch.changeLink(.index(end), LinkChange(isUp: true))
        batch.addAddress(InterfaceAddress(own, prefixLength: 24, on: end))
        batch.addNeighbour(Neighbour(other, at: mac, on: end))
    }
}
