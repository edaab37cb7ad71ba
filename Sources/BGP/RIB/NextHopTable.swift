import Basics
import Wire

/// What is known of the ways to next hops (RFC 4271 §9.1.2.1).
struct NextHopTable: Sendable {
    /// In order of address.
    private var entries: ContiguousArray<(address: IPAddress, cost: UInt32?)> = []
    private var connected: [IPPrefix]?

    /// One never spoken of is near where it is on a link; with no links named, it is near wherever it is.
    init(connected: [IPPrefix]?) {
        self.connected = connected
    }

    /// Whether every next hop is near.
    var isEverythingNear: Bool { entries.isEmpty && connected == nil }

    /// What the way costs; nil where there is none.
    func cost(of address: IPAddress) -> UInt32? {
        let place = place(of: address)
        if place < entries.count, entries[place].address == address { return entries[place].cost }
        guard let connected else { return 0 }
        return connected.contains { $0.contains(address) } ? 0 : nil
    }

    /// Returns whether anything changed.
    mutating func set(_ address: IPAddress, cost: UInt32?) -> Bool {
        guard self.cost(of: address) != cost else { return false }
        let place = place(of: address)
        if place < entries.count, entries[place].address == address {
            entries[place].cost = cost
        } else {
            entries.insert((address, cost), at: place)
        }
        return true
    }

    /// A link has got or lost its carrier; returns whether that is news of any of its prefixes.
    mutating func setLink(_ prefixes: [IPPrefix], isUp: Bool) -> Bool {
        guard let connected else { return false }
        let affected = prefixes.filter { connected.contains($0) != isUp }
        self.connected = isUp ? connected + affected : connected.filter { !affected.contains($0) }
        return !affected.isEmpty
    }

    private func place(of address: IPAddress) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].address < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
