import Glibc
import LinuxSystem

// Gives back what a journal speaks of.
//
// It does not undo one change after the other but makes what is there equal to what was there, and looks first: so it
// may be run by the node itself, after it was killed at any step, or twice.

/// Makes this machine's interfaces and parameters what a journal says that they were.
struct RealRestorer {
    private let records: [RealRecord]
    private(set) var failures: [String] = []
    /// In words.
    private(set) var restored: [String] = []

    init(_ records: [RealRecord]) {
        self.records = records
    }

    mutating func restore() {
        let interfaces = records.compactMap { if case .interface(let saved) = $0 { saved } else { nil } }
        do throws(SystemError) {
            var routes = try RouteSocket()
            var present: [SavedInterface] = []
            for saved in interfaces {
                // Another card under the name, or none, has nothing of ours.
                guard let link = try routes.link(.named(saved.name)), link.index == saved.interface else { continue }
                present.append(saved)
            }
            for saved in present { clear(saved, &routes) }
            restoreParameters()
            for saved in present { restoreLink(saved, &routes) }
            for saved in present { restoreAddresses(saved, &routes) }
            restoreRoutes(present, &routes)
        } catch {
            failures.append("\(error)")
        }
    }

    /// Takes off what was not there.
    private mutating func clear(_ saved: SavedInterface, _ routes: inout RouteSocket) {
        attempt { () throws(SystemError) in
            for route in try Self.routes(by: saved, &routes) where !saved.routes.contains(route) {
                try Self.unlessGone { () throws(SystemError) in try routes.change { $0.removeRoute(route) } }
            }
            let wanted = saved.presentAddresses
            let present = try Self.addresses(of: saved, &routes)
            let families = [true, false].filter { isIPv4 in
                !Self.areSame(present.filter { $0.isIPv4 == isIPv4 }, wanted.filter { $0.isIPv4 == isIPv4 })
            }
            // An order can only be had by adding all anew; what the kernel makes for the link stays.
            for address in present where families.contains(address.isIPv4) {
                if address.isLinkLocal, wanted.contains(where: { $0.isSame(as: address) }) { continue }
                try Self.unlessGone { () throws(SystemError) in try routes.change { $0.removeAddress(address) } }
            }
        }
    }

    private mutating func restoreParameters() {
        let parameters = records.compactMap { record -> (name: String, former: String)? in
            if case .parameter(let name, let former) = record { (name, former) } else { nil }
        }
        // In the order in which they were set: one for all interfaces comes before those of each. But whether routers
        // are believed comes last: whenever an interface is told to forward, the routes of those who are not go.
        let isLast = { (name: String) in name.hasSuffix("/accept_ra") }
        for (name, former) in parameters.filter({ !isLast($0.name) }) + parameters.filter({ isLast($0.name) }) {
            let isDone = attempt { () throws(SystemError) in
                guard let value = try KernelParameters.value(of: name), value != former else { return }
                try KernelParameters.set(name, to: former)
            }
            if isDone { restored.append("\(name) = \(former)") }
        }
    }

    private mutating func restoreLink(_ saved: SavedInterface, _ routes: inout RouteSocket) {
        let isDone = attempt { () throws(SystemError) in
            let link = try routes.existingLink(.index(saved.interface))
            if link.mtu != saved.mtu || link.isUp != saved.isUp {
                try routes.change { batch in
                    batch.changeLink(.index(saved.interface), LinkChange(isUp: saved.isUp, mtu: saved.mtu))
                }
            }
            if let wanted = saved.largeReceive, try routes.isOn(.largeReceive, of: saved.name) != wanted {
                try routes.set(.largeReceive, of: saved.name, to: wanted)
            }
        }
        if isDone { restored.append("interface \(saved.name)") }
    }

    private mutating func restoreAddresses(_ saved: SavedInterface, _ routes: inout RouteSocket) {
        attempt { () throws(SystemError) in
            let present = try Self.addresses(of: saved, &routes)
            let missing = saved.presentAddresses.filter { wanted in
                !present.contains { $0.isSame(as: wanted) }
            }
            // The kernel lists the latest of IPv6 first.
            for address in missing.filter(\.isIPv4) + missing.filter({ !$0.isIPv4 }).reversed() {
                try Self.unlessThere { () throws(SystemError) in try routes.change { $0.addAddress(address) } }
            }
        }
    }

    /// Those by a link that come by themselves are there by now; those by others need them.
    private mutating func restoreRoutes(_ saved: [SavedInterface], _ routes: inout RouteSocket) {
        for interface in saved where !interface.isUp {
            // The kernel keeps no routes by what is down.
            attempt { () throws(SystemError) in
                for route in try Self.routes(by: interface, &routes) where !interface.routes.contains(route) {
                    try Self.unlessGone { () throws(SystemError) in try routes.change { $0.removeRoute(route) } }
                }
            }
        }
        var wanted: [SavedRoute] = []
        for route in saved.flatMap(\.presentRoutes) where !wanted.contains(route) { wanted.append(route) }
        for route in wanted.filter({ !$0.hasGateway }) + wanted.filter(\.hasGateway) {
            attempt { () throws(SystemError) in
                guard try !routes.savedRoutes().contains(route) else { return }
                try Self.unlessThere { () throws(SystemError) in try routes.change { $0.addRoute(route) } }
            }
        }
        for interface in saved {
            attempt { () throws(SystemError) in
                for route in try Self.routes(by: interface, &routes) where !wanted.contains(route) {
                    try Self.unlessGone { () throws(SystemError) in try routes.change { $0.removeRoute(route) } }
                }
            }
        }
    }

    private static func routes(
        by saved: SavedInterface, _ routes: inout RouteSocket
    ) throws(SystemError) -> [SavedRoute] {
        try routes.savedRoutes().filter { !$0.isOfLocalTable && $0.interfaces.contains(saved.interface) }
    }

    private static func addresses(
        of saved: SavedInterface, _ routes: inout RouteSocket
    ) throws(SystemError) -> [SavedAddress] {
        try routes.savedAddresses().filter { $0.interface == saved.interface }
    }

    private static func areSame(_ left: [SavedAddress], _ right: [SavedAddress]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    }

    /// False where it failed, which is kept.
    @discardableResult
    private mutating func attempt(_ body: () throws(SystemError) -> Void) -> Bool {
        do throws(SystemError) {
            try body()
            return true
        } catch {
            failures.append("\(error)")
            return false
        }
    }

    private static func unlessGone(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch  where [ESRCH, ENODEV, EADDRNOTAVAIL].contains(error.number) {}
    }

    private static func unlessThere(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) { try body() } catch  where error.number == EEXIST {}
    }
}
