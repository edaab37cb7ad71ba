import CMnl
public import Wire

/// An address of an interface, with the length of the prefix that is reached directly.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    public var interface: InterfaceIndex
    public var address: IPAddress
    public var prefixLength: UInt8

    public init(_ address: IPAddress, prefixLength: UInt8, on interface: InterfaceIndex) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
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

/// A route of the main table.
public struct KernelRoute: Hashable, Sendable, CustomStringConvertible {
    public var destination: IPPrefix
    public var gateway: IPAddress?
    public var interface: InterfaceIndex?
    public var metric: UInt32?

    public init(
        to destination: IPPrefix, through gateway: IPAddress? = nil, on interface: InterfaceIndex? = nil,
        metric: UInt32? = nil
    ) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
        self.metric = metric
    }

    public var description: String {
        "\(destination)" + (gateway.map { " through \($0)" } ?? "") + (interface.map { " on \($0)" } ?? "")
    }
}

private func family(of address: IPAddress) -> UInt8 {
    UInt8(address.isIPv4 ? AF_INET : AF_INET6)
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

    /// Adds a route to the main table.
    public mutating func addRoute(_ route: KernelRoute) {
        changeRoute(RTM_NEWROUTE, ChangeFlags.create, "add", route)
    }

    /// Removes a route from the main table.
    public mutating func removeRoute(_ route: KernelRoute) {
        changeRoute(RTM_DELROUTE, ChangeFlags.change, "remove", route)
    }

    private mutating func changeRoute(_ type: Int, _ flags: Int32, _ verb: String, _ route: KernelRoute) {
        append(type, flags, "\(verb) the route to \(route)") { message in
            var header = rtmsg()
            header.rtm_family = family(of: route.destination.address)
            header.rtm_dst_len = UInt8(route.destination.length)
            header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
            if type == RTM_NEWROUTE {
                header.rtm_protocol = UInt8(RTPROT_STATIC)
                header.rtm_type = UInt8(RTN_UNICAST)
            }
            let isDirect = route.gateway == nil && route.destination.isIPv4
            header.rtm_scope = UInt8(isDirect ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
            message.put(structure: header)
            message.put(Int(RTA_DST.rawValue), route.destination.address)
            if let gateway = route.gateway { message.put(Int(RTA_GATEWAY.rawValue), gateway) }
            if let interface = route.interface { message.put(Int(RTA_OIF.rawValue), interface.number) }
            if let metric = route.metric { message.put(Int(RTA_PRIORITY.rawValue), metric) }
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
