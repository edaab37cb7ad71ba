import Basics
import CDataplane
import Telemetry
import Wire

/// The typed view of one data plane's maps, and the only writer of those that the host owns.
public struct DataplaneControl<Maps: DataplaneMaps & ~Copyable>: ~Copyable {
    public var maps: Maps
    private var configuration = patronus_configuration()
    /// Which places in the arrays of accounts are taken.
    private var slotTaken: [Bool]
    /// The tunnels that are set, in order, and their places in the arrays of accounts.
    private(set) var tunnels: [(number: UInt32, slot: UInt32)] = []
    /// The lists that each prefix is on.
    private var rules: [IPPrefix: UInt32] = [:]  // not iterated

    /// Takes over the maps of a program that was just loaded, and switches the flood guard on.
    public init(_ maps: consuming Maps, limits: FloodGuardLimits = FloodGuardLimits()) throws(DataplaneError) {
        self.maps = maps
        slotTaken = Array(repeating: false, count: PATRONUS_TUNNEL_COUNT)
        limits.write(to: &configuration)
        configuration.generation = 1
        configuration.steering_generation = 1
        try writeConfiguration()
    }

    /// Carries a change out.
    public mutating func apply(_ change: DataplaneChange) throws(DataplaneError) {
        switch change {
        case .setPort(let port, let role, let address): try setPort(port, role, address)
        case .list(let prefix, let list): try setRule(prefix, list, isListed: true)
        case .unlist(let prefix, let list): try setRule(prefix, list, isListed: false)
        case .setRoute(let prefix, let route): try setRoute(prefix, route)
        case .removeRoute(let prefix): try setRoute(prefix, nil)
        case .setNeighbor(let address, let port, let neighbor): try setNeighbor(address, port, neighbor)
        case .removeNeighbor(let address, let port):
            try maps.erase(.neighbors, key(address, port))
            try showTunnels(patronus_neighbour(), at: key(address, port))
        case .setTunnel(let number, let tunnel): try setTunnel(number, tunnel)
        case .removeTunnel(let number): try removeTunnel(number)
        case .steer(let tuple, let steering): try steer(tuple, steering)
        case .unsteer(let tuple): if try maps.erase(.steering, tuple.mapKey) { try startGeneration() }
        case .forget(let tuple): try maps.erase(.flows, tuple.ordered.mapKey)
        case .setLimits(let limits):
            limits.write(to: &configuration)
            try writeConfiguration()
        case .setSampling(let sampling):
            configuration.sample_flows = sampling.flows
            configuration.sample_drops = sampling.drops
            try writeConfiguration()
        case .setSeed(let seed):
            configuration.hash_seed = seed
            try writeConfiguration()
        case .setTime(let time):
            configuration.time = time.nanoseconds
            try writeConfiguration()
        }
    }

    private mutating func writeConfiguration() throws(DataplaneError) {
        try maps.write(.configuration, 0 as UInt32, configuration)
    }

    /// Makes all flows look again at what was decided of them.
    private mutating func startGeneration() throws(DataplaneError) {
        configuration.generation = max(1, configuration.generation &+ 1)
        try writeConfiguration()
    }

    private mutating func setPort(
        _ port: DataplanePort, _ role: DataplanePortRole, _ address: MACAddress
    ) throws(DataplaneError) {
        let value = patronus_port(address: address.octets, flags: role.rawValue, reserved: 0)
        try maps.write(.ports, port.rawValue, value)
        if role.isEmpty {
            try maps.erase(.transmitPorts, port.rawValue)
        } else {
            try maps.write(.transmitPorts, port.rawValue, port.rawValue)
        }
    }

    private mutating func setRule(
        _ prefix: IPPrefix, _ list: FirewallList, isListed: Bool
    ) throws(DataplaneError) {
        // A trie's look-up gives the longest prefix, not this one, so what is in it is kept here.
        let former = rules[prefix, default: 0]
        let lists = isListed ? former | list.bit : former & ~list.bit
        let value = patronus_rule(lists: lists)
        switch prefix {
        case .v4(let prefix) where lists == 0: try maps.erase(.rules4, prefix.key)
        case .v6(let prefix) where lists == 0: try maps.erase(.rules6, prefix.key)
        case .v4(let prefix): try maps.write(.rules4, prefix.key, value)
        case .v6(let prefix): try maps.write(.rules6, prefix.key, value)
        }
        rules[prefix] = lists == 0 ? nil : lists
        configuration.rule_count = UInt32(clamping: rules.count)
        try startGeneration()
    }

    private mutating func setRoute(_ prefix: IPPrefix, _ route: DataplaneRoute?) throws(DataplaneError) {
        switch (prefix, route) {
        case (.v4(let prefix), let route?): try maps.write(.routes4, prefix.key, route.value)
        case (.v6(let prefix), let route?): try maps.write(.routes6, prefix.key, route.value)
        case (.v4(let prefix), nil): try maps.erase(.routes4, prefix.key)
        case (.v6(let prefix), nil): try maps.erase(.routes6, prefix.key)
        }
        try startGeneration()
    }

    private func key(_ address: IPAddress, _ port: DataplanePort) -> patronus_neighbour_key {
        patronus_neighbour_key(address: address.words, port: port.rawValue, family: UInt32(address.family))
    }

    private mutating func setNeighbor(
        _ address: IPAddress, _ port: DataplanePort, _ neighbor: DataplaneNeighbor
    ) throws(DataplaneError) {
        let value = patronus_neighbour(
            destination: neighbor.address.octets, source: neighbor.source.octets,
            mtu: max(1, UInt32(clamping: neighbor.maximumPacketByteCount)))
        try maps.write(.neighbors, key(address, port), value)
        try showTunnels(value, at: key(address, port))
    }

    /// Tells tunnels of their next hop, so that a packet needs to look up one thing less.
    private mutating func showTunnels(
        _ neighbor: patronus_neighbour, at key: patronus_neighbour_key
    ) throws(DataplaneError) {
        for (number, _) in tunnels {
            guard var tunnel = try maps.fetch(.tunnels, number, like: patronus_tunnel()) else { continue }
            let hop = tunnel.next_hop
            guard hop.address == key.address, hop.port == key.port, hop.family == key.family else { continue }
            tunnel.neighbour = neighbor
            try maps.write(.tunnels, number, tunnel)
        }
    }

    /// A tunnel's value, with what is known of its next hop.
    private mutating func value(
        of tunnel: DataplaneTunnel, slot: UInt32
    ) throws(DataplaneError) -> patronus_tunnel {
        var value = tunnel.value(slot: slot)
        let neighbor = try maps.fetch(.neighbors, value.next_hop, like: patronus_neighbour())
        value.neighbour = neighbor ?? patronus_neighbour()
        return value
    }

    private mutating func setTunnel(_ number: TunnelID, _ tunnel: DataplaneTunnel) throws(DataplaneError) {
        if let former = try maps.fetch(.tunnels, number.rawValue, like: patronus_tunnel()) {
            // The accounts of a tunnel that only moves go on.
            try maps.write(.tunnels, number.rawValue, value(of: tunnel, slot: former.slot))
            return
        }
        guard let slot = slotTaken.firstIndex(of: false) else { throw .tooManyTunnels }
        let place = UInt32(slot)
        var transmission = patronus_transmission()
        transmission.sequence = UInt64(tunnel.firstSequence)
        transmission.start = transmission.sequence
        try maps.write(.transmissions, place, transmission)
        try maps.write(.receptions, place, patronus_reception())
        try maps.write(.tunnels, number.rawValue, value(of: tunnel, slot: place))
        tunnels.append((number.rawValue, place))
        tunnels.sort { $0.number < $1.number }
        slotTaken[slot] = true
    }

    private mutating func removeTunnel(_ number: TunnelID) throws(DataplaneError) {
        guard let former = try maps.fetch(.tunnels, number.rawValue, like: patronus_tunnel()) else { return }
        try maps.erase(.tunnels, number.rawValue)
        tunnels.removeAll { $0.number == number.rawValue }
        if slotTaken.indices.contains(Int(former.slot)) { slotTaken[Int(former.slot)] = false }
        try startGeneration()
    }

    private mutating func steer(_ tuple: FiveTuple, _ steering: DataplaneSteering) throws(DataplaneError) {
        let former = try maps.fetch(.steering, tuple.mapKey, like: patronus_steering())
        let value = steering.value
        if let former, former.kind == value.kind, former.target == value.target { return }
        try maps.write(.steering, tuple.mapKey, value)
        if former != nil { return try startGeneration() }
        configuration.steering_generation = max(1, configuration.steering_generation &+ 1)
        try writeConfiguration()
    }
}
