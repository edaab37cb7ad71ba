import Basics
import Wire

/// The number of a prefix in a ``PrefixTable``; small, so that a RIB may be an array.
typealias PrefixIndex = UInt32

/// Numbers prefixes of both families and lists them in order.
struct PrefixTable: Sendable {
    private var ipv4 = PrefixTrie<UInt32, PrefixIndex>()
    private var ipv6 = PrefixTrie<UInt128, PrefixIndex>()
    private var prefixes: ContiguousArray<IPPrefix> = []
    private var free: ContiguousArray<PrefixIndex> = []

    /// How many prefixes have a number.
    var count: Int { prefixes.count - free.count }

    /// One more than the highest number ever given.
    var capacity: Int { prefixes.count }

    subscript(index: PrefixIndex) -> IPPrefix { prefixes[Int(index)] }

    func find(_ prefix: IPPrefix) -> PrefixIndex? {
        switch prefix {
        case .v4(let prefix): ipv4.exactMatch(prefix.address.bits, length: Int(prefix.length))
        case .v6(let prefix): ipv6.exactMatch(prefix.address.bits, length: Int(prefix.length))
        }
    }

    /// The number of a prefix, given now if it has none.
    mutating func add(_ prefix: IPPrefix) -> PrefixIndex {
        if let index = find(prefix) { return index }
        let index: PrefixIndex
        if let reused = free.popLast() {
            index = reused
            prefixes[Int(index)] = prefix
        } else {
            index = PrefixIndex(prefixes.count)
            prefixes.append(prefix)
        }
        switch prefix {
        case .v4(let prefix): ipv4.insert(prefix.address.bits, length: Int(prefix.length), value: index)
        case .v6(let prefix): ipv6.insert(prefix.address.bits, length: Int(prefix.length), value: index)
        }
        return index
    }

    /// Takes a number back.
    mutating func remove(_ index: PrefixIndex) {
        switch prefixes[Int(index)] {
        case .v4(let prefix): ipv4.remove(prefix.address.bits, length: Int(prefix.length))
        case .v6(let prefix): ipv6.remove(prefix.address.bits, length: Int(prefix.length))
        }
        free.append(index)
    }

    /// All numbers in order of their prefixes, IPv4 first.
    func inOrder() -> ContiguousArray<PrefixIndex> {
        var result: ContiguousArray<PrefixIndex> = []
        result.reserveCapacity(count)
        ipv4.forEach { _, _, index in result.append(index) }
        ipv6.forEach { _, _, index in result.append(index) }
        return result
    }
}
