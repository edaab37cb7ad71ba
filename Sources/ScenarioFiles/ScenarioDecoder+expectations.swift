import Basics
import Scenario

extension ScenarioDecoder {
    func decodeExpectations(_ cursor: Cursor?) -> [Expectation] {
        var result: [Expectation] = []
        for element in cursor?.elements(expected: "a list of expectations, [ { \"metric\": \"…\" } ]") ?? [] {
            guard let object = element.object(keys: KnownKeys.expectation) else { continue }
            let place = object.required("metric", "\"metric\": \"failover.outage.max\"")
            let operators = KnownKeys.operators.filter { object[$0] != nil }
            guard let name = operators.first, operators.count == 1 else {
                element.fault(
                    operators.isEmpty
                        ? "there is no limit; write an operator with one, such as \"below\": \"300ms\""
                        : "\"\(operators[0])\" and \"\(operators[1])\" stand in one expectation; write two")
                continue
            }
            guard let metric = place?.string(expected: "a metric such as \"failover.outage.max\""),
                let unit = unit(of: metric, place), let cursor = object[name],
                let condition = condition(name, cursor, unit)
            else { continue }
            result.append(Expectation(metric: metric, condition: condition, limitText: limitText(cursor.node)))
        }
        return result
    }

    private func unit(of metric: String, _ place: Cursor?) -> MetricUnit? {
        if let unit = MetricCatalogue.unit(of: metric, trafficNames: trafficNames) { return unit }
        guard let place else { return nil }
        let parts = metric.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 2, parts[0] == "traffic",
            !trafficNames.contains(where: { metric.hasPrefix("traffic.\($0).") })
        {
            let advice = NearestName.advice(for: String(parts[1]), among: trafficNames)
            place.fault("there is no traffic \"\(place.shown(String(parts[1])))\"; \(advice)")
            return nil
        }
        let names = MetricCatalogue.names(trafficNames: trafficNames)
        let advice =
            NearestName.find(metric, among: names).map { "did you mean \"\($0)\"?" }
            ?? "the metrics are listed in scenarios/README.md"
        place.fault("there is no metric \"\(place.shown(metric))\"; \(advice)")
        return nil
    }

    private func condition(_ name: String, _ cursor: Cursor, _ unit: MetricUnit) -> Expectation.Condition? {
        if name == "between" {
            guard let ends = cursor.elements(expected: "a list of two limits") else { return nil }
            guard ends.count == 2 else {
                cursor.fault("\(ends.count) limits are no range; write the lower and the upper one")
                return nil
            }
            guard let low = limit(ends[0], unit), let high = limit(ends[1], unit) else { return nil }
            guard low <= high else {
                cursor.fault("the lower limit is above the upper one; write them the other way round")
                return nil
            }
            return .between(low, high)
        }
        guard let limit = limit(cursor, unit) else { return nil }
        switch name {
        case "below": return .below(limit)
        case "atMost": return .atMost(limit)
        case "atLeast": return .atLeast(limit)
        case "above": return .above(limit)
        default: return .equals(limit)
        }
    }

    /// A limit in the metric's own unit.
    private func limit(_ cursor: Cursor, _ unit: MetricUnit) -> Double? {
        switch unit {
        case .milliseconds: cursor.duration()?.inMilliseconds
        case .seconds: cursor.duration()?.inSeconds
        case .ratio: cursor.ratio()?.fraction
        case .bitsPerSecond: bitsPerSecond(cursor)
        case .packets, .perHour, .opinionScore, .count, .none:
            cursor.number(in: 0...1e15, expected: "a number from 0 on, without quotes")
        }
    }

    private func bitsPerSecond(_ cursor: Cursor) -> Double? {
        if case .number("0") = cursor.node.value { return 0 }
        return cursor.bitRate().map { Double($0.bitsPerSecond) }
    }

    private func limitText(_ node: DocumentNode) -> String {
        switch node.value {
        case .string(let text), .number(let text): text
        case .array(let elements): elements.map { limitText($0) }.joined(separator: " … ")
        default: ""
        }
    }
}
