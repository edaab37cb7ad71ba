import Basics
import Dataplane
import LinuxSystem
import Machine
import Wire

/// A port, and what the kernel says of it.
struct PortState {
    let configuration: HostPort
    let interface: InterfaceIndex
    var hardware: MACAddress
    var mtu: Int
    /// Whether it is up and its other side is there.
    var isUp: Bool

    init(_ configuration: HostPort, _ link: LinkState) {
        self.configuration = configuration
        interface = link.index
        hardware = link.address ?? MACAddress(bits: 0)
        mtu = Int(link.mtu)
        isUp = link.carries
    }

    var name: String { configuration.name }
    var dataplanePort: DataplanePort { DataplanePort(interface.number) }
}

extension LinkState {
    /// Whether what is sent goes anywhere.
    fileprivate var carries: Bool { isUp && hasCarrier }
}

extension MachineHost where Machine: ~Copyable {
    static func ports(
        of configuration: HostConfiguration, _ routes: inout RouteSocket
    ) throws(HostError) -> [PortState] {
        do throws(SystemError) {
            var ports: [PortState] = []
            for port in configuration.ports {
                ports.append(PortState(port, try routes.existingLink(.named(port.name))))
            }
            return ports
        } catch {
            throw .system(error)
        }
    }

    /// Links or neighbours have changed.
    mutating func takeNews() throws(HostError) {
        var all: [RouteNews] = []
        do throws(SystemError) {
            try monitor.takeNews { all.append($0) }
        } catch {
            throw .system(error)
        }
        for news in all {
            switch news {
            case .link(let link): try changed(link.index, to: link)
            case .linkGone(let interface): try changed(interface, to: nil)
            case .neighbour(let neighbour): tell(neighbour)
            case .missed: try lookAgain()
            }
        }
    }

    /// Asks for everything that may have changed unheard.
    private mutating func lookAgain() throws(HostError) {
        for place in ports.indices {
            let interface = ports[place].interface
            let link = try hostedLink(interface)
            try changed(interface, to: link)
        }
        try tellNeighbours()
    }

    private mutating func hostedLink(_ interface: InterfaceIndex) throws(HostError) -> LinkState? {
        do throws(SystemError) {
            return try routes.link(.index(interface))
        } catch {
            throw .system(error)
        }
    }

    /// What the kernel says of a link; nil where it is gone.
    private mutating func changed(_ interface: InterfaceIndex, to link: LinkState?) throws(HostError) {
        guard let place = ports.firstIndex(where: { $0.interface == interface }) else { return }
        if let link {
            ports[place].mtu = Int(link.mtu)
            ports[place].hardware = link.address ?? ports[place].hardware
        }
        let isUp = link?.carries ?? false
        guard ports[place].isUp != isUp else { return }
        ports[place].isUp = isUp
        try handle(.portChanged(PortID(UInt16(place)), isUp: isUp), at: configuration.clock.now)
    }
}
