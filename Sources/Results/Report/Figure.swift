import Basics
import Foundation
import Scenario

/// Numbers as a person reads them: three digits that matter, with their unit.
enum Figure {
    /// A metric's value, in the unit that suits its size.
    static func text(_ value: Double, _ unit: MetricUnit) -> String {
        let (number, unit) = parts(value, unit)
        return unit.isEmpty ? number : "\(number) \(unit)"
    }

    /// The number and its unit apart, for showing them in different sizes.
    static func parts(_ value: Double, _ unit: MetricUnit) -> (number: String, unit: String) {
        guard value.isFinite else { return (value.isNaN ? "n/a" : value < 0 ? "−∞" : "∞", "") }
        switch unit {
        case .milliseconds:
            return abs(value) >= 10_000 ? (number(value / 1_000), "s") : (number(value), "ms")
        case .seconds: return (number(value), "s")
        case .ratio: return (number(value * 100), "%")
        case .packets: return (number(value), "packets")
        case .perHour: return (number(value), "1/h")
        case .bitsPerSecond: return scaled(value, "bit/s")
        case .opinionScore: return (String(format: "%.2f", value), "MOS")
        case .count: return (number(value), "")
        case .none: return (number(value), "")
        }
    }

    /// Three digits that matter, whole numbers with their thousands set apart.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "n/a" }
        let size = abs(value)
        if value == value.rounded() || size >= 1_000 { return grouped(value) }
        if size >= 100 { return String(format: "%.0f", value) }
        if size >= 10 { return String(format: "%.1f", value) }
        if size >= 0.01 { return String(format: "%.2f", value) }
        return String(format: "%.2g", value)
    }

    static func count(_ value: UInt64) -> String { grouped(Double(value)) }

    static func rate(_ bitsPerSecond: Double) -> String { text(bitsPerSecond, .bitsPerSecond) }

    static func size(_ bytes: UInt64) -> String {
        let (number, unit) = scaled(Double(bytes), "B")
        return "\(number) \(unit)"
    }

    static func time(_ at: Instant) -> String { String(format: "%.3f s", (at - .zero).inSeconds) }

    static func scaled(_ value: Double, _ unit: String) -> (String, String) {
        for (factor, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= factor {
            let scaled = value / factor
            return (scaled >= 1_000 ? grouped(scaled) : number(scaled), prefix + unit)
        }
        return (number(value), unit)
    }

    private static func grouped(_ value: Double) -> String {
        guard abs(value) < 1e15 else { return String(format: "%.3g", value) }
        let digits = String(Int64(value.magnitude.rounded()))
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "\u{202F}" }
            result.append(digit)
        }
        return value < 0 && digits != "0" ? "−\(result)" : result
    }
}

extension Expectation.Condition {
    /// The condition in words: `below 300 ms`.
    func wording(unit: MetricUnit) -> String {
        let texts = limits.map { Figure.text($0, unit) }
        switch self {
        case .below: return "below \(texts[0])"
        case .atMost: return "at most \(texts[0])"
        case .atLeast: return "at least \(texts[0])"
        case .above: return "above \(texts[0])"
        case .equals: return texts[0]
        case .between: return "between \(texts[0]) and \(texts[1])"
        }
    }
}
