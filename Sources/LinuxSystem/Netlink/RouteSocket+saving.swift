import CMnl
import Glibc
public import Wire

extension RouteSocket {
    /// All addresses, in the kernel's order, with everything that can be set of them.
    public mutating func savedAddresses() throws(SystemError) -> [SavedAddress] {
        try listed({ $0.askForAddresses() }) { SavedAddress($0) }
    }

    /// All routes of all tables, with everything that can be set of them.
    public mutating func savedRoutes() throws(SystemError) -> [SavedRoute] {
        try listed({ $0.askForRoutes() }) { SavedRoute($0) }
    }

    /// The interface by which packets to an address leave now; nil where none leads there.
    public mutating func interface(towards address: IPAddress) throws(SystemError) -> InterfaceIndex? {
        var batch = NetlinkBatch()
        batch.askForWay(to: address)
        var found: InterfaceIndex?
        do throws(SystemError) {
            try exchange(batch) { found = SavedRoute($0, includingClones: true)?.interfaces.first }
        } catch {
            if [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL].contains(error.number) { return nil }
            throw error
        }
        return found
    }
}

extension NetlinkBatch {
    /// Gives an interface an address as it was.
    public mutating func addAddress(_ address: SavedAddress) {
        append(RTM_NEWADDR, ChangeFlags.create, "add the address \(address)") {
            address.put(in: $0, withLifetime: true)
        }
    }

    /// Takes an address from an interface.
    public mutating func removeAddress(_ address: SavedAddress) {
        append(RTM_DELADDR, ChangeFlags.change, "remove the address \(address)") {
            address.put(in: $0, withLifetime: false)
        }
    }

    /// Adds a route as it was.
    public mutating func addRoute(_ route: SavedRoute) {
        append(RTM_NEWROUTE, ChangeFlags.create, "add the route \(route)") {
            route.put(in: $0, withLifetime: true)
        }
    }

    /// Removes a route.
    public mutating func removeRoute(_ route: SavedRoute) {
        append(RTM_DELROUTE, ChangeFlags.change, "remove the route \(route)") {
            route.put(in: $0, withLifetime: false)
        }
    }

    fileprivate mutating func askForWay(to address: IPAddress) {
        append(RTM_GETROUTE, NLM_F_ACK, "look for the way to \(address)") { message in
            var header = rtmsg()
            header.rtm_family = UInt8(address.isIPv4 ? AF_INET : AF_INET6)
            header.rtm_dst_len = address.isIPv4 ? 32 : 128
            message.put(structure: header)
            message.put(Int(RTA_DST.rawValue), address)
        }
    }
}
