/// A fraction between 0 and 1: loss, utilisation, probability.
public struct Ratio: Comparable, Hashable, Codable, Sendable, BitwiseCopyable {
    public let fraction: Double

    /// A ratio clamped to 0…1; what is not a number becomes 0.
    @inlinable
    public init(_ fraction: Double) {
        self.fraction = fraction >= 0 ? min(fraction, 1) : 0
    }

    @inlinable
    public static var zero: Ratio { Ratio(0) }

    @inlinable
    public static var one: Ratio { Ratio(1) }

    /// The ratio `count` of `total`; 0 of 0 is 0.
    @inlinable
    public init(_ count: UInt64, of total: UInt64) {
        self.init(total == 0 ? 0 : Double(count) / Double(total))
    }

    /// The number below which a uniform 64-bit draw falls with this probability; `max` stands for always.
    @inlinable
    public var threshold: UInt64 {
        fraction >= 1 ? .max : UInt64(fraction * 18_446_744_073_709_551_616)
    }

    @inlinable
    public static func < (left: Ratio, right: Ratio) -> Bool { left.fraction < right.fraction }
}

extension Ratio: CustomStringConvertible {
    /// The percentage with the fewest digits that reads back as the same fraction.
    public var description: String {
        // Shifts the point of the shortest decimal form by two: `fraction * 100` would round again.
        let parts = "\(fraction)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let point = mantissa[0].count + 2 + (parts.count == 2 ? Int(parts[1]) ?? 0 : 0)
        let padding = String(repeating: "0", count: max(0, 1 - point))
        var digits = padding + mantissa.joined()
        while digits.count < point { digits.append("0") }
        var whole = digits.prefix(max(1, point))
        var decimals = digits.dropFirst(whole.count)
        while whole.count > 1, whole.first == "0" { whole.removeFirst() }
        while decimals.last == "0" { decimals.removeLast() }
        return decimals.isEmpty ? "\(whole)%" : "\(whole).\(decimals)%"
    }
}

/// A number of bytes, as sizes are written in files.
public struct ByteCount: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var bytes: UInt64

    @inlinable
    public init(_ bytes: UInt64) {
        self.bytes = bytes
    }

    @inlinable
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}
