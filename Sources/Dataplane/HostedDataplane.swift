public import Basics
public import Telemetry
public import Wire

/// A node's data plane as its host tells it what the node wants, and what the kernel knows of ports and neighbours.
///
/// A change for which a map has no room is passed over: the kernel and the node carry those packets.
public struct HostedDataplane<Maps: DataplaneMaps & ~Copyable>: ~Copyable {
    public var control: DataplaneControl<Maps>
    private var random: SeededRandom
    /// The tunnels that are open, as they were written.
    private var tunnels: ContiguousArray<(id: TunnelID, value: DataplaneTunnel)> = []

    /// Takes over the maps of a program that was just loaded.
    public init(_ maps: consuming Maps, random: SeededRandom) throws(DataplaneError) {
        var random = random
        var control = try DataplaneControl(maps)
        try control.apply(.setSeed(random.next()))
        self.control = control
        self.random = random
    }

    /// Makes a port known; what arrives from a site's own network is not policed.
    public mutating func addPort(
        _ port: DataplanePort, hardware: MACAddress, isWAN: Bool
    ) throws(DataplaneError) {
        try apply(.setPort(port, role: isWAN ? .wan : [.lan, .trusted], address: hardware))
    }

    /// Packets for a prefix go out of a port to their destination itself.
    public mutating func addRoute(to prefix: IPPrefix, on port: DataplanePort) throws(DataplaneError) {
        try apply(.setRoute(prefix, .port(port)))
    }

    /// A neighbour has said where it is, or is no longer there.
    public mutating func setNeighbor(
        _ address: IPAddress, on port: DataplanePort, to neighbor: DataplaneNeighbor?
    ) throws(DataplaneError) {
        if let neighbor {
            try apply(.setNeighbor(address, on: port, neighbor))
        } else {
            try apply(.removeNeighbor(address, on: port))
        }
    }

    /// Lets packets of steered flows into a tunnel; both addresses are of one family.
    public mutating func open(
        _ id: TunnelID, from local: IPAddress, to remote: IPAddress, over port: DataplanePort,
        through gateway: IPAddress?,
        mtu: Int
    ) throws(DataplaneError) {
        var tunnel = DataplaneTunnel(
            from: local, to: remote, on: port, nextHop: gateway ?? remote,
            firstSequence: UInt32(truncatingIfNeeded: random.next()))
        tunnel.maximumPacketByteCount = mtu
        tunnels.removeAll { $0.id == id }
        tunnels.append((id, tunnel))
        try apply(.setTunnel(id, tunnel))
    }

    /// Has packets of flows that were steered into the tunnel go to the node again.
    public mutating func close(_ id: TunnelID) throws(DataplaneError) {
        tunnels.removeAll { $0.id == id }
        try apply(.removeTunnel(id))
    }

    /// Has longer outer packets go to the kernel, which tells their senders.
    public mutating func limitTunnels(to mtu: Int) throws(DataplaneError) {
        for place in tunnels.indices where tunnels[place].value.maximumPacketByteCount > mtu {
            tunnels[place].value.maximumPacketByteCount = mtu
            try apply(.setTunnel(tunnels[place].id, tunnels[place].value))
        }
    }

    /// Puts a flow's packets into a tunnel.
    public mutating func steer(_ flow: FiveTuple, into tunnel: TunnelID) throws(DataplaneError) {
        try apply(.steer(flow, .tunnel(tunnel)))
    }

    /// Has a flow's packets go to the node again.
    public mutating func release(_ flow: FiveTuple) throws(DataplaneError) {
        try apply(.unsteer(flow))
    }

    private mutating func apply(_ change: DataplaneChange) throws(DataplaneError) {
        do throws(DataplaneError) {
            try control.apply(change)
        } catch {
            switch error {
            case .full, .tooManyTunnels: break
            default: throw error
            }
        }
    }
}
