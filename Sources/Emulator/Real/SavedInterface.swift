import Glibc
import LinuxSystem

/// What an interface was before it was taken, as far as being a node's port changes it.
struct SavedInterface: Codable, Equatable {
    var name: String
    var index: UInt32
    var isUp: Bool
    var mtu: UInt32
    /// Whether the card puts packets together; nil where it cannot say.
    var largeReceive: Bool?
    /// In the kernel's order.
    var addresses: [SavedAddress]
    /// Those by the interface, and those by others that give packets one of its addresses.
    var routes: [SavedRoute]
    /// When this was so, in seconds since the machine started.
    var savedAt: UInt64

    init(_ link: LinkState, _ routes: inout RouteSocket) throws(SystemError) {
        name = link.name
        index = link.index.number
        isUp = link.isUp
        mtu = link.mtu
        largeReceive = try? routes.isOn(.largeReceive, of: link.name)
        let own = try routes.savedAddresses().filter { $0.interface == link.index }
        addresses = own
        self.routes = try routes.savedRoutes().filter { route in
            guard !route.isOfLocalTable else { return false }
            if route.interfaces.contains(link.index) { return true }
            return route.source.map { source in own.contains { $0.address == source } } ?? false
        }
        savedAt = Self.present
    }

    var interface: InterfaceIndex { InterfaceIndex(index) }

    /// Now, in the time of ``savedAt``.
    static var present: UInt64 { MonotonicClock.kernelReading() / 1_000_000_000 }

    /// In seconds.
    private var age: UInt32 { UInt32(clamping: Self.present - min(savedAt, Self.present)) }

    /// The addresses with the time that they have left.
    var presentAddresses: [SavedAddress] { addresses.compactMap { $0.aged(by: age) } }

    /// The routes with the time that they have left.
    var presentRoutes: [SavedRoute] { routes.compactMap { $0.aged(by: age) } }
}
