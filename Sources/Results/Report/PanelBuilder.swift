import Basics
import Measure
import Scenario
import Telemetry
import Traffic

/// Turns what was measured over time into charts.
enum PanelBuilder {
    /// More charts than these belong into the database, not on a page.
    private static let trafficLimit = 8
    private static let tunnelLimit = 8

    static func panels(of record: RunRecord, tunnels: [Int]) -> [ReportModel.Panel] {
        var panels: [ReportModel.Panel] = []
        for index in record.scenario.traffic.indices.prefix(trafficLimit) {
            panels += trafficPanels(of: record, entry: index)
        }
        return panels + tunnelPanels(of: record, tunnels: Array(tunnels.prefix(tunnelLimit)))
    }

    private static func trafficPanels(of record: RunRecord, entry: Int) -> [ReportModel.Panel] {
        let name = record.trafficName(ofEntry: entry)
        let bins = TrafficBins.Width(record)
        let flows = Set(record.flows.filter { $0.entry == entry }.map(\.number))
        var latency: [ReportModel.Panel.Series] = []
        var loss: [ReportModel.Panel.Series] = []
        var goodput: [ReportModel.Panel.Series] = []
        for (place, direction) in FlowDirection.allCases.enumerated() {
            let reports = record.flowReports.filter { $0.direction == direction && flows.contains($0.flow) }
            let sums = TrafficBins(reports, bins)
            let color = entry * 2 + place
            if let means = sums.latencyMeans {
                latency.append(series(direction.name, color, bins, means, peaks: sums.latencyPeaks))
            }
            if let ratios = sums.lossPercent { loss.append(series(direction.name, color, bins, ratios)) }
            if let rates = sums.goodput { goodput.append(series(direction.name, color, bins, rates)) }
        }
        var panels: [ReportModel.Panel] = []
        if !latency.isEmpty { panels.append(.init(title: "\(name) latency", unit: "ms", series: latency)) }
        if !loss.isEmpty { panels.append(.init(title: "\(name) loss", unit: "%", series: loss)) }
        if !goodput.isEmpty { panels.append(.init(title: "\(name) goodput", unit: "bit/s", series: goodput)) }
        return panels
    }

    private static func series(
        _ name: String, _ color: Int, _ bins: TrafficBins.Width, _ values: [Double?], peaks: [Double?]? = nil
    ) -> ReportModel.Panel.Series {
        let places = Downsampling.places(values, greatest: peaks)
        return .init(
            name: name, color: color, isDashed: color % 2 == 1,
            times: places.map { Downsampling.rounded(bins.start(of: $0)) },
            values: places.map { values[$0].map(Downsampling.rounded) },
            peaks: peaks.map { peaks in places.map { peaks[$0].map(Downsampling.rounded) } })
    }

    /// One line for each tunnel, as the node measured it that spoke of it first.
    private static func tunnelPanels(of record: RunRecord, tunnels: [Int]) -> [ReportModel.Panel] {
        var latency: [ReportModel.Panel.Series] = []
        var jitter: [ReportModel.Panel.Series] = []
        var loss: [ReportModel.Panel.Series] = []
        for (place, tunnel) in tunnels.enumerated() {
            let samples = samples(of: tunnel, record)
            guard !samples.isEmpty else { continue }
            let name = record.tunnels[tunnel].name
            let isOneWay = samples.contains { $0.sample.latency > .zero }
            func add(
                _ name: String, to list: inout [ReportModel.Panel.Series], _ value: (PathSample) -> Double
            ) {
                list.append(series(name, place, samples, value))
            }
            add(isOneWay ? name : "\(name), round trip", to: &latency) {
                (isOneWay ? $0.latency : $0.roundTrip).inMilliseconds
            }
            add(name, to: &jitter) { $0.jitter.inMilliseconds }
            add(name, to: &loss) { max($0.lossSent, $0.lossReceived).fraction * 100 }
        }
        guard !latency.isEmpty else { return [] }
        return [
            .init(title: "tunnel latency", unit: "ms", series: latency),
            .init(title: "tunnel jitter", unit: "ms", series: jitter),
            .init(title: "tunnel loss", unit: "%", series: loss),
        ]
    }

    private static func series(
        _ name: String, _ color: Int, _ samples: [(at: Instant, sample: PathSample)], _ value: (PathSample) -> Double
    ) -> ReportModel.Panel.Series {
        let steps = zip(samples, samples.dropFirst()).map { $1.at - $0.at }.sorted()
        let usual = steps.isEmpty ? .zero : steps[steps.count / 2]
        var times: [Double] = []
        var values: [Double?] = []
        var last: Instant?
        for (at, sample) in samples {
            // A tunnel that is not measured for a while has no value then.
            if let last, at - last > usual * 4 {
                times.append((last + usual - .zero).inSeconds)
                values.append(nil)
            }
            times.append((at - .zero).inSeconds)
            values.append(value(sample))
            last = at
        }
        let places = Downsampling.places(values)
        return .init(
            name: name, color: color, isDashed: false, times: places.map { Downsampling.rounded(times[$0]) },
            values: places.map { values[$0].map(Downsampling.rounded) })
    }

    private static func samples(of tunnel: Int, _ record: RunRecord) -> [(at: Instant, sample: PathSample)] {
        var speaker: Int?
        var samples: [(at: Instant, sample: PathSample)] = []
        for entry in record.telemetry {
            guard case .pathSample(let id, let sample) = entry.record, Int(id.rawValue) == tunnel,
                speaker == nil || speaker == entry.node
            else { continue }
            speaker = entry.node
            samples.append((entry.at, sample))
        }
        return samples
    }
}
