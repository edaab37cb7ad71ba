/// Why a packet went where it went; every packet counts under one of those that are verdicts.
///
/// The numbers are those of `enum patronus_cause`.
public enum DataplaneCause: UInt32, CaseIterable, Sendable, BitwiseCopyable {
    // To the kernel
    case notIP = 0
    case malformed = 1
    case multicast = 2
    case neighborDiscovery = 3
    case control = 4
    case fragment = 5
    case options = 6
    case notAddressed = 7
    case notForwarded = 8
    case noRoute = 9
    case noTunnel = 10
    case noNeighbor = 11
    case hopLimit = 12
    case tooLong = 13
    case checksum = 14
    case slowPath = 15
    case steeredToKernel = 16
    case decapsulatedToKernel = 17
    // Dropped
    case denied = 24
    case synchronizeFloodFromSource = 25
    case synchronizeFloodToDestination = 26
    case icmpFloodFromSource = 27
    case icmpFloodToDestination = 28
    case udpFloodFromSource = 29
    case udpFloodToDestination = 30
    case tcpFloodFromSource = 31
    case tcpFloodToDestination = 32
    case otherFloodFromSource = 33
    case otherFloodToDestination = 34
    case tunnelDuplicate = 35
    case tunnelLate = 36
    case noRoom = 37
    case noPort = 38
    // Out of a port
    case encapsulated = 48
    case delivered = 49
    case forwarded = 50
    // Happenings beside a verdict
    case flowAdded = 52
    case flowRefused = 53
    case handshake = 54
    case knock = 55
    case pressure = 56
    case sampleLost = 57

    /// What became of the packet; nil for a happening.
    public var verdict: DataplaneVerdict? {
        switch rawValue {
        case ..<24: .pass
        case ..<48: .drop
        case ..<52: .redirect
        default: nil
        }
    }

    /// Whether the flood guard dropped the packet.
    public var isFlood: Bool { (25...34).contains(rawValue) }
}

/// What the program does with a packet, by the number that XDP has for it.
public enum DataplaneVerdict: UInt32, Sendable, BitwiseCopyable {
    case drop = 1
    /// To the kernel, and so to the node.
    case pass = 2
    case redirect = 4
}

/// Packets and their bytes, frames as they arrived; happenings count IP packets' bytes.
public struct DataplaneCounter: Equatable, Sendable, BitwiseCopyable {
    public var packets: UInt64 = 0
    public var bytes: UInt64 = 0

    @inlinable
    public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }
}

/// All counters of one data plane, summed over the CPUs.
public struct DataplaneCounters: Equatable, Sendable {
    private var values: [DataplaneCounter]

    /// All 0.
    public init() {
        values = Array(repeating: DataplaneCounter(), count: Self.count)
    }

    static let count = 64

    /// The counter of one cause.
    public internal(set) subscript(cause: DataplaneCause) -> DataplaneCounter {
        get { values[Int(cause.rawValue)] }
        set { values[Int(cause.rawValue)] = newValue }
    }

    /// Both together.
    public func adding(_ other: DataplaneCounters) -> DataplaneCounters {
        var sum = self
        for place in values.indices {
            sum.values[place].packets &+= other.values[place].packets
            sum.values[place].bytes &+= other.values[place].bytes
        }
        return sum
    }

    /// All packets that had one verdict.
    public func total(_ verdict: DataplaneVerdict) -> DataplaneCounter {
        var total = DataplaneCounter()
        for cause in DataplaneCause.allCases where cause.verdict == verdict {
            total.packets &+= self[cause].packets
            total.bytes &+= self[cause].bytes
        }
        return total
    }

    /// All packets that the flood guard dropped.
    public var floodDrops: UInt64 {
        DataplaneCause.allCases.reduce(0) { $0 &+ ($1.isFlood ? self[$1].packets : 0) }
    }
}
