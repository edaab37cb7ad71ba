import Foundation
import Scenario

/// Numbers as a terminal shows them: three digits that matter, with the unit that suits their size.
enum Amount {
    static func text(_ value: Double, _ unit: MetricUnit) -> String {
        guard value.isFinite else { return "n/a" }
        switch unit {
        case .ratio: return "\(number(value * 100)) %"
        case .bitsPerSecond: return scaled(value) + "bit/s"
        case .opinionScore: return fixed(value, decimals: 2)
        case .count, .none: return number(value)
        case .milliseconds, .seconds, .packets, .perHour: return "\(number(value)) \(unit.rawValue)"
        }
    }

    static func number(_ value: Double) -> String {
        let size = abs(value)
        guard value.isFinite, size < 1e15 else { return "\(value)" }
        if value == value.rounded() || size >= 100 { return fixed(value, decimals: 0) }
        if size >= 10 { return fixed(value, decimals: 1) }
        if size >= 0.01 { return fixed(value, decimals: 2) }
        return String(format: "%.2g", value)
    }

    static func fixed(_ value: Double, decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    private static func scaled(_ value: Double) -> String {
        for (factor, prefix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= factor {
            return "\(number(value / factor)) \(prefix)"
        }
        return "\(number(value)) "
    }
}
