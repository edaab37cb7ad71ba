import Basics
import Scenario
import Traffic

/// What each incident did to one direction of a flow.
struct FlowHits {
    /// What one incident did.
    struct Hit {
        var incident: Int
        /// Less the flow's usual gap.
        var outage = Interval.zero
        var packetsLost: UInt64 = 0
        var movedAt: Instant?
        var isStranded = false
        /// Whether there was a gap; then `recovery` is when the last one ended, or its end as far as is known.
        var hasGap = false
        var recovery = Instant.zero
    }

    /// How long after a flow left a path, or the incident was over, its losses still belong to the incident.
    private static let tail = Interval.seconds(1)
    /// A gap that was still open when the flow ended is for good if it had lasted so long.
    private static let finality = Interval.seconds(2)

    /// In order of incident.
    private(set) var hits: [Hit] = []

    private let received: ReceivedReport
    private let interval: Interval
    /// The place of each incident's hit.
    private var places = IndexTable()

    init(_ received: ReceivedReport, _ spans: [Span], _ moves: [Move], _ analysis: FailoverAnalysis) {
        self.received = received
        interval = max(analysis.record.scenario.record.interval, .microseconds(1))
        let tailed = SpanIndex(
            spans.map { span in
                var span = span
                span.end += Self.tail
                return span
            })
        for gap in received.gaps { note(gap, tailed) }
        for move in moves {
            let place = place(of: move.incident)
            hits[place].movedAt = move.at
            hits[place].recovery = max(hits[place].recovery, move.at + Self.tail)
        }
        for span in tailed.spans where span.isCertain {
            guard analysis.reach.incidents[span.incident].kind != .linkChanged else { continue }
            let place = place(of: span.incident)
            guard !hits[place].hasGap, hits[place].movedAt == nil else { continue }
            hits[place].recovery = max(hits[place].recovery, span.end)
        }
        hits.sort { $0.incident < $1.incident }
        let starts = starts(tailed, analysis)
        for index in hits.indices {
            let start = analysis.reach.incidents[hits[index].incident].start
            let next = starts.partitioningIndex { $0 > start }
            hits[index].packetsLost += scatteredLosses(
                from: start, through: hits[index].recovery, before: next < starts.count ? starts[next] : nil)
        }
        hits = hits.filter { $0.hasGap || $0.movedAt != nil || $0.packetsLost > 0 }
    }

    /// Counts a gap for the last incident to which the flow was exposed when it began.
    private mutating func note(_ gap: DeliveryGap, _ spans: SpanIndex) {
        // The last arrival before a failure is up to a usual gap older than the failure.
        let slack = max(received.usualGap * 2, .milliseconds(20))
        let limit = min(gap.start + slack, gap.end - .nanoseconds(1))
        guard let span = spans.latest(startedBy: limit, lastingTo: gap.start) else { return }
        let place = place(of: span.incident)
        hits[place].hasGap = true
        hits[place].outage = max(hits[place].outage, gap.length - received.usualGap)
        hits[place].recovery = max(hits[place].recovery, gap.end)
        hits[place].packetsLost += gap.packetsLost
        if gap.isOpen, gap.length >= Self.finality { hits[place].isStranded = true }
    }

    private mutating func place(of incident: Int) -> Int {
        if let place = places[UInt64(incident)] { return Int(place) }
        places[UInt64(incident)] = UInt32(hits.count)
        hits.append(Hit(incident: incident))
        return hits.count - 1
    }

    /// When the incidents began that concern the flow, in order.
    private func starts(_ spans: SpanIndex, _ analysis: FailoverAnalysis) -> [Instant] {
        let incidents = hits.map(\.incident) + spans.spans.map(\.incident)
        return incidents.map { analysis.reach.incidents[$0].start }.sorted()
    }

    /// Packets lost outside gaps from the window of one instant to that of another.
    ///
    /// A loss stands in the window in which it was found; a gap's are found with the
    /// arrival that ends it, and have been counted with the gap.
    private func scatteredLosses(from start: Instant, through last: Instant, before next: Instant?) -> UInt64 {
        let windows = received.windows
        let first = windows.partitioningIndex { $0.start + interval > start }
        var end = windows.partitioningIndex { $0.start > last }
        // The window in which the next incident begins is the next one's.
        if let next { end = min(end, windows.partitioningIndex { $0.start + interval > next }) }
        guard first < end else { return 0 }
        let lost = windows[first..<end].reduce(0 as UInt64) { $0 + UInt64($1.lost) }
        let (from, until) = (windows[first].start, windows[end - 1].start + interval)
        let gaps = received.gaps
        let firstGap = gaps.partitioningIndex { $0.end >= from }
        let inGaps = gaps[firstGap...].prefix { $0.end < until }
            .reduce(0 as UInt64) { $0 + ($1.isOpen ? 0 : $1.packetsLost) }
        return lost - min(lost, inGaps)
    }
}
