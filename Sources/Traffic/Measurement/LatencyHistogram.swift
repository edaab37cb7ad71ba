public import Basics

/// Counts of spans of time on a log-linear scale: 512 buckets to a doubling.
///
/// A bucket is at most 1/512 of its own lower bound wide, and below 512 ns every
/// nanosecond has its own. Minimum, maximum and mean are exact. Buckets exist only for
/// the doublings that occurred, 2 kB each, so that a flow of steady latency costs little.
public struct LatencyHistogram: Sendable {
    /// 1 + the place of each doubling's buckets in `counts`; 0 where there are none yet.
    private var places = InlineArray<56, UInt8>(repeating: 0)
    private var counts: ContiguousArray<UInt32> = []
    public private(set) var count: UInt64 = 0
    private var sum: UInt128 = 0
    private var least: UInt64 = .max
    private var greatest: UInt64 = 0

    private static var bucketsPerDoubling: Int { 512 }

    public init() {}

    /// Counts one span; a negative one counts as 0.
    public mutating func record(_ span: Interval) {
        let value = UInt64(max(0, span.nanoseconds))
        let (doubling, bucket) = Self.bucket(of: value)
        if places[doubling] == 0 { open(doubling) }
        counts[(Int(places[doubling]) &- 1) &* Self.bucketsPerDoubling &+ bucket] &+= 1
        count &+= 1
        sum &+= UInt128(value)
        least = min(least, value)
        greatest = max(greatest, value)
    }

    /// Adds all that another histogram has counted.
    public mutating func merge(_ other: LatencyHistogram) {
        for doubling in other.places.indices where other.places[doubling] != 0 {
            if places[doubling] == 0 { open(doubling) }
            let source = (Int(other.places[doubling]) - 1) * Self.bucketsPerDoubling
            let target = (Int(places[doubling]) - 1) * Self.bucketsPerDoubling
            for bucket in 0..<Self.bucketsPerDoubling { counts[target + bucket] &+= other.counts[source + bucket] }
        }
        count &+= other.count
        sum &+= other.sum
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
    }

    /// The smallest span counted.
    public var minimum: Interval? { count == 0 ? nil : Interval(nanoseconds: Int64(clamping: least)) }

    /// The largest span counted.
    public var maximum: Interval? { count == 0 ? nil : Interval(nanoseconds: Int64(clamping: greatest)) }

    /// The mean, rounded down to a nanosecond.
    public var mean: Interval? {
        count == 0 ? nil : Interval(nanoseconds: Int64(clamping: sum / UInt128(count)))
    }

    /// The span of which the fraction `quantile` of all counted are not larger, by nearest rank.
    ///
    /// It is the middle of the bucket of that rank, kept between the exact minimum and
    /// maximum, so that a constant latency is given exactly.
    public func percentile(_ quantile: Ratio) -> Interval? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((quantile.fraction * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for doubling in places.indices where places[doubling] != 0 {
            let place = (Int(places[doubling]) - 1) * Self.bucketsPerDoubling
            for bucket in 0..<Self.bucketsPerDoubling {
                seen &+= UInt64(counts[place + bucket])
                if seen >= rank { return clamped(Self.middle(of: doubling, bucket)) }
            }
        }
        return maximum
    }

    private func clamped(_ value: UInt64) -> Interval {
        Interval(nanoseconds: Int64(clamping: min(max(value, least), greatest)))
    }

    /// The exact figures beside the buckets.
    var totals: (sum: UInt128, least: UInt64, greatest: UInt64) { (sum, least, greatest) }

    mutating func setTotals(sum: UInt128, least: UInt64, greatest: UInt64) {
        self.sum = sum
        self.least = least
        self.greatest = greatest
    }

    /// Counts into a bucket by its number, which ``eachBucket(_:)`` gave.
    mutating func add(_ number: UInt32, toBucket bucket: Int) {
        let doubling = bucket / Self.bucketsPerDoubling
        if places[doubling] == 0 { open(doubling) }
        counts[(Int(places[doubling]) - 1) * Self.bucketsPerDoubling + bucket % Self.bucketsPerDoubling] &+= number
        count &+= UInt64(number)
    }

    /// Every bucket that holds anything, by its number.
    func eachBucket(_ body: (Int, UInt32) -> Void) {
        for doubling in places.indices where places[doubling] != 0 {
            for (bucket, number) in buckets(of: doubling).enumerated() where number > 0 {
                body(doubling * Self.bucketsPerDoubling + bucket, number)
            }
        }
    }

    @inline(never)
    private mutating func open(_ doubling: Int) {
        counts.append(contentsOf: repeatElement(0, count: Self.bucketsPerDoubling))
        places[doubling] = UInt8(truncatingIfNeeded: counts.count / Self.bucketsPerDoubling)
    }

    @inline(__always)
    private static func bucket(of value: UInt64) -> (doubling: Int, bucket: Int) {
        let doubling = max(0, 55 &- value.leadingZeroBitCount)
        let shift = max(0, doubling &- 1)
        return (doubling, Int(truncatingIfNeeded: value &>> UInt64(shift)) & (bucketsPerDoubling &- 1))
    }

    private static func middle(of doubling: Int, _ bucket: Int) -> UInt64 {
        guard doubling > 0 else { return UInt64(bucket) }
        let shift = UInt64(doubling - 1)
        let lower = UInt64(bucketsPerDoubling + bucket) << shift
        return lower + ((1 as UInt64) << shift) / 2
    }
}

extension LatencyHistogram: Equatable {
    /// Whether both counted the same, whatever the order.
    public static func == (left: LatencyHistogram, right: LatencyHistogram) -> Bool {
        guard left.count == right.count, left.sum == right.sum, left.least == right.least,
            left.greatest == right.greatest
        else { return false }
        return left.places.indices.allSatisfy { left.buckets(of: $0) == right.buckets(of: $0) }
    }

    private func buckets(of doubling: Int) -> ArraySlice<UInt32> {
        guard places[doubling] != 0 else { return [] }
        let start = (Int(places[doubling]) - 1) * Self.bucketsPerDoubling
        return ArraySlice(counts[start..<start + Self.bucketsPerDoubling])
    }
}
