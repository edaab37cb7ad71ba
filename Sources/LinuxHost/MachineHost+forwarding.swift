import Basics
import Dataplane
import LinuxSystem
import Machine
public import Wire

extension MachineHost where Machine: ~Copyable {
    mutating func program(_ change: ForwardingChange) throws(HostError) {
        switch change {
        case .install(let prefix):
            guard let interface = overlay?.interface else { return }
            routeChanges.addRoute(KernelRoute(to: prefix, on: interface))
        case .withdraw(let prefix):
            guard let interface = overlay?.interface else { return }
            routeChanges.removeRoute(KernelRoute(to: prefix, on: interface))
        case .route(let prefix, let port, let gateway):
            let interface = ports[Int(port.rawValue)].interface
            routeChanges.replaceRoute(learnedRoute(to: prefix, through: gateway, on: interface))
        case .spread(let prefix, let range):
            let hops = outbox.routerHops(range).map { hop in
                KernelRoute.NextHop(through: hop.gateway, on: ports[Int(hop.port.rawValue)].interface)
            }
            routeChanges.replaceRoute(KernelRoute(to: prefix, over: hops, metric: learnedMetric))
        case .unroute(let prefix):
            routeChanges.removeRoute(learnedRoute(to: prefix))
        case .open(let tunnel, let port, let remote): open(tunnel, over: Int(port.rawValue), to: remote)
        case .close(let tunnel): tell { plane throws(DataplaneError) in try plane.close(tunnel) }
        case .steer(let flow, let tunnel): tell { plane throws(DataplaneError) in try plane.steer(flow, into: tunnel) }
        case .release(let flow): tell { plane throws(DataplaneError) in try plane.release(flow) }
        }
    }

    /// That of the routes that neighbours have told: no other program is known to use it.
    ///
    /// It is above those of routes that come by themselves or by hand: what leads somewhere already goes on to.
    private var learnedMetric: UInt32 { 1_790 }

    /// A route that a neighbour has told, of which there is one to a prefix: its metric tells it from all others.
    private func learnedRoute(
        to prefix: IPPrefix, through gateway: IPAddress? = nil, on interface: InterfaceIndex? = nil
    ) -> KernelRoute {
        KernelRoute(to: prefix, through: gateway, on: interface, metric: learnedMetric)
    }

    /// Has the kernel change its routes, all in one call.
    mutating func changeRoutes() {
        guard routeChanges.count > 0 else { return }
        do throws(SystemError) {
            try routes.commit(routeChanges)
        } catch {
            // A peer may announce what is routed otherwise already, and that stays.
            counters.refusedRoutes += 1
        }
        routeChanges = NetlinkBatch()
    }

    /// The prefixes that the kernel routes to the overlay interface, in order.
    public mutating func routedPrefixes() throws(HostError) -> [IPPrefix] {
        guard let interface = overlay?.interface else { return [] }
        do throws(SystemError) {
            return try routes.routes().filter { $0.interface == interface }.map(\.destination).sorted()
        } catch {
            throw .system(error)
        }
    }
}
