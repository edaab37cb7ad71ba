import Glibc
import LinuxHost
import LinuxSystem
import Wire

/// Makes interfaces the ports of a plan, each thing after the journal has it.
struct RealInterfaces: ~Copyable {
    private let plan: RealPlan
    private let links: [LinkState]
    private let keepsAddresses: Bool
    private var routes: RouteSocket

    init(_ plan: RealPlan, _ links: [LinkState], keepsAddresses: Bool) throws(SystemError) {
        self.plan = plan
        self.links = links
        self.keepsAddresses = keepsAddresses
        routes = try RouteSocket()
    }

    mutating func take(_ journal: borrowing RealJournal) throws(SystemError) {
        for link in links { try journal.write(.interface(SavedInterface(link, &routes))) }
        try setParameters(journal)
        for (port, link) in zip(plan.ports, links) { try configure(port, link) }
        try addRoutes()
    }

    private mutating func setParameters(_ journal: borrowing RealJournal) throws(SystemError) {
        var wanted = plan.ports.flatMap { RealParameters.wanted(for: $0) }
        if plan.spreadsFlows { wanted += RealParameters.spreadingFlows }
        if plan.forwardsIPv6 {
            let all = try routes.links().map(\.name)
            wanted += RealParameters.forwardingIPv6(by: links.map(\.name), among: all)
        }
        var changed: [RealParameters.Parameter] = []
        for parameter in wanted {
            guard let former = try KernelParameters.value(of: parameter.name), former != parameter.value else {
                continue
            }
            // All are written down before one is set: setting one may change another.
            try journal.write(.parameter(name: parameter.name, former: former))
            changed.append(parameter)
        }
        for parameter in changed { try KernelParameters.set(parameter.name, to: parameter.value) }
    }

    private mutating func configure(_ port: RealPlan.Port, _ link: LinkState) throws(SystemError) {
        if (try? routes.isOn(.largeReceive, of: link.name)) == true {
            try routes.set(.largeReceive, of: link.name, to: false)
        }
        let mtu = link.mtu == port.mtu ? nil : port.mtu
        try routes.change { $0.changeLink(.index(link.index), LinkChange(isUp: true, mtu: mtu)) }
        guard !keepsAddresses else { return }
        let wanted = port.addresses.filter { $0.address.isIPv4 || Self.hasIPv6(link) }
        let former = try routes.savedAddresses().filter { $0.interface == link.index && !$0.isLinkLocal }
        // Before the others go: an interface without any loses its routes.
        try routes.change { batch in
            for address in wanted where !former.contains(where: { $0.address == address.address }) {
                batch.addAddress(address.onInterface(link.index))
            }
        }
        for address in former where !wanted.contains(where: { $0.address == address.address }) {
            do throws(SystemError) {
                try routes.change { $0.removeAddress(address) }
            } catch  where error.number == EADDRNOTAVAIL {
                // It went with the one that it was second to.
            }
        }
    }

    private static func hasIPv6(_ link: LinkState) -> Bool {
        ((try? KernelParameters.value(of: "ipv6/conf/\(link.name)/disable_ipv6")) ?? nil) == "0"
    }

    private mutating func addRoutes() throws(SystemError) {
        let present = try routes.addresses()
        try routes.change { batch in
            for route in plan.routes {
                let link = links[route.port]
                // A port may be without the family that its tunnels do not need.
                let isUsable = present.contains { address in
                    address.interface == link.index && address.address.isIPv4 == route.destination.isIPv4
                        && plan.ports[route.port].addresses.contains { $0.address == address.address }
                }
                guard isUsable else { continue }
                batch.addRoute(
                    KernelRoute(
                        to: route.destination, through: route.gateway, on: link.index, metric: route.metric))
            }
        }
    }
}
