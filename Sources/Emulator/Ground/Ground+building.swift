import CLinux
import Glibc
import LinuxSystem
import Scenario
import Wire

extension Ground {
    /// Makes everything that a plan says, each thing after the journal has it; nothing stays when something is refused.
    public static func build(_ plan: GroundPlan, journal: LabJournal) throws(GroundError) -> Ground {
        try raiseDescriptorLimit(for: plan)
        return try grounded { () throws(SystemError) in
            var ground = Ground(plan, journal.lab, try makeSites(plan, journal))
            for index in plan.namespaces.indices { try ground.configure(index, journal) }
            return ground
        }
    }

    /// Whether this process may make a lab at all; nothing is left of the attempt.
    public static func checkPrivilege() throws(GroundError) {
        try grounded { () throws(SystemError) in
            let namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            try routes.change { $0.changeLink(.named("lo"), LinkChange(isUp: true)) }
        }
    }

    private static func raiseDescriptorLimit(for plan: GroundPlan) throws(GroundError) {
        let needed = plan.neededDescriptors
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(resource, &limit)
        if Int(clamping: limit.rlim_cur) >= needed { return }
        guard Int(clamping: limit.rlim_max) >= needed else {
            throw .tooManyDescriptors(needed: needed, allowed: Int(clamping: limit.rlim_max))
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }

    /// All namespaces, one after the other on one thread, each with its socket and its parameters.
    private static func makeSites(_ plan: GroundPlan, _ journal: LabJournal) throws(SystemError) -> [Site] {
        var sites: [Site] = []
        try NamespaceMaker.run { maker throws(SystemError) in
            for namespace in plan.namespaces {
                try journal.write(.namespace(namespace.name))
                let made = try maker.next()
                let number = made.number
                let site = Site(made, try RouteSocket())
                for parameter in namespace.parameters { try set(parameter, maker) }
                try journal.write(.held(namespace.name, descriptor: number, identity: site.namespace.identity))
                sites.append(site)
            }
        }
        return sites
    }

    private static func set(
        _ parameter: GroundPlan.Parameter, _ maker: borrowing NamespaceMaker
    ) throws(SystemError) {
        do throws(SystemError) {
            try maker.setParameter(parameter.name, to: parameter.value)
        } catch {
            guard parameter.isOptional, error.number == ENOENT else { throw error }
        }
    }

    /// Everything inside one namespace, in one batch: its links to namespaces behind it in order, for those to
    /// namespaces before it are there already; then marks, addresses and routes.
    private mutating func configure(_ index: Int, _ journal: LabJournal) throws(SystemError) {
        let namespace = plan.namespaces[index]
        let links = namespace.ports.filter { isMade($0, at: index) }.map { plan.links[$0.link] }
        try journal.write(links.map { .link($0.name, $0.kind) })
        for port in namespace.ports { sites[index].interfaces.append(try addTap(for: port, at: index)) }
        var batch = NetlinkBatch()
        for (number, port) in namespace.ports.enumerated() where plan.links[port.link].kind == .veth {
            if isMade(port, at: index) { createVeth(port, at: End(namespace: index, port: number), &batch) }
        }
        batch.changeLink(.named("lo"), LinkChange(isUp: true))
        for (number, port) in namespace.ports.enumerated() {
            let interface = sites[index].interfaces[number]
            batch.changeLink(
                .index(interface), LinkChange(isUp: true, alias: lab.mark(of: namespace.name, port.name)))
            for address in port.addresses { batch.addAddress(address.onInterface(interface)) }
        }
        for prefix in namespace.ownPrefixes { batch.addRoute(KernelRoute(to: prefix, on: loopback, isLocal: true)) }
        for route in namespace.routes { batch.addRoute(kernelRoute(route, at: index)) }
        try sites[index].routes.commit(batch)
    }

    private typealias End = GroundPlan.End

    /// Whether a port's link is made together with it: a veth is, with whichever of its ends comes first.
    private func isMade(_ port: GroundPlan.Port, at index: Int) -> Bool {
        let link = plan.links[port.link]
        let own = link.source(port.direction)
        let far = link.source(port.direction.opposite)
        return (own.namespace, own.port) < (far.namespace, far.port)
    }

    private func createVeth(_ port: GroundPlan.Port, at end: GroundPlan.End, _ batch: inout NetlinkBatch) {
        let far = plan.links[port.link].source(port.direction.opposite)
        batch.createVeth(
            vethEnd(port, number: end.port), peer: vethEnd(plan.port(far), number: far.port),
            in: sites[far.namespace].namespace)
    }

    private func vethEnd(_ port: GroundPlan.Port, number: Int) -> VethEnd {
        VethEnd(port.name, index: Self.vethIndex(number), mtu: port.mtu, address: port.hardwareAddress)
    }

    /// Above what the kernel gives the TAPs by itself, so that the numbers are the same in every run.
    private static func vethIndex(_ number: Int) -> InterfaceIndex {
        InterfaceIndex(UInt32(number) + 1_000)
    }

    /// Makes the TAP for an end of a wire, and keeps it for who will hold the wire; returns the port's index.
    private mutating func addTap(for port: GroundPlan.Port, at index: Int) throws(SystemError) -> InterfaceIndex {
        let number = sites[index].interfaces.count
        guard let wire = wires[port.link] else { return Self.vethIndex(number) }
        let tap = try TapDevice(
            named: port.name, in: sites[index].namespace, address: port.hardwareAddress, mtu: port.mtu,
            alias: lab.mark(of: plan.namespaces[index].name, port.name),
            // A node's program is to meet every packet by itself.
            takesJoinedSegments: plan.namespaces[index].kind != .patronus)
        let interface = tap.interface
        // A descriptor that takes its TAP along waits for the kernel each time; a namespace takes all of them at once.
        if clinux_keep_interface(tap.descriptor.number, 1) < 0 {
            let error = errno
            throw .refused("keep the TAP \(port.name)", number: error, explanation: "")
        }
        if port.direction == .forward { wire.first = consume tap } else { wire.second = consume tap }
        return interface
    }

    func kernelRoute(_ route: GroundPlan.Route, at index: Int) -> KernelRoute {
        KernelRoute(
            to: route.destination, through: route.gateway, on: sites[index].interfaces[route.port],
            metric: route.metric)
    }
}

/// Every namespace's own.
private let loopback = InterfaceIndex(1)

extension GroundPlan.Address {
    func onInterface(_ interface: InterfaceIndex) -> InterfaceAddress {
        InterfaceAddress(address, prefixLength: prefixLength, on: interface, hasPrefixRoute: isWholePrefixThere)
    }
}
