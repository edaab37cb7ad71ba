import Machine
import Wire

/// A router across one of the kernel's ports.
struct PortHop: Equatable, Sendable {
    var port: Int
    var gateway: IPAddress

    init(_ hop: RouterHop) {
        port = Int(hop.port.rawValue)
        gateway = hop.gateway
    }
}

/// The sets of hops over which packets are spread.
///
/// Few sets serve many prefixes, so that each is kept once.
struct HopGroups {
    private struct Group {
        var hops: ContiguousArray<PortHop>
        var users: Int
    }

    private var groups: ContiguousArray<Group> = []
    private var userCount = 0

    /// Whether no route has several hops.
    var isEmpty: Bool { userCount == 0 }

    /// The hops of a set that is in use.
    subscript(number: Int) -> ContiguousArray<PortHop> { groups[number].hops }

    /// The number of a set, for one more route.
    mutating func retain(_ hops: ContiguousArray<PortHop>) -> Int {
        userCount += 1
        if let known = groups.firstIndex(where: { $0.users > 0 && $0.hops == hops }) {
            groups[known].users += 1
            return known
        }
        if let free = groups.firstIndex(where: { $0.users == 0 }) {
            groups[free] = Group(hops: hops, users: 1)
            return free
        }
        groups.append(Group(hops: hops, users: 1))
        return groups.count - 1
    }

    /// Says that a route has the set no longer.
    mutating func release(_ number: Int) {
        userCount -= 1
        groups[number].users -= 1
        if groups[number].users == 0 { groups[number].hops = [] }
    }
}
