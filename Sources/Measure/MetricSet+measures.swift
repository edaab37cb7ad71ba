import Basics
import Scenario
import Telemetry
import Traffic

extension MetricSet {
    mutating func measureFailovers(_ outcomes: [FailoverOutcome], _ record: RunRecord) {
        let impacts = outcomes.flatMap(\.impacts)
        append("failover.outage", Distribution(impacts.map(\.outage.inMilliseconds)), .milliseconds)
        append(
            "failover.detection", Distribution(outcomes.flatMap(\.detections).map(\.inMilliseconds)), .milliseconds)
        append(
            "failover.reaction", Distribution(outcomes.flatMap(\.reactions).map(\.inMilliseconds)), .milliseconds)
        append(
            "failover.switchover", Distribution(impacts.compactMap(\.switchover).map(\.inMilliseconds)),
            .milliseconds)
        append("failover.packetsLost", Distribution(impacts.map { Double($0.packetsLost) }), .packets)
        guard outcomes.contains(where: \.wasExercised) else { return }
        append("failover.failbacks", Distribution(failbacksByFlow(record)), .count)
        append("failover.strandedFlows", strandedFlows(record), .count)
    }

    /// How often each flow that was moved away went back.
    private func failbacksByFlow(_ record: RunRecord) -> [Double] {
        var counts: [(key: UInt64, count: Double)] = []
        for entry in record.telemetry {
            guard case .pathChange(let key, let from, _, let cause) = entry.record, from != nil else { continue }
            let step: Double = cause == .failback || cause == .slaMet ? 1 : 0
            if let index = counts.firstIndex(where: { $0.key == key.rawValue }) {
                counts[index].count += step
            } else {
                counts.append((key.rawValue, step))
            }
        }
        return counts.map(\.count)
    }

    /// Flows in whose last two seconds of sending nothing arrived any more.
    private func strandedFlows(_ record: RunRecord) -> Double {
        let stranded = record.flowReports.filter { report in
            guard let sent = report.sent, let received = report.received, let lastSent = sent.lastAt,
                sent.packets > 100
            else { return false }
            guard let lastArrival = received.lastArrival else { return true }
            return lastArrival + .seconds(2) < lastSent
        }
        return Double(stranded.count)
    }

    mutating func measureTraffic(_ record: RunRecord) {
        for (index, entry) in record.scenario.traffic.enumerated() {
            let flows = record.flows.filter { $0.entry == index }.map(\.number)
            guard let first = flows.first, let last = flows.last else { continue }
            let reports = record.flowReports.filter { $0.flow >= first && $0.flow <= last }
            measure("traffic.\(entry.name)", reports)
        }
    }

    private mutating func measure(_ name: String, _ reports: [FlowReport]) {
        var latency = LatencyHistogram()
        for report in reports { latency.merge(report.latency) }
        append("\(name).latency", latency, .milliseconds)
        let datagrams = reports.filter { ($0.sent?.packets ?? 0) > 0 }
        append("\(name).jitter", Distribution(datagrams.map(\.jitter.inMilliseconds)), .milliseconds)
        append("\(name).loss", Distribution(datagrams.map(\.lossRatio.fraction)), .ratio)
        let carried = reports.filter { ($0.received?.bytes ?? 0) > 0 }
        append("\(name).goodput", Distribution(carried.map(\.goodput)), .bitsPerSecond)
        append("\(name).mos", Distribution(reports.flatMap(\.mos)), .opinionScore)
        append(
            "\(name).completionTime", Distribution(reports.flatMap(\.completionTimes).map(\.inMilliseconds)),
            .milliseconds)
    }

    private mutating func append(_ name: String, _ histogram: LatencyHistogram, _ unit: MetricUnit) {
        guard let least = histogram.minimum, let greatest = histogram.maximum, let mean = histogram.mean else { return }
        func at(_ share: Double) -> Double { (histogram.percentile(Ratio(share)) ?? mean).inMilliseconds }
        var distribution = Distribution([mean.inMilliseconds])
        distribution?.minimum = least.inMilliseconds
        distribution?.p5 = at(0.05)
        distribution?.p50 = at(0.5)
        distribution?.p95 = at(0.95)
        distribution?.p99 = at(0.99)
        distribution?.maximum = greatest.inMilliseconds
        distribution?.count = Double(histogram.count)
        append(name, distribution, unit)
    }

    /// For each incident, how long until the last best path changed because of it.
    mutating func measureRouting(_ record: RunRecord) {
        var times: [Double] = []
        for (index, incident) in record.incidents.enumerated() {
            let next = record.incidents[(index + 1)...].first { $0.start > incident.start }?.start ?? record.end
            let last = record.telemetry.last { entry in
                guard case .bestPathChanged = entry.record else { return false }
                return entry.at >= incident.start && entry.at < next
            }
            if let last { times.append((last.at - incident.start).inMilliseconds) }
        }
        append("bgp.convergence", Distribution(times), .milliseconds)
    }

    mutating func measureRun(_ record: RunRecord, wallSeconds: Double?) {
        append("invariants.violations", Double(record.violations.count), .count)
        append("run.events", Double(record.eventCount), .count)
        append("run.packetHops", Double(record.packetHops), .count)
        guard let wallSeconds else { return }
        append("run.wallSeconds", wallSeconds, .seconds)
        append("run.speedup", wallSeconds > 0 ? (record.end - .zero).inSeconds / wallSeconds : 0, .none)
    }
}
