import Basics
import Telemetry

/// The flows that have been placed, found by key, with the one silent longest at hand.
///
/// Entries lie in a slab of fixed size and are chained by age, so that neither a packet
/// nor an eviction walks or allocates.
struct FlowTable: Sendable {
    struct Entry: Sendable, BitwiseCopyable {
        var key: FlowKey
        var lastSeen: Instant
        var path: TunnelID?
        var group: UInt32
        var site: UInt32
        var application: Steering.Application
        fileprivate var newer: UInt32 = none
        fileprivate var older: UInt32 = none

        init(
            key: FlowKey, lastSeen: Instant, path: TunnelID?, group: Int, site: UInt32,
            application: Steering.Application
        ) {
            self.key = key
            self.lastSeen = lastSeen
            self.path = path
            self.group = UInt32(truncatingIfNeeded: group)
            self.site = site
            self.application = application
        }
    }

    private static let none = UInt32.max

    private var index: IndexTable
    private var entries: ContiguousArray<Entry> = []
    private var free: ContiguousArray<UInt32> = []
    private var newest = none
    private var oldest = none
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(Self.none))
        self.capacity = capacity
        // Most nodes stay far below their bound; those that do not grow to it once.
        index = IndexTable(capacity: min(capacity, 1_024))
    }

    var count: Int { index.count }

    func find(_ key: FlowKey) -> Int? {
        index[key.rawValue].map { Int($0) }
    }

    subscript(slot: Int) -> Entry { entries[slot] }

    mutating func setPath(_ path: TunnelID?, of slot: Int) {
        entries[slot].path = path
    }

    /// Notes a packet of the flow.
    @inline(__always)
    mutating func touch(_ slot: Int, at now: Instant) {
        entries[slot].lastSeen = now
        guard newest != slot else { return }
        unlink(slot)
        linkAsNewest(slot)
    }

    /// Adds a flow that is not there, in the place of the one silent longest where the table is full.
    mutating func insert(_ entry: Entry) {
        if count == capacity { removeOldest() }
        let slot: Int
        if let last = free.popLast() {
            slot = Int(last)
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        index[entry.key.rawValue] = UInt32(truncatingIfNeeded: slot)
        linkAsNewest(slot)
    }

    /// Forgets at most `limit` flows that have been silent for `timeout`.
    mutating func expire(limit: Int, timeout: Interval, at now: Instant) {
        for _ in 0..<limit where oldest != Self.none && now - entries[Int(oldest)].lastSeen >= timeout {
            removeOldest()
        }
    }

    mutating func remove(_ slot: Int) {
        unlink(slot)
        index[entries[slot].key.rawValue] = nil
        free.append(UInt32(truncatingIfNeeded: slot))
    }

    private mutating func removeOldest() {
        remove(Int(oldest))
    }

    private mutating func unlink(_ slot: Int) {
        let (newer, older) = (entries[slot].newer, entries[slot].older)
        if newer == Self.none { newest = older } else { entries[Int(newer)].older = older }
        if older == Self.none { oldest = newer } else { entries[Int(older)].newer = newer }
    }

    private mutating func linkAsNewest(_ slot: Int) {
        let name = UInt32(truncatingIfNeeded: slot)
        entries[slot].newer = Self.none
        entries[slot].older = newest
        if newest == Self.none { oldest = name } else { entries[Int(newest)].newer = name }
        newest = name
    }
}
