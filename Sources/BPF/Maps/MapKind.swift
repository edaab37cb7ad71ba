/// The kinds of maps that a program may use (`enum bpf_map_type`).
///
/// A per-CPU map holds one value a key, since one processor runs programs. A map that forgets gives up
/// exactly the key unused for longest, and only when it is full; Linux gives up many at a time and early,
/// so that results agree only where such a map never comes near its end.
public enum MapKind: UInt32, Sendable, CaseIterable {
    case hash = 1
    case array = 2
    case programArray = 3
    case perCPUHash = 5
    case perCPUArray = 6
    case recentHash = 9
    case perCPURecentHash = 10
    case prefixes = 11
    case devices = 14
    case devicesHash = 25
    case ring = 27

    /// Whether keys are indices from 0 on.
    var isIndexed: Bool {
        switch self {
        case .array, .perCPUArray, .programArray, .devices: true
        default: false
        }
    }

    /// Whether keys are found by their hash.
    var isHashed: Bool {
        switch self {
        case .hash, .perCPUHash, .recentHash, .perCPURecentHash, .devicesHash: true
        default: false
        }
    }

    /// Whether the key unused for longest makes room for a new one.
    var forgets: Bool { self == .recentHash || self == .perCPURecentHash }

    var holdsDevices: Bool { self == .devices || self == .devicesHash }
}

/// What an update asks of the key it writes.
public enum MapUpdate: UInt64, Sendable {
    case any = 0
    case onlyIfAbsent = 1
    case onlyIfPresent = 2
}
