import Basics
import Wire

/// A neighbour on a link: who answers for an IP address (RFC 826, RFC 4861).
struct Neighbor {
    enum State: Sendable {
        /// Asked, not yet answered; packets wait.
        case incomplete
        case reachable
        /// Still used, but asked again.
        case probing
        case failed
    }

    let port: Int
    let address: IPAddress
    var hardware = MACAddress(bits: 0)
    var state = State.failed
    var attempts = 0
    var waiting: [PacketID] = []
}

/// The neighbours of one kernel and their timers.
struct NeighborTable {
    static let waitingLimit = 16
    static let attemptLimit = 3
    static let retryInterval = Interval.seconds(1)
    static let lifetime = Interval.seconds(60)

    private(set) var neighbors: ContiguousArray<Neighbor> = []
    private var index = IndexTable()
    var timers = DeadlineHeap()

    subscript(number: Int) -> Neighbor {
        _read { yield neighbors[number] }
        _modify { yield &neighbors[number] }
    }

    /// The number of a neighbour, which is entered where it is new.
    mutating func number(of address: IPAddress, on port: Int) -> Int {
        let key = Self.key(address, port)
        if let number = index[key] { return Int(number) }
        let number = neighbors.count
        neighbors.append(Neighbor(port: port, address: address))
        index[key] = UInt32(number)
        return number
    }

    func existingNumber(of address: IPAddress, on port: Int) -> Int? {
        index[Self.key(address, port)].map { Int($0) }
    }

    private static func key(_ address: IPAddress, _ port: Int) -> UInt64 {
        switch address {
        case .v4(let address):
            return UInt64(port) << 32 | UInt64(address.bits)
        case .v6(let address):
            var mixed = Fingerprint()
            mixed.fold(address.high, address.low)
            mixed.fold(UInt64(port))
            return mixed.value | 1 << 63
        }
    }
}
