import CMnl
public import Wire

/// How a program is attached to an interface.
public enum XDPMode: String, Sendable {
    /// In the driver, before the kernel has made a packet of the frame.
    case native
    /// In the kernel, behind it: works with any driver, and is no fast path.
    case generic
    /// On the card itself.
    case offloaded
    /// Several at once.
    case several

    init?(attached number: UInt8) {
        switch Int(number) {
        case XDP_ATTACHED_DRV: self = .native
        case XDP_ATTACHED_SKB: self = .generic
        case XDP_ATTACHED_HW: self = .offloaded
        case XDP_ATTACHED_MULTI: self = .several
        default: return nil
        }
    }
}

/// What the kernel says of a link.
public struct LinkState: Equatable, Sendable {
    public var index = InterfaceIndex(0)
    public var name = ""
    /// The kind of driver, such as `veth` or `bridge`; empty where there is hardware behind it.
    public var kind = ""
    public var mtu: UInt32 = 0
    /// Whether it was set up, which is not yet whether it carries anything.
    public var isUp = false
    /// Whether the other side is there.
    public var hasCarrier = false
    public var operationalState = OperationalState.unknown
    public var address: MACAddress?
    /// The mark of whoever made it.
    public var alias = ""
    /// A veth's other end, by its index in its own namespace.
    public var peer: InterfaceIndex?
    /// What the link is made on, such as a VLAN's card, by its index in this namespace.
    public var lower: InterfaceIndex?
    /// The bridge, bond or routing domain that the link is a port of.
    public var controller: InterfaceIndex?
    public var program: AttachedProgram?
    public var counters = LinkCounters()

    /// RFC 2863 §3.1.14, as the kernel numbers it.
    public enum OperationalState: UInt8, Sendable {
        case unknown, notPresent, down, lowerLayerDown, testing, dormant, up
    }

    /// The XDP program that an interface runs.
    public struct AttachedProgram: Equatable, Sendable {
        public var mode: XDPMode
        public var identifier: UInt32
    }
}

/// How many packets and octets a link has carried, and not carried.
public struct LinkCounters: Equatable, Sendable {
    public var receivedPackets: UInt64 = 0
    public var sentPackets: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var receiveDrops: UInt64 = 0
    public var sendDrops: UInt64 = 0
}

extension LinkState {
    init(_ message: UnsafePointer<nlmsghdr>) {
        let structureSize = MemoryLayout<ifinfomsg>.size
        guard Int(message.pointee.nlmsg_len) >= MemoryLayout<nlmsghdr>.size + structureSize,
            let header = mnl_nlmsg_get_payload(message)?.loadUnaligned(as: ifinfomsg.self)
        else { return }
        index = InterfaceIndex(UInt32(bitPattern: header.ifi_index))
        isUp = header.ifi_flags & UInt32(IFF_UP.rawValue) != 0
        hasCarrier = header.ifi_flags & UInt32(IFF_LOWER_UP.rawValue) != 0
        var link: InterfaceIndex?
        var isLinkElsewhere = false
        NetlinkAttributes(of: message, after: structureSize).forEach { type, attribute in
            switch type {
            case IFLA_IFNAME: name = attribute.text
            case IFLA_MTU: mtu = attribute.number(UInt32.self)
            case IFLA_ADDRESS: address = attribute.hardwareAddress
            case IFLA_IFALIAS: alias = attribute.text
            case IFLA_OPERSTATE: operationalState = .init(rawValue: attribute.number(UInt8.self)) ?? .unknown
            case IFLA_LINK: link = InterfaceIndex(attribute.number(UInt32.self))
            case IFLA_LINK_NETNSID: isLinkElsewhere = true
            case IFLA_MASTER: controller = InterfaceIndex(attribute.number(UInt32.self))
            case IFLA_LINKINFO: attribute.forEach { if $0 == IFLA_INFO_KIND { kind = $1.text } }
            case IFLA_XDP: program = AttachedProgram(attribute)
            case IFLA_STATS64: counters = LinkCounters(attribute)
            default: break
            }
        }
        peer = kind == "veth" ? link : nil
        lower = kind == "veth" || isLinkElsewhere ? nil : link
    }
}

extension LinkState.AttachedProgram {
    fileprivate init?(_ attributes: NetlinkAttributes) {
        var mode: XDPMode?
        var identifier: UInt32 = 0
        attributes.forEach { type, attribute in
            switch type {
            case IFLA_XDP_ATTACHED: mode = XDPMode(attached: attribute.number(UInt8.self))
            case IFLA_XDP_PROG_ID: identifier = attribute.number(UInt32.self)
            default: break
            }
        }
        guard let mode else { return nil }
        self.init(mode: mode, identifier: identifier)
    }
}

extension LinkCounters {
    fileprivate init(_ attribute: NetlinkAttributes) {
        guard attribute.octets.count >= MemoryLayout<rtnl_link_stats64>.size else { return }
        let statistics = attribute.octets.loadUnaligned(as: rtnl_link_stats64.self)
        receivedPackets = statistics.rx_packets
        sentPackets = statistics.tx_packets
        receivedBytes = statistics.rx_bytes
        sentBytes = statistics.tx_bytes
        receiveDrops = statistics.rx_dropped
        sendDrops = statistics.tx_dropped
    }
}
