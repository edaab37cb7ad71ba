import LinuxSystem
import Wire

/// Looks at this machine before anything of it is changed.
struct RealChecks {
    let plan: RealPlan
    let options: RealOptions

    /// The links that the ports of the plan are to be, in order.
    func links() throws(RealError) -> [LinkState] {
        try plan.demandAllPorts()
        var routes = try inReality { () throws(SystemError) in try RouteSocket() }
        let all = try inReality { () throws(SystemError) in try routes.links() }
        let management = try inReality { () throws(SystemError) in try ManagementInterfaces(&routes, all) }
        var found: [LinkState] = []
        for port in plan.ports {
            let name = port.interface ?? ""
            guard let link = all.first(where: { $0.name == name }) else {
                throw .unknownInterface(name, all.map(\.name).filter { $0 != "lo" })
            }
            if !options.allowsManagement, let reason = management.reason(against: link.index) {
                throw .management(name, reason: reason)
            }
            if let controller = all.first(where: { $0.index == link.controller }) {
                throw .partOf(name, controller.name)
            }
            try checkProgram(port, link, routes)
            if options.keepsAddresses { try checkAddresses(port, link, &routes) }
            found.append(link)
        }
        return found
    }

    private func checkProgram(
        _ port: RealPlan.Port, _ link: LinkState, _ routes: borrowing RouteSocket
    ) throws(RealError) {
        guard plan.usesDataplane else { return }
        if link.program != nil { throw .hasProgram(link.name) }
        guard !options.allowsGeneric, let driver = try? routes.driver(of: link.name),
            let limit = Self.limits.first(where: { $0.driver == driver })?.mtu, port.mtu > limit
        else { return }
        throw .tooLargeForProgram(link.name, driver: driver, mtu: port.mtu, limit: limit)
    }

    /// The largest MTU with which drivers take a program that sees a frame in one piece.
    private static let limits: [(driver: String, mtu: UInt32)] = [
        ("virtio_net", 3_506), ("veth", 3_506), ("ena", 3_818), ("ixgbe", 3_050), ("nicvf", 1_508),
    ]

    private func checkAddresses(
        _ port: RealPlan.Port, _ link: LinkState, _ routes: inout RouteSocket
    ) throws(RealError) {
        let present: [SavedAddress]
        do throws(SystemError) { present = try routes.savedAddresses() } catch { throw RealError(error) }
        for wanted in port.addresses {
            // Tunnels run over one family: the other may be wanting.
            let isUsed = wanted.address.isIPv4 || !port.addresses.contains { $0.address.isIPv4 }
            let isThere = present.contains { $0.interface == link.index && $0.address == wanted.address }
            if isUsed, !isThere {
                throw .lacksAddress(link.name, port: port.name, address: "\(wanted.address)")
            }
        }
    }
}
