public import Basics

/// How late packets left a wire, in steps of a sixteenth.
public struct LatenessHistogram: Equatable, Sendable {
    /// Sixteen steps for each doubling, up to half a minute and beyond.
    private static let stepCount = 16 * 33
    private var counts = ContiguousArray<UInt64>(repeating: 0, count: stepCount)
    /// How many packets there were that had to wait.
    public private(set) var count: UInt64 = 0
    /// How many of them were later than their link allowed.
    public private(set) var overLimit: UInt64 = 0
    /// The worst of all.
    public private(set) var maximum = Interval.zero

    public init() {}

    /// Counts a packet that was so late where so much is allowed.
    public mutating func record(_ lateness: Interval, limit: Interval) {
        let lateness = max(.zero, lateness)
        count &+= 1
        if lateness > limit { overLimit &+= 1 }
        if lateness > maximum { maximum = lateness }
        counts[Self.step(of: UInt64(lateness.nanoseconds))] &+= 1
    }

    /// Adds what another histogram counted.
    public mutating func add(_ other: LatenessHistogram) {
        count &+= other.count
        overLimit &+= other.overLimit
        maximum = max(maximum, other.maximum)
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// The lateness that so large a part of all packets did not exceed, rounded up to a step; zero where there is none.
    public func quantile(_ share: Ratio) -> Interval {
        guard count > 0 else { return .zero }
        let rank = max(1, UInt64((Double(count) * share.fraction).rounded(.up)))
        var seen: UInt64 = 0
        for (step, here) in counts.enumerated() {
            seen &+= here
            if seen >= rank { return min(maximum, .nanoseconds(Int64(clamping: Self.end(of: step)))) }
        }
        return maximum
    }

    private static func step(of nanoseconds: UInt64) -> Int {
        guard nanoseconds >= 16 else { return Int(nanoseconds) }
        let exponent = 63 - nanoseconds.leadingZeroBitCount
        let mantissa = Int(nanoseconds >> UInt64(exponent - 4)) & 15
        return min(stepCount - 1, (exponent - 3) * 16 + mantissa)
    }

    /// The largest lateness of a step.
    private static func end(of step: Int) -> UInt64 {
        guard step >= 16 else { return UInt64(step) }
        let exponent = UInt64(step / 16 + 3)
        let mantissa = UInt64(step % 16) + 16
        return ((mantissa + 1) << (exponent - 4)) - 1
    }
}
