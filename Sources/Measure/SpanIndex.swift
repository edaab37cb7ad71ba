import Basics

/// A stretch of time that belongs to an incident.
struct Span: Equatable, Sendable {
    var start: Instant
    var end: Instant
    /// The incident, by its place among the disruptive ones.
    var incident: Int
    /// Whether it is known, not only possible, that the incident was felt.
    var isCertain = true
}

/// Finds the span that an instant belongs to, without a walk through all of them.
struct SpanIndex: Sendable {
    /// In order of start.
    let spans: [Span]
    /// The latest end of all spans up to that place.
    private let latestEnds: [Instant]

    init(_ unordered: [Span]) {
        let order = unordered.indices.sorted { (unordered[$0].start, $0) < (unordered[$1].start, $1) }
        spans = order.map { unordered[$0] }
        var latest = Instant.zero
        latestEnds = spans.map { span in
            latest = max(latest, span.end)
            return latest
        }
    }

    /// Of the spans that had begun by one instant and last until another the one that began last.
    ///
    /// Of several that began at once it is the first.
    func latest(startedBy limit: Instant, lastingTo instant: Instant) -> Span? {
        var place = spans.partitioningIndex { $0.start > limit } - 1
        while place >= 0, latestEnds[place] >= instant, spans[place].end < instant { place -= 1 }
        guard place >= 0, spans[place].end >= instant else { return nil }
        var found = place
        while place > 0, spans[place - 1].start == spans[found].start {
            place -= 1
            if spans[place].end >= instant { found = place }
        }
        return spans[found]
    }
}

extension Array {
    /// The first place whose element belongs to the second part, in an array parted in two.
    func partitioningIndex(where belongsToSecondPart: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if belongsToSecondPart(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
