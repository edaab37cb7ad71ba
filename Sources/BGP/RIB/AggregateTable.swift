import Wire

/// Which aggregates have parts that there are routes to.
struct AggregateTable: Sendable {
    private struct State: Sendable {
        let aggregate: Aggregate
        /// How many parts have a route of each origin: interior, exterior and incomplete.
        var parts = [0, 0, 0]
        /// Whether it is to be told whether it has parts or not.
        var isAnnounced = false

        /// The least certain origin of any part; nil where there is none.
        var origin: Origin? { parts.lastIndex { $0 > 0 }.flatMap { Origin(rawValue: UInt8($0)) } }
    }

    private var states: [State]

    init(_ aggregates: [Aggregate]) {
        states = aggregates.map { State(aggregate: $0) }
    }

    var isEmpty: Bool { states.isEmpty }

    func contains(_ prefix: IPPrefix) -> Bool { states.contains { $0.aggregate.prefix == prefix } }

    /// Whether a prefix is an aggregate that has parts.
    func stands(_ prefix: IPPrefix) -> Bool { states.contains { $0.aggregate.prefix == prefix && $0.origin != nil } }

    func isAnnounced(_ prefix: IPPrefix) -> Bool {
        states.contains { $0.aggregate.prefix == prefix && $0.isAnnounced }
    }

    /// Notes whether somebody has a prefix told that may be an aggregate.
    mutating func setAnnounced(_ prefix: IPPrefix, _ isAnnounced: Bool) {
        for place in states.indices where states[place].aggregate.prefix == prefix {
            states[place].isAnnounced = isAnnounced
        }
    }

    /// Whether a prefix is part of an aggregate that is told in its place.
    func isSummarized(_ prefix: IPPrefix) -> Bool {
        states.contains { $0.aggregate.isSummaryOnly && $0.aggregate.prefix.hasPart(prefix) }
    }

    /// Notes that the best route to a prefix has changed, by the origins before and after, and returns the aggregates
    /// that change with it: with another origin, or to none.
    mutating func note(_ prefix: IPPrefix, _ old: Origin?, _ new: Origin?) -> [(prefix: IPPrefix, origin: Origin?)] {
        guard old != new else { return [] }
        var changes: [(prefix: IPPrefix, origin: Origin?)] = []
        for place in states.indices where states[place].aggregate.prefix.hasPart(prefix) {
            let former = states[place].origin
            if let old { states[place].parts[Int(old.rawValue)] -= 1 }
            if let new { states[place].parts[Int(new.rawValue)] += 1 }
            let present = states[place].origin
            if present != former { changes.append((states[place].aggregate.prefix, present)) }
        }
        return changes
    }
}

extension IPPrefix {
    /// Whether another prefix lies inside this one, and is longer.
    fileprivate func hasPart(_ other: IPPrefix) -> Bool {
        isIPv4 == other.isIPv4 && length < other.length && contains(other.address)
    }
}
