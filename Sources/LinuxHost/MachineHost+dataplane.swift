import Basics
public import Dataplane
public import LinuxSystem
import Machine
public import Telemetry
import Wire

/// A node's data plane in the kernel, on all ports; it comes off them when this value goes.
struct AttachedDataplane: ~Copyable {
    let plane: KernelDataplane
    let attachments: Slab<XDPAttachment>
    var hosted: HostedDataplane<KernelDataplaneMaps>
}

extension HostConfiguration {
    /// Hands the kernel the program, which it takes a tenth of a second to verify; nil where none is used.
    public func loadDataplane() throws(HostError) -> KernelDataplane? {
        guard usesDataplane else { return nil }
        return try hosted { () throws(SystemError) in try KernelDataplane(sizes: [(.flows, dataplaneFlowCount)]) }
    }
}

extension MachineHost where Machine: ~Copyable {
    /// The data plane on all ports, loaded now if it has not been before; none where none is used.
    static func makeDataplane(
        _ configuration: HostConfiguration, _ ports: [PortState], _ loaded: consuming KernelDataplane?
    ) throws(HostError) -> Slab<AttachedDataplane> {
        var made = Slab<AttachedDataplane>()
        if let plane = consume loaded {
            made.append(try attached(plane, configuration, ports))
        } else if let plane = try configuration.loadDataplane() {
            made.append(try attached(plane, configuration, ports))
        }
        return made
    }

    /// Tells the program what is known, and puts it on every port.
    private static func attached(
        _ plane: consuming KernelDataplane, _ configuration: HostConfiguration, _ ports: [PortState]
    ) throws(HostError) -> AttachedDataplane {
        let maps = try hosted { () throws(SystemError) in try plane.maps(in: NetworkNamespace.current()) }
        let told = try describe(ports, maps, configuration.random)
        let attachments = try attach(
            plane.program, to: ports, allowing: configuration.allowsGenericDataplane ? .genericIfRefused : .nativeOnly)
        return AttachedDataplane(plane: plane, attachments: attachments, hosted: told)
    }

    /// Tells a data plane of the ports, before it sees the first packet.
    private static func describe(
        _ ports: [PortState], _ maps: consuming KernelDataplaneMaps, _ random: SeededRandom
    ) throws(HostError) -> HostedDataplane<KernelDataplaneMaps> {
        do throws(DataplaneError) {
            var plane = try HostedDataplane(maps, random: random)
            for port in ports {
                try plane.addPort(port.dataplanePort, hardware: port.hardware, isWAN: port.configuration.role == .wan)
                for prefix in port.configuration.reachable { try plane.addRoute(to: prefix, on: port.dataplanePort) }
            }
            return plane
        } catch {
            throw .dataplane(error)
        }
    }

    private static func attach(
        _ program: borrowing KernelProgram, to ports: [PortState], allowing modes: XDPAttachment.AllowedModes
    ) throws(HostError) -> Slab<XDPAttachment> {
        do throws(SystemError) {
            let namespace = try NetworkNamespace.current()
            var attachments = Slab<XDPAttachment>()
            for port in ports {
                attachments.append(try XDPAttachment(program, to: port.interface, in: namespace, allowing: modes))
            }
            return attachments
        } catch {
            throw .system(error)
        }
    }

    /// Carries a change out, as far as the kernel lets it.
    mutating func tell(
        _ change: (inout HostedDataplane<KernelDataplaneMaps>) throws(DataplaneError) -> Void
    ) {
        guard dataplane.count > 0 else { return }
        do throws(DataplaneError) {
            try change(&dataplane[0].hosted)
        } catch {
            counters.refusedDataplaneChanges += 1
        }
    }

    mutating func open(_ tunnel: TunnelID, over place: Int, to remote: IPAddress) {
        guard dataplane.count > 0, ports.indices.contains(place) else { return }
        let port = ports[place]
        guard let local = port.configuration.addresses.first(where: { $0.isIPv4 == remote.isIPv4 }) else { return }
        let gateway = port.configuration.gateways.first { $0.isIPv4 == remote.isIPv4 }
        tell { plane throws(DataplaneError) in
            try plane.open(
                tunnel, from: local, to: remote, over: port.dataplanePort, through: gateway, mtu: port.mtu)
        }
    }

    /// Has longer outer packets go to the kernel, which tells their senders.
    mutating func limitDataplane(to mtu: Int) {
        tell { plane throws(DataplaneError) in try plane.limitTunnels(to: mtu) }
    }

    mutating func readTunnel(_ tunnel: TunnelID) {
        guard dataplane.count > 0 else { return }
        do throws(DataplaneError) {
            guard let account = try dataplane[0].hosted.control.account(of: tunnel) else { return }
            answer(.carried(tunnel, received: account.packetsReceived, expected: account.packetsExpected))
        } catch {
            counters.refusedDataplaneChanges += 1
        }
    }

    /// Tells the data plane of all neighbours that the kernel knows.
    mutating func tellNeighbours() throws(HostError) {
        guard dataplane.count > 0 else { return }
        let known: [NeighbourState]
        do throws(SystemError) {
            known = try routes.neighbourStates()
        } catch {
            throw .system(error)
        }
        for neighbour in known { tell(neighbour) }
    }

    /// Tells the data plane what the kernel has learnt of a neighbour.
    mutating func tell(_ neighbour: NeighbourState) {
        guard let port = ports.first(where: { $0.interface == neighbour.interface }) else { return }
        let way = neighbour.hardwareAddress.map {
            DataplaneNeighbor($0, from: port.hardware, maximumPacketByteCount: port.mtu)
        }
        tell { plane throws(DataplaneError) in
            try plane.setNeighbor(neighbour.address, on: port.dataplanePort, to: way)
        }
    }

    /// How the kernel says that the data plane is attached to each port, and why it is not natively; none without one.
    public var dataplaneModes: [(mode: XDPMode, reasonForGeneric: SystemError?)] {
        guard dataplane.count > 0 else { return [] }
        return (0..<dataplane[0].attachments.count).map { place in
            (dataplane[0].attachments[place].mode, dataplane[0].attachments[place].reasonForGeneric)
        }
    }

    /// What the data plane has counted; nil where there is none.
    public mutating func dataplaneCounters() throws(HostError) -> DataplaneCounters? {
        guard dataplane.count > 0 else { return nil }
        do throws(DataplaneError) {
            return try dataplane[0].hosted.control.counters()
        } catch {
            throw .dataplane(error)
        }
    }

    /// What the data plane has sent into a tunnel and received from it; nil where it is not open.
    public mutating func dataplaneAccount(of tunnel: TunnelID) throws(HostError) -> TunnelAccount? {
        guard dataplane.count > 0 else { return nil }
        do throws(DataplaneError) {
            return try dataplane[0].hosted.control.account(of: tunnel)
        } catch {
            throw .dataplane(error)
        }
    }
}
