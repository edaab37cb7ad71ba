/// A rate of transmission, in bits per second; prefixes are powers of 1000.
public struct BitRate: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var bitsPerSecond: UInt64

    @inlinable
    public init(bitsPerSecond: UInt64) {
        self.bitsPerSecond = bitsPerSecond
    }

    /// A rate of so many Mbit/s.
    @inlinable
    public static func megabits(_ count: UInt64) -> BitRate { BitRate(bitsPerSecond: count * 1_000_000) }

    /// A rate of so many Gbit/s.
    @inlinable
    public static func gigabits(_ count: UInt64) -> BitRate { BitRate(bitsPerSecond: count * 1_000_000_000) }

    @inlinable
    public static func < (left: BitRate, right: BitRate) -> Bool { left.bitsPerSecond < right.bitsPerSecond }

    /// How long `byteCount` bytes take at this rate, rounded up to a whole nanosecond.
    ///
    /// At a rate of 0, or where 292 years are not enough, it is the longest interval.
    @inlinable
    public func transmissionTime(byteCount: Int) -> Interval {
        let product = UInt64(byteCount).multipliedFullWidth(by: 8_000_000_000)
        guard product.high < bitsPerSecond else { return Interval(nanoseconds: .max) }
        let (quotient, remainder) = bitsPerSecond.dividingFullWidth(product)
        guard quotient < UInt64(Int64.max) else { return Interval(nanoseconds: .max) }
        return Interval(nanoseconds: Int64(quotient) &+ (remainder == 0 ? 0 : 1))
    }

    /// How many whole bytes fit into `interval` at this rate.
    @inlinable
    public func byteCount(in interval: Interval) -> Int {
        let product = bitsPerSecond.multipliedFullWidth(by: UInt64(max(0, interval.nanoseconds)))
        guard product.high < 8_000_000_000 else { return .max }
        return Int(clamping: (8_000_000_000 as UInt64).dividingFullWidth(product).quotient)
    }
}

extension BitRate: CustomStringConvertible {
    public var description: String {
        let units: [(size: UInt64, name: String)] = [(1_000_000_000, "Gbit"), (1_000_000, "Mbit"), (1_000, "kbit")]
        for unit in units where bitsPerSecond >= unit.size && bitsPerSecond % unit.size == 0 {
            return "\(bitsPerSecond / unit.size)\(unit.name)"
        }
        return "\(bitsPerSecond)bit"
    }
}

/// A rate of packets per second, as floods are given.
public struct PacketRate: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var packetsPerSecond: UInt64

    @inlinable
    public init(packetsPerSecond: UInt64) {
        self.packetsPerSecond = packetsPerSecond
    }

    @inlinable
    public static func < (left: PacketRate, right: PacketRate) -> Bool {
        left.packetsPerSecond < right.packetsPerSecond
    }
}
