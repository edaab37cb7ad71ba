import CMnl
import Glibc
import Wire

extension RouteSocket {
    /// The link of that name or index; nil where there is none.
    public mutating func link(_ reference: LinkReference) throws(SystemError) -> LinkState? {
        var batch = NetlinkBatch()
        batch.askForLink(reference)
        var found: LinkState?
        do throws(SystemError) {
            try exchange(batch) { found = LinkState($0) }
        } catch {
            if error.number == ENODEV { return nil }
            throw error
        }
        return found
    }

    /// The link of that name or index, which must be there.
    public mutating func existingLink(_ reference: LinkReference) throws(SystemError) -> LinkState {
        guard let link = try link(reference) else {
            throw .refused("look at \(reference)", number: ENODEV, explanation: "")
        }
        return link
    }

    /// Every link of the namespace, by index.
    public mutating func links() throws(SystemError) -> [LinkState] {
        try listed({ $0.askForLinks() }) { LinkState($0) }.sorted { $0.index < $1.index }
    }

    /// The addresses of every interface, or of one.
    public mutating func addresses(on interface: InterfaceIndex? = nil) throws(SystemError) -> [InterfaceAddress] {
        try listed({ $0.askForAddresses() }) { InterfaceAddress($0) }
            .filter { interface == nil || $0.interface == interface }
    }

    /// The neighbours that were set for ever.
    public mutating func neighbours(on interface: InterfaceIndex? = nil) throws(SystemError) -> [Neighbour] {
        try listed({ $0.askForNeighbours() }) { Neighbour(permanent: $0) }
            .filter { interface == nil || $0.interface == interface }
    }

    /// Every neighbour of which the kernel knows anything.
    public mutating func neighbourStates() throws(SystemError) -> [NeighbourState] {
        try listed({ $0.askForNeighbours() }) { NeighbourState($0) }
    }

    /// The unicast routes of the main table.
    public mutating func routes() throws(SystemError) -> [KernelRoute] {
        try listed({ $0.askForRoutes() }) { KernelRoute(main: $0) }
    }

    /// The rules that lead to a table, of both families.
    public mutating func rules() throws(SystemError) -> [RoutingRule] {
        try listed({ $0.askForRules() }) { RoutingRule($0) }
    }

    /// The queueing disciplines of every interface, or of one.
    public mutating func disciplines(on interface: InterfaceIndex? = nil) throws(SystemError) -> [DisciplineState] {
        try listed({ $0.askForDisciplines() }) { DisciplineState($0) }
            .filter { interface == nil || $0.interface == interface }
    }

    /// What a dump lists, asked for again while it changes under the kernel's hands.
    mutating func listed<Value>(
        _ ask: (inout NetlinkBatch) -> Void, _ parse: (UnsafePointer<nlmsghdr>) -> Value?
    ) throws(SystemError) -> [Value] {
        var batch = NetlinkBatch()
        ask(&batch)
        var attempts = 0
        while true {
            attempts += 1
            var found: [Value] = []
            do throws(SystemError) {
                try exchange(batch) { if let value = parse($0) { found.append(value) } }
                return found
            } catch {
                if error.number != EINTR || attempts == 10 { throw error }
            }
        }
    }
}

/// A message's fixed structure, if it is long enough to have one.
private func structure<Structure: BitwiseCopyable>(
    of message: UnsafePointer<nlmsghdr>, as type: Structure.Type
) -> Structure? {
    guard mnl_nlmsg_get_payload_len(message) >= MemoryLayout<Structure>.size else { return nil }
    return mnl_nlmsg_get_payload(message)?.loadUnaligned(as: type)
}

extension InterfaceAddress {
    fileprivate init?(_ message: UnsafePointer<nlmsghdr>) {
        guard let header = structure(of: message, as: ifaddrmsg.self) else { return nil }
        var local: IPAddress?
        var address: IPAddress?
        var flags: UInt32 = 0
        NetlinkAttributes(of: message, after: MemoryLayout<ifaddrmsg>.size).forEach { type, attribute in
            switch type {
            case IFA_LOCAL: local = attribute.address
            case IFA_ADDRESS: address = attribute.address
            case IFA_FLAGS: flags = attribute.number(UInt32.self)
            default: break
            }
        }
        guard let own = local ?? address else { return nil }
        self.init(
            own, prefixLength: header.ifa_prefixlen, on: InterfaceIndex(header.ifa_index),
            hasPrefixRoute: flags & UInt32(IFA_F_NOPREFIXROUTE) == 0)
    }
}

extension DisciplineState {
    fileprivate init?(_ message: UnsafePointer<nlmsghdr>) {
        guard let header = structure(of: message, as: tcmsg.self) else { return nil }
        var kind = ""
        NetlinkAttributes(of: message, after: MemoryLayout<tcmsg>.size).forEach { type, attribute in
            if type == Int(TCA_KIND) { kind = attribute.text }
        }
        self.init(
            interface: InterfaceIndex(UInt32(bitPattern: header.tcm_ifindex)), kind: kind, handle: header.tcm_handle,
            parent: header.tcm_parent)
    }
}

extension Neighbour {
    fileprivate init?(permanent message: UnsafePointer<nlmsghdr>) {
        guard let header = structure(of: message, as: ndmsg.self), header.ndm_state & UInt16(NUD_PERMANENT) != 0,
            let state = NeighbourState(message)
        else { return nil }
        self.init(state.address, at: state.hardwareAddress, on: state.interface)
    }
}

extension KernelRoute {
    fileprivate init?(main message: UnsafePointer<nlmsghdr>) {
        guard let header = structure(of: message, as: rtmsg.self), Int(header.rtm_type) == RTN_UNICAST,
            UInt32(header.rtm_table) == UInt32(RT_TABLE_MAIN.rawValue)
        else { return nil }
        let isIPv4 = header.rtm_family == UInt8(AF_INET)
        var destination: IPAddress = isIPv4 ? .v4(.any) : .v6(.any)
        var gateway: IPAddress?
        var interface: InterfaceIndex?
        var metric: UInt32?
        var nextHops: [NextHop] = []
        NetlinkAttributes(of: message, after: MemoryLayout<rtmsg>.size).forEach { type, attribute in
            switch UInt32(type) {
            case UInt32(RTA_DST.rawValue): destination = attribute.address ?? destination
            case UInt32(RTA_GATEWAY.rawValue), UInt32(RTA_VIA.rawValue): gateway = attribute.gateway(ofType: type)
            case UInt32(RTA_OIF.rawValue): interface = InterfaceIndex(attribute.number(UInt32.self))
            case UInt32(RTA_PRIORITY.rawValue): metric = attribute.number(UInt32.self)
            case UInt32(RTA_MULTIPATH.rawValue): nextHops = Self.nextHops(from: attribute.octets)
            default: break
            }
        }
        guard Int(header.rtm_dst_len) <= (isIPv4 ? 32 : 128), destination.isIPv4 == isIPv4 else { return nil }
        self.init(
            to: IPPrefix(destination, length: Int(header.rtm_dst_len)), through: gateway, on: interface, metric: metric)
        self.nextHops = nextHops
    }
}
