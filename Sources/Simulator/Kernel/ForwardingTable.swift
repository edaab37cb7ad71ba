import Basics
import Wire

/// Where a packet goes next.
enum NextHop: Equatable, Sendable {
    /// To this kernel itself.
    case local
    /// Out of a port, to a gateway or, with nil, to the destination itself.
    case port(Int, gateway: IPAddress?)
    /// Out of one of several ports to a gateway, by flow: the set's number in ``ForwardingTable/groups``.
    case spread(Int)
    /// To the machine, by the overlay interface.
    case overlay
}

/// The routes of one kernel, looked up by longest prefix.
struct ForwardingTable {
    private var routes4 = PrefixTrie<UInt32, NextHop>()
    private var routes6 = PrefixTrie<UInt128, NextHop>()
    /// What the machine has routed through routers.
    private var learned = PrefixSet()
    /// The hops of routes that have several.
    private(set) var groups = HopGroups()
    /// Grows with every change, so that what was cached can tell that it is old.
    private(set) var generation: UInt32 = 1

    mutating func insert(_ prefix: IPPrefix, _ nextHop: NextHop) {
        generation &+= 1
        releaseGroup(of: prefix)
        switch prefix {
        case .v4(let prefix): routes4.insert(prefix.address.bits, length: Int(prefix.length), value: nextHop)
        case .v6(let prefix): routes6.insert(prefix.address.bits, length: Int(prefix.length), value: nextHop)
        }
    }

    mutating func remove(_ prefix: IPPrefix) {
        generation &+= 1
        releaseGroup(of: prefix)
        switch prefix {
        case .v4(let prefix): routes4.remove(prefix.address.bits, length: Int(prefix.length))
        case .v6(let prefix): routes6.remove(prefix.address.bits, length: Int(prefix.length))
        }
    }

    /// Routes a prefix to the overlay, unless the kernel has a route of its own for it.
    mutating func insertOverlay(_ prefix: IPPrefix) {
        let existing = route(for: prefix)
        if existing == nil || existing == .overlay || learned.contains(prefix) { insert(prefix, .overlay) }
    }

    /// Takes a route to the overlay away.
    mutating func removeOverlay(_ prefix: IPPrefix) {
        if route(for: prefix) == .overlay { remove(prefix) }
    }

    /// Routes a prefix through a router on a link, unless the kernel has a route of its own for it.
    mutating func insertLearned(_ prefix: IPPrefix, _ nextHop: NextHop) {
        let existing = route(for: prefix)
        guard existing == nil || existing == .overlay || learned.contains(prefix) else { return }
        learned.insert(prefix)
        insert(prefix, nextHop)
    }

    /// Routes a prefix through several routers, each flow through one of them, likewise.
    mutating func insertLearned(_ prefix: IPPrefix, over hops: ContiguousArray<PortHop>) {
        let group = groups.retain(hops)
        insertLearned(prefix, .spread(group))
        if route(for: prefix) != .spread(group) { groups.release(group) }
    }

    /// A route that goes, or is another from now on, has its hops no longer.
    private mutating func releaseGroup(of prefix: IPPrefix) {
        guard !groups.isEmpty, case .spread(let group) = route(for: prefix) else { return }
        groups.release(group)
    }

    /// Takes a route through a router away, where it has not become one to the overlay since.
    mutating func removeLearned(_ prefix: IPPrefix) {
        guard learned.remove(prefix), route(for: prefix) != .overlay else { return }
        remove(prefix)
    }

    /// Takes away all that the machine has put there.
    mutating func removeMachineRoutes() {
        for prefix in overlayPrefixes() { removeOverlay(prefix) }
        for prefix in learned.all { removeLearned(prefix) }
    }

    private func route(for prefix: IPPrefix) -> NextHop? {
        switch prefix {
        case .v4(let prefix): routes4.exactMatch(prefix.address.bits, length: Int(prefix.length))
        case .v6(let prefix): routes6.exactMatch(prefix.address.bits, length: Int(prefix.length))
        }
    }

    func nextHop(to address: IPv4Address) -> NextHop? { routes4.longestMatch(address.bits) }

    func nextHop(to address: IPv6Address) -> NextHop? { routes6.longestMatch(address.bits) }

    /// All prefixes routed to the overlay interface, in order.
    func overlayPrefixes() -> [IPPrefix] {
        var found: [IPPrefix] = []
        routes4.forEach { key, length, nextHop in
            if nextHop == .overlay { found.append(.v4(IPv4Prefix(IPv4Address(bits: key), length: length))) }
        }
        routes6.forEach { key, length, nextHop in
            if nextHop == .overlay { found.append(.v6(IPv6Prefix(IPv6Address(bits: key), length: length))) }
        }
        return found
    }
}

/// What the forwarding path remembers of a destination: the route and the neighbour, resolved.
struct DestinationCache {
    struct Entry: BitwiseCopyable {
        var address: UInt32 = 0
        var generation: UInt32 = 0
        /// The port's number; the two highest values stand for local and overlay.
        var port: UInt16 = 0
        var neighbor: UInt32 = 0
    }

    static let localPort: UInt16 = .max
    static let overlayPort: UInt16 = .max - 1

    private var entries: ContiguousArray<Entry>
    private let shift: UInt32

    /// A cache with room for the destinations behind so many ports.
    init(portCount: Int) {
        var bits: UInt32 = 6
        while bits < 12, 1 << bits < portCount * 8 { bits += 1 }
        shift = 32 - bits
        entries = ContiguousArray(repeating: Entry(), count: 1 << bits)
    }

    @inline(__always)
    func entry(for address: UInt32) -> Entry { entries[slot(address)] }

    mutating func store(_ entry: Entry) { entries[slot(entry.address)] = entry }

    @inline(__always)
    private func slot(_ address: UInt32) -> Int {
        Int(truncatingIfNeeded: (address &* 0x9E37_79B1) >> shift)
    }
}
