import CMnl
public import Wire

/// What the kernel knows of a neighbour on a link.
public struct NeighbourState: Hashable, Sendable {
    public var interface: InterfaceIndex
    public var address: IPAddress
    /// Where packets to it may be sent; nil while that is not known, or is no longer.
    public var hardwareAddress: MACAddress?

    public init(interface: InterfaceIndex, address: IPAddress, hardwareAddress: MACAddress?) {
        self.interface = interface
        self.address = address
        self.hardwareAddress = hardwareAddress
    }
}

extension NeighbourState {
    /// What a message of the kernel says; `isGone` where it says that the entry was removed.
    init?(_ message: UnsafePointer<nlmsghdr>, isGone: Bool = false) {
        guard mnl_nlmsg_get_payload_len(message) >= MemoryLayout<ndmsg>.size,
            let header = mnl_nlmsg_get_payload(message)?.loadUnaligned(as: ndmsg.self)
        else { return nil }
        var address: IPAddress?
        var hardwareAddress: MACAddress?
        NetlinkAttributes(of: message, after: MemoryLayout<ndmsg>.size).forEach { type, attribute in
            switch type {
            case NDA_DST: address = attribute.address
            case NDA_LLADDR: hardwareAddress = attribute.hardwareAddress
            default: break
            }
        }
        guard let address else { return nil }
        let valid = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE
        let isKnown = !isGone && Int32(header.ndm_state) & Int32(valid) != 0
        self.init(
            interface: InterfaceIndex(UInt32(bitPattern: header.ndm_ifindex)), address: address,
            hardwareAddress: isKnown ? hardwareAddress : nil)
    }
}
