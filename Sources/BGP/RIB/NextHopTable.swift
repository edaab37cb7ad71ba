import Basics
import Wire

/// What is known of the ways to next hops (RFC 4271 §9.1.2.1); of one never spoken of, that it is near.
struct NextHopTable: Sendable {
    /// In order of address.
    private var entries: ContiguousArray<(address: IPAddress, cost: UInt32?)> = []

    /// Whether nothing was ever said of any.
    var isEmpty: Bool { entries.isEmpty }

    /// What the way costs; nil where there is none.
    func cost(of address: IPAddress) -> UInt32? {
        let place = place(of: address)
        guard place < entries.count, entries[place].address == address else { return 0 }
        return entries[place].cost
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
