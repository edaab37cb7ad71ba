import CMnl
public import Wire

/// How a request names a link.
public enum LinkReference: Hashable, Sendable, CustomStringConvertible {
    case index(InterfaceIndex)
    case named(String)

    public var description: String {
        switch self {
        case .index(let index): "\(index)"
        case .named(let name): "interface \(name)"
        }
    }

    fileprivate var header: ifinfomsg {
        var header = ifinfomsg()
        if case .index(let index) = self { header.ifi_index = Int32(bitPattern: index.number) }
        return header
    }
}

/// One end of a veth to be made; what is left out the kernel chooses.
public struct VethEnd: Hashable, Sendable {
    public var name: String
    public var index: InterfaceIndex?
    public var mtu: UInt32?
    public var address: MACAddress?

    public init(_ name: String, index: InterfaceIndex? = nil, mtu: UInt32? = nil, address: MACAddress? = nil) {
        self.name = name
        self.index = index
        self.mtu = mtu
        self.address = address
    }

    fileprivate func put(in message: NetlinkMessage, namespace: Int32?) {
        var header = ifinfomsg()
        if let index { header.ifi_index = Int32(bitPattern: index.number) }
        message.put(structure: header)
        message.put(IFLA_IFNAME, name)
        if let namespace { message.put(IFLA_NET_NS_FD, UInt32(bitPattern: namespace)) }
        if let mtu { message.put(IFLA_MTU, mtu) }
        if let address { message.put(IFLA_ADDRESS, address) }
    }
}

/// What is to be different about a link; what is left out stays as it is.
public struct LinkChange: Hashable, Sendable {
    public var isUp: Bool?
    public var mtu: UInt32?
    public var address: MACAddress?
    public var name: String?
    /// The mark by which what made a link finds it again.
    public var alias: String?

    public init(
        isUp: Bool? = nil, mtu: UInt32? = nil, address: MACAddress? = nil, name: String? = nil, alias: String? = nil
    ) {
        self.isUp = isUp
        self.mtu = mtu
        self.address = address
        self.name = name
        self.alias = alias
    }
}

extension NetlinkBatch {
    /// Makes a veth with both ends in the socket's namespace.
    public mutating func createVeth(_ end: VethEnd, peer: VethEnd) {
        createVeth(end, peer: peer, peerNamespace: nil)
    }

    /// Makes a veth whose peer lies in another namespace, which must live until the batch was sent.
    public mutating func createVeth(_ end: VethEnd, peer: VethEnd, in namespace: borrowing NetworkNamespace) {
        createVeth(end, peer: peer, peerNamespace: namespace.number)
    }

    private mutating func createVeth(_ end: VethEnd, peer: VethEnd, peerNamespace: Int32?) {
        append(RTM_NEWLINK, ChangeFlags.create, "make the veth \(end.name) with its peer \(peer.name)") { message in
            end.put(in: message, namespace: nil)
            message.nest(IFLA_LINKINFO) {
                message.put(IFLA_INFO_KIND, "veth")
                message.nest(IFLA_INFO_DATA) {
                    message.nest(VETH_INFO_PEER) { peer.put(in: message, namespace: peerNamespace) }
                }
            }
        }
    }

    /// Deletes a link, and a veth's other end with it.
    public mutating func deleteLink(_ link: LinkReference) {
        append(RTM_DELLINK, ChangeFlags.change, "delete \(link)") { message in
            message.put(structure: link.header)
            if case .named(let name) = link { message.put(IFLA_IFNAME, name) }
        }
    }

    /// Changes a link: up or down, MTU, hardware address, mark, or the name of one that is given by index.
    public mutating func changeLink(_ link: LinkReference, _ change: LinkChange) {
        append(RTM_NEWLINK, ChangeFlags.change, "change \(link)") { message in
            var header = link.header
            if let isUp = change.isUp {
                header.ifi_change = UInt32(IFF_UP.rawValue)
                header.ifi_flags = isUp ? UInt32(IFF_UP.rawValue) : 0
            }
            message.put(structure: header)
            switch link {
            case .named(let name): message.put(IFLA_IFNAME, name)
            case .index: if let name = change.name { message.put(IFLA_IFNAME, name) }
            }
            if let mtu = change.mtu { message.put(IFLA_MTU, mtu) }
            if let address = change.address { message.put(IFLA_ADDRESS, address) }
            if let alias = change.alias { message.put(IFLA_IFALIAS, alias) }
        }
    }

    mutating func askForLink(_ link: LinkReference) {
        append(RTM_GETLINK, NLM_F_ACK, "look at \(link)") { message in
            message.put(structure: link.header)
            if case .named(let name) = link { message.put(IFLA_IFNAME, name) }
        }
    }

    mutating func askForLinks() {
        append(RTM_GETLINK, NLM_F_DUMP, "list the links") { $0.put(structure: ifinfomsg()) }
    }
}
