import Basics
import Emulator
import Glibc
import Links
import LinuxSystem
import Scenario
import Wire

/// Two namespaces joined by one link on a wire.
struct Joint: ~Copyable {
    let left: NetworkNamespace
    let right: NetworkNamespace
    let wire: UserspaceWire
    let clock: MonotonicClock
    let port: InterfaceIndex
    let peer: InterfaceIndex

    static let leftAddress = IPv4Address(10, 0, 0, 1)
    static let rightAddress = IPv4Address(10, 0, 0, 2)
    static let leftMAC = MACAddress(locallyAdministered: 1)
    static let rightMAC = MACAddress(locallyAdministered: 2)

    init(_ profile: LinkProfile, back: LinkProfile? = nil) throws(SystemError) {
        let left = try Self.namespace()
        let right = try Self.namespace()
        let first = try TapDevice(named: "wan", in: left, address: Self.leftMAC)
        let second = try TapDevice(named: "wan", in: right, address: Self.rightMAC)
        let (port, peer) = (first.interface, second.interface)
        var leftRoutes = try RouteSocket(in: left)
        var rightRoutes = try RouteSocket(in: right)
        try leftRoutes.change { Self.configure(&$0, port, Self.leftAddress, Self.rightAddress, Self.rightMAC) }
        try rightRoutes.change { Self.configure(&$0, peer, Self.rightAddress, Self.leftAddress, Self.leftMAC) }
        let clock = MonotonicClock.startingNow()
        let wire = try UserspaceWire(clock: clock, seed: 1)
        let link = WireLink("wan", forward: profile, reverse: back ?? profile)
        _ = try wire.add(link, between: first, and: second)
        try wire.start()
        self.left = left
        self.right = right
        self.wire = wire
        self.clock = clock
        self.port = port
        self.peer = peer
    }

    private static func namespace() throws(SystemError) -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        for name in ["all", "default"] { try namespace.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1") }
        return namespace
    }

    private static func configure(
        _ batch: inout NetlinkBatch, _ port: InterfaceIndex, _ own: IPv4Address, _ other: IPv4Address,
        _ hardware: MACAddress
    ) {
        batch.changeLink(.index(port), LinkChange(isUp: true))
        batch.addAddress(InterfaceAddress(.v4(own), prefixLength: 24, on: port))
        batch.addNeighbour(Neighbour(.v4(other), at: hardware, on: port))
    }

    /// Sends datagrams from left to right, so many microseconds apart, and returns what arrived.
    func probe(_ count: Int, size: Int, apart: UInt32) throws(SystemError) -> [ProbeSocket.Arrival] {
        let sender = try ProbeSocket(in: left)
        let receiver = try ProbeSocket(in: right)
        for sequence in 0..<count {
            sender.send(UInt32(sequence), size: size, to: Self.rightAddress, clock)
            if apart > 0 { usleep(apart) }
        }
        return receiver.arrivals(expecting: .max, quiet: 500, clock)
    }
}
