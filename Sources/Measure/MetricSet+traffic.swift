import Basics
import Scenario
import Traffic

extension MetricSet {
    /// For each entry of the scenario's traffic what both directions of its flows measured.
    mutating func measureTraffic(_ record: RunRecord) {
        var entries = IndexTable(capacity: record.flows.count)
        for flow in record.flows { entries[UInt64(flow.number)] = UInt32(flow.entry) }
        let warmEnd = Instant.zero + record.scenario.warmup
        var measures = record.scenario.traffic.map { EntryMeasures(start: .zero + $0.start, warmEnd: warmEnd) }
        for report in record.flowReports {
            guard let entry = entries[UInt64(report.flow)], Int(entry) < measures.count else { continue }
            measures[Int(entry)].add(report)
        }
        for (entry, measure) in zip(record.scenario.traffic, measures) { append("traffic.\(entry.name)", measure) }
    }

    private mutating func append(_ name: String, _ measures: EntryMeasures) {
        append("\(name).latency", Distribution(measures.latency), .milliseconds)
        append("\(name).jitter", Distribution(measures.jitter), .milliseconds)
        append("\(name).loss", Distribution(measures.loss), .ratio)
        append("\(name).goodput", Distribution(measures.goodput), .bitsPerSecond)
        append("\(name).mos", Distribution(measures.scores), .opinionScore)
        append(
            "\(name).completionTime", Distribution(measures.completionTimes.map(\.inMilliseconds)), .milliseconds)
    }
}

/// What the flows of one entry measured, without the warm-up where the reports allow it.
private struct EntryMeasures {
    /// When the entry's flows begin.
    let start: Instant
    let warmEnd: Instant
    private(set) var latency = LatencyHistogram()
    private(set) var jitter = LatencyHistogram()
    private(set) var loss: [Double] = []
    private(set) var goodput: [Double] = []
    private(set) var scores: [Double] = []
    private(set) var completionTimes: [Interval] = []
    /// The stream whose other direction may follow, and its goodput.
    private var stream: (flow: UInt32, bytes: UInt64)?

    private static let scoreWindow = Interval.seconds(5)

    init(start: Instant, warmEnd: Instant) {
        self.start = start
        self.warmEnd = warmEnd
    }

    mutating func add(_ report: FlowReport) {
        guard let received = report.received else {
            // Where the receiving end says nothing, nothing is known to have arrived.
            if let sent = report.sent, sent.packets > 0 { loss.append(1) }
            return
        }
        latency.merge(received.latency)
        completionTimes += received.completionTimes
        let isDatagrams = received.packets > 0 || received.lost > 0 || (report.sent?.packets ?? 0) > 0
        if isDatagrams { addDatagrams(received, report) } else { addStream(received, report.flow) }
        let first = report.sent?.firstAt ?? start
        for (index, score) in received.meanOpinionScores.enumerated()
        where first + Self.scoreWindow * Int64(index) >= warmEnd {
            scores.append(score)
        }
    }

    private mutating func addDatagrams(_ received: ReceivedReport, _ report: FlowReport) {
        let windows = received.windows
        let warm = windows[windows.partitioningIndex { $0.start >= warmEnd }...]
        for window in warm where window.received > 0 { jitter.record(window.jitter) }
        let first = report.sent?.firstAt ?? start
        guard first < warmEnd else {
            if received.packets + received.lost > 0 { loss.append(report.lossRatio.fraction) }
            if received.bytes > 0 { goodput.append(received.goodput) }
            return
        }
        if let last = report.sent?.lastAt, last < warmEnd { return }
        // What was lost behind the last arrival is in no window.
        let inWindows = windows.reduce(0 as UInt64) { $0 + UInt64($1.lost) }
        let lostBehind = received.lost - min(received.lost, inWindows)
        let lost = lostBehind + warm.reduce(0 as UInt64) { $0 + UInt64($1.lost) }
        let arrived = warm.reduce(0 as UInt64) { $0 + UInt64($1.received) }
        if lost + arrived > 0 { loss.append(Ratio(lost, of: lost + arrived).fraction) }
        let bytes = warm.reduce(0 as UInt64) { $0 + $1.bytes }
        let time = received.activeTime - (warmEnd - first)
        if bytes > 0, time > .zero { goodput.append(Double(bytes) * 8 / time.inSeconds) }
    }

    /// A stream's goodput is that of the direction which carried more: the other has requests, or nothing.
    private mutating func addStream(_ received: ReceivedReport, _ flow: UInt32) {
        guard received.bytes > 0 else { return }
        if let other = stream, other.flow == flow {
            guard received.bytes > other.bytes else { return }
            goodput.removeLast()
        }
        stream = (flow, received.bytes)
        goodput.append(received.goodput)
    }
}
