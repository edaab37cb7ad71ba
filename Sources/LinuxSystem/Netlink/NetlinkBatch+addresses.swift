import CMnl
public import Wire

/// An address of an interface, with the length of the prefix that is reached directly.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    public var interface: InterfaceIndex
    public var address: IPAddress
    public var prefixLength: UInt8
    /// Whether the kernel routes the whole prefix to the interface because of it.
    public var hasPrefixRoute: Bool

    public init(
        _ address: IPAddress, prefixLength: UInt8, on interface: InterfaceIndex, hasPrefixRoute: Bool = true
    ) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.hasPrefixRoute = hasPrefixRoute
    }

    public var description: String { "\(address)/\(prefixLength) on \(interface)" }
}

/// Whose hardware address an address on the link has, for ever.
public struct Neighbour: Hashable, Sendable, CustomStringConvertible {
    public var interface: InterfaceIndex
    public var address: IPAddress
    public var hardwareAddress: MACAddress?

    public init(_ address: IPAddress, at hardwareAddress: MACAddress?, on interface: InterfaceIndex) {
        self.interface = interface
        self.address = address
        self.hardwareAddress = hardwareAddress
    }

    public var description: String { "\(address) on \(interface)" }
}

/// A route of the main table, or one that makes a prefix the machine's own.
public struct KernelRoute: Hashable, Sendable, CustomStringConvertible {
    public var destination: IPPrefix
    public var gateway: IPAddress?
    public var interface: InterfaceIndex?
    public var metric: UInt32?
    /// Whether packets to the prefix are for the machine itself, as if it had all those addresses.
    public var isLocal: Bool
    /// Over which flows are spread; empty where ``gateway`` and ``interface`` say where the route leads.
    public var nextHops: [NextHop] = []

    public init(
        to destination: IPPrefix, through gateway: IPAddress? = nil, on interface: InterfaceIndex? = nil,
        metric: UInt32? = nil, isLocal: Bool = false
    ) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
        self.metric = metric
        self.isLocal = isLocal
    }

    public var description: String {
        "\(destination)" + (gateway.map { " through \($0)" } ?? "") + (interface.map { " on \($0)" } ?? "")
            + nextHops.map { " \($0)" }.joined(separator: ",")
    }
}

private func family(of address: IPAddress) -> UInt8 {
    UInt8(address.isIPv4 ? AF_INET : AF_INET6)
}

/// How far away a route's destination is: IPv6 does not say.
private func scope(of route: KernelRoute, isNew: Bool) -> UInt8 {
    guard route.destination.isIPv4 else { return UInt8(RT_SCOPE_UNIVERSE.rawValue) }
    // Whoever removes a route need not know its gateway: this stands for any scope.
    guard isNew else { return UInt8(RT_SCOPE_NOWHERE.rawValue) }
    if route.isLocal { return UInt8(RT_SCOPE_HOST.rawValue) }
    return UInt8(route.gateway == nil && route.nextHops.isEmpty ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
}

extension NetlinkBatch {
    /// Gives an interface an address, at once: IPv6 does not wait to see whether somebody else has it.
    public mutating func addAddress(_ address: InterfaceAddress) {
        changeAddress(RTM_NEWADDR, ChangeFlags.create, "add", address)
    }

    /// Takes an address from an interface.
    public mutating func removeAddress(_ address: InterfaceAddress) {
        changeAddress(RTM_DELADDR, ChangeFlags.change, "remove", address)
    }

    private mutating func changeAddress(_ type: Int, _ flags: Int32, _ verb: String, _ address: InterfaceAddress) {
        append(type, flags, "\(verb) the address \(address)") { message in
            var header = ifaddrmsg()
            header.ifa_family = family(of: address.address)
            header.ifa_prefixlen = address.prefixLength
            header.ifa_flags = UInt8(address.address.isIPv4 ? 0 : IFA_F_NODAD)
            header.ifa_index = address.interface.number
            message.put(structure: header)
            if address.address.isIPv4 { message.put(IFA_LOCAL, address.address) }
            message.put(IFA_ADDRESS, address.address)
            // These stand for all flags: the header's own have no room for this one.
            if !address.hasPrefixRoute {
                message.put(IFA_FLAGS, UInt32(header.ifa_flags) | UInt32(IFA_F_NOPREFIXROUTE))
            }
        }
    }

    /// Adds a permanent neighbour, or changes the one that is there.
    public mutating func addNeighbour(_ neighbour: Neighbour) {
        changeNeighbour(RTM_NEWNEIGH, ChangeFlags.replace, "add", neighbour)
    }

    /// Removes a neighbour.
    public mutating func removeNeighbour(_ neighbour: Neighbour) {
        changeNeighbour(RTM_DELNEIGH, ChangeFlags.change, "remove", neighbour)
    }

    private mutating func changeNeighbour(_ type: Int, _ flags: Int32, _ verb: String, _ neighbour: Neighbour) {
        append(type, flags, "\(verb) the neighbour \(neighbour)") { message in
            var header = ndmsg()
            header.ndm_family = family(of: neighbour.address)
            header.ndm_ifindex = Int32(bitPattern: neighbour.interface.number)
            header.ndm_state = UInt16(NUD_PERMANENT)
            message.put(structure: header)
            message.put(NDA_DST, neighbour.address)
            if let address = neighbour.hardwareAddress { message.put(NDA_LLADDR, address) }
        }
    }

    /// Adds a route, which must not be there yet.
    public mutating func addRoute(_ route: KernelRoute) {
        changeRoute(RTM_NEWROUTE, ChangeFlags.create, "add", route)
    }

    /// Adds a route, in the place of the one to the same prefix if there is one.
    public mutating func replaceRoute(_ route: KernelRoute) {
        changeRoute(RTM_NEWROUTE, ChangeFlags.replace, "set", route)
    }

    /// Removes a route.
    public mutating func removeRoute(_ route: KernelRoute) {
        changeRoute(RTM_DELROUTE, ChangeFlags.change, "remove", route)
    }

    private mutating func changeRoute(_ type: Int, _ flags: Int32, _ verb: String, _ route: KernelRoute) {
        append(type, flags, "\(verb) the route to \(route)") { message in
            var header = rtmsg()
            header.rtm_family = family(of: route.destination.address)
            header.rtm_dst_len = UInt8(route.destination.length)
            header.rtm_table = UInt8(route.isLocal ? RT_TABLE_LOCAL.rawValue : RT_TABLE_MAIN.rawValue)
            if type == RTM_NEWROUTE {
                header.rtm_protocol = UInt8(RTPROT_STATIC)
                header.rtm_type = UInt8(route.isLocal ? RTN_LOCAL : RTN_UNICAST)
            }
            header.rtm_scope = scope(of: route, isNew: type == RTM_NEWROUTE)
            message.put(structure: header)
            message.put(Int(RTA_DST.rawValue), route.destination.address)
            if let gateway = route.gateway.map({ route.gatewayAttribute($0) }) {
                message.put(gateway.type, octets: gateway.octets)
            }
            if let interface = route.interface { message.put(Int(RTA_OIF.rawValue), interface.number) }
            if let metric = route.metric { message.put(Int(RTA_PRIORITY.rawValue), metric) }
            if !route.nextHops.isEmpty { message.put(Int(RTA_MULTIPATH.rawValue), octets: route.nextHopOctets) }
        }
    }

    mutating func askForAddresses() {
        append(RTM_GETADDR, NLM_F_DUMP, "list the addresses") { $0.put(structure: ifaddrmsg()) }
    }

    mutating func askForNeighbours() {
        append(RTM_GETNEIGH, NLM_F_DUMP, "list the neighbours") { $0.put(structure: ndmsg()) }
    }

    mutating func askForRoutes() {
        append(RTM_GETROUTE, NLM_F_DUMP, "list the routes") { $0.put(structure: rtmsg()) }
    }
}
