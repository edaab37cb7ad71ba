public import Wire

/// The routes, neighbours and interfaces that `bpf_fib_lookup` answers from: plain tables.
public struct XDPForwarding: Sendable {
    /// An interface that frames leave by.
    public struct Interface: Sendable, Hashable {
        public var index: UInt32
        public var address: MACAddress
        public var mtu: UInt16

        public init(index: UInt32, address: MACAddress, mtu: UInt16) {
            self.index = index
            self.address = address
            self.mtu = mtu
        }
    }

    /// Where packets to a prefix go; without a gateway, to the destination itself.
    public struct Route: Sendable, Hashable {
        public var prefix: IPPrefix
        public var interface: UInt32
        public var gateway: IPAddress?

        public init(prefix: IPPrefix, interface: UInt32, gateway: IPAddress? = nil) {
            self.prefix = prefix
            self.interface = interface
            self.gateway = gateway
        }
    }

    /// Which station answers for an address on an interface.
    public struct Neighbour: Sendable, Hashable {
        public var address: IPAddress
        public var interface: UInt32
        public var station: MACAddress

        public init(address: IPAddress, interface: UInt32, station: MACAddress) {
            self.address = address
            self.interface = interface
            self.station = station
        }
    }

    public var interfaces: [Interface] = []
    public var routes: [Route] = []
    public var neighbours: [Neighbour] = []

    public init() {}
}

extension XDPForwarding {
    /// What a look-up says (`BPF_FIB_LKUP_RET_*`).
    enum Answer {
        case found(Interface, gateway: IPAddress, station: MACAddress)
        case notForwarded
        case noNeighbour(Interface)
        case fragmentationNeeded(mtu: UInt16)
    }

    /// The way to `destination` for a packet of so many octets, 0 where its length does not matter.
    func answer(to destination: IPAddress, byteCount: UInt16) -> Answer {
        var best: (route: Route, length: Int)?
        for route in routes {
            guard let length = route.prefix.lengthIfContaining(destination), length > best?.length ?? -1 else {
                continue
            }
            best = (route, length)
        }
        guard let route = best?.route, let interface = interfaces.first(where: { $0.index == route.interface }) else {
            return .notForwarded
        }
        if byteCount > interface.mtu { return .fragmentationNeeded(mtu: interface.mtu) }
        let gateway = route.gateway ?? destination
        let neighbour = neighbours.first { $0.address == gateway && $0.interface == interface.index }
        guard let neighbour else { return .noNeighbour(interface) }
        return .found(interface, gateway: gateway, station: neighbour.station)
    }
}

extension IPPrefix {
    /// The length of the prefix where it contains an address.
    fileprivate func lengthIfContaining(_ address: IPAddress) -> Int? {
        switch (self, address) {
        case (.v4(let prefix), .v4(let address)): prefix.contains(address) ? Int(prefix.length) : nil
        case (.v6(let prefix), .v6(let address)): prefix.contains(address) ? Int(prefix.length) : nil
        default: nil
        }
    }
}
