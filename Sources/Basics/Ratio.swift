/// A fraction between 0 and 1: loss, utilisation, probability.
public struct Ratio: Comparable, Hashable, Sendable, BitwiseCopyable {
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
    public var description: String { "\(fraction * 100)%" }
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
