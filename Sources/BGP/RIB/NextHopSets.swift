import Wire

/// Over which next hops packets to a prefix are spread, for prefixes that have several (RFC 2991).
///
/// Few sets serve many prefixes, so that each is kept once.
struct NextHopSets: Sendable {
    private struct Entry: Sendable {
        var hops: ContiguousArray<IPAddress>
        var users: UInt32
    }

    private var entries: ContiguousArray<Entry> = []
    private var free: ContiguousArray<UInt32> = []
    /// Looked up, never walked.
    private var numbers: [ContiguousArray<IPAddress>: UInt32] = [:]  // not iterated
    /// The set of each prefix.
    private var sets = SparseTable<UInt32>(empty: .max)

    /// The next hops of a prefix in order of address; nil for one that has not several.
    func hops(_ index: PrefixIndex) -> ContiguousArray<IPAddress>? {
        let number = sets[index]
        return number == .max ? nil : entries[Int(number)].hops
    }

    /// Sets the next hops of a prefix, in order of address; returns whether they are others than before.
    mutating func set(_ index: PrefixIndex, _ hops: ContiguousArray<IPAddress>?) -> Bool {
        let old = sets[index]
        guard let hops else {
            sets[index] = .max
            release(old)
            return old != .max
        }
        if old != .max, entries[Int(old)].hops == hops { return false }
        let new = number(of: hops)
        entries[Int(new)].users += 1
        sets[index] = new
        release(old)
        return true
    }

    private mutating func number(of hops: ContiguousArray<IPAddress>) -> UInt32 {
        if let known = numbers[hops] { return known }
        let number: UInt32
        if let place = free.popLast() {
            number = place
            entries[Int(place)] = Entry(hops: hops, users: 0)
        } else {
            number = UInt32(entries.count)
            entries.append(Entry(hops: hops, users: 0))
        }
        numbers[hops] = number
        return number
    }

    private mutating func release(_ number: UInt32) {
        guard number != .max else { return }
        entries[Int(number)].users -= 1
        guard entries[Int(number)].users == 0 else { return }
        numbers[entries[Int(number)].hops] = nil
        entries[Int(number)].hops = []
        free.append(number)
    }
}
