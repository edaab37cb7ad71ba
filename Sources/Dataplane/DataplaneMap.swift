import CDataplane

/// The maps of the program that somebody outside reads or writes; `rawValue` is the map's name.
public enum DataplaneMap: String, CaseIterable, Sendable {
    case configuration = ".data.configuration"
    case ports
    case transmitPorts = "transmit_ports"
    case counters
    case rules4
    case rules6
    case routes4
    case routes6
    case neighbors = "neighbours"
    case steering
    case flows
    case tunnels
    case transmissions
    case receptions
    case samples

    /// Its index in `allCases`, for a backend that keeps something of each.
    public var place: Int {
        switch self {
        case .configuration: 0
        case .ports: 1
        case .transmitPorts: 2
        case .counters: 3
        case .rules4: 4
        case .rules6: 5
        case .routes4: 6
        case .routes6: 7
        case .neighbors: 8
        case .steering: 9
        case .flows: 10
        case .tunnels: 11
        case .transmissions: 12
        case .receptions: 13
        case .samples: 14
        }
    }

    /// Octets of a key; 0 for the ring of samples.
    public var keySize: Int {
        switch self {
        case .rules4, .routes4: MemoryLayout<patronus_prefix4>.size
        case .rules6, .routes6: MemoryLayout<patronus_prefix6>.size
        case .neighbors: MemoryLayout<patronus_neighbour_key>.size
        case .steering, .flows: MemoryLayout<patronus_five_tuple>.size
        case .samples: 0
        case .configuration, .ports, .transmitPorts, .counters, .tunnels, .transmissions, .receptions: 4
        }
    }

    /// Octets of a value; of a per-CPU map, of one CPU's.
    public var valueSize: Int {
        switch self {
        case .configuration: MemoryLayout<patronus_configuration>.size
        case .ports: MemoryLayout<patronus_port>.size
        case .transmitPorts: 4
        case .counters: MemoryLayout<patronus_counter>.size
        case .rules4, .rules6: MemoryLayout<patronus_rule>.size
        case .routes4, .routes6: MemoryLayout<patronus_route>.size
        case .neighbors: MemoryLayout<patronus_neighbour>.size
        case .steering: MemoryLayout<patronus_steering>.size
        case .flows: MemoryLayout<patronus_flow>.size
        case .tunnels: MemoryLayout<patronus_tunnel>.size
        case .transmissions: MemoryLayout<patronus_transmission>.size
        case .receptions: MemoryLayout<patronus_reception>.size
        case .samples: 0
        }
    }

    /// Whether each CPU has values of its own.
    public var isPerProcessor: Bool { self == .counters }
}
