import Basics

/// How many packets were expected and how many came, over a sliding window of time.
///
/// A ring of buckets, each with the sequence number that it started at: what was expected
/// between two instants is the difference, so that only arrivals are counted one by one.
struct LossWindow: Sendable {
    private struct Bucket: BitwiseCopyable, Sendable {
        var start: Instant
        var firstSequence: UInt32
        var received: UInt32
    }

    private var newest = 0
    private var count = 1
    /// How many of the newest buckets were enough when last asked, and what they received together.
    private var span = 1
    private var spanReceived: UInt32 = 0
    /// Packets that somebody else has counted, whose numbers are another series: all numbers here lie so much higher.
    private var carried: UInt32 = 0
    private let width: Interval
    private let window: Interval
    private let resolution: UInt32
    /// The newest bucket, which every arrival counts into.
    private var current: Bucket
    /// The others, apart: of these two kilobytes only the ends of the span are looked at, once an interval.
    private var buckets: ContiguousArray<Bucket>

    private static let capacity = 128
    /// How far the window is stretched where it holds too few packets.
    private static let stretchLimit: Int64 = 10

    init(_ configuration: TunnelConfiguration, at now: Instant) {
        current = Bucket(start: now, firstSequence: 0, received: 0)
        buckets = ContiguousArray(repeating: current, count: Self.capacity)
        window = configuration.window
        width = max(configuration.probeInterval, configuration.window / Self.stretchLimit)
        resolution = configuration.lossResolution
    }

    /// Has the buckets fetched that the next ``counts(at:nextSequence:)`` and ``rotate(at:nextSequence:)`` look at.
    func prepare() {
        prefetch(position(span - 1), of: buckets)
        prefetch(newest, of: buckets)
    }

    /// Starts over with the arrival of `sequence`.
    mutating func restart(with sequence: UInt32, at now: Instant) {
        newest = 0
        count = 1
        span = 1
        spanReceived = 1
        current = Bucket(start: now, firstSequence: sequence &+ carried, received: 1)
    }

    @inline(__always)
    mutating func countNewest() {
        current.received &+= 1
        spanReceived &+= 1
    }

    /// Counts packets that were carried beside the tunnel's own.
    mutating func countCarried(expected: UInt32, received: UInt32) {
        carried &+= expected
        current.received &+= received
        spanReceived &+= received
    }

    /// Counts an arrival into the bucket where it was missed.
    mutating func countLate(_ sequence: UInt32) {
        for age in 0..<count {
            if Int32(bitPattern: sequence &+ carried &- bucket(age).firstSequence) >= 0 {
                if age == 0 { current.received &+= 1 } else { buckets[position(age)].received &+= 1 }
                if age < span { spanReceived &+= 1 }
                return
            }
        }
    }

    /// Opens a new bucket when the newest has lasted; a timer that comes a little early still counts.
    mutating func rotate(at now: Instant, nextSequence: UInt32) {
        guard now - current.start >= width - width / 4 else { return }
        buckets[newest] = current
        newest = (newest + 1) % Self.capacity
        count = min(count + 1, Self.capacity)
        // The bucket that is overwritten was the oldest, and may have been part of the span.
        if span == Self.capacity { spanReceived &-= buckets[newest].received } else { span += 1 }
        current = Bucket(start: now, firstSequence: nextSequence &+ carried, received: 0)
    }

    /// Expected and received over the window, stretched until it resolves a rate.
    ///
    /// The span of buckets that is enough hardly changes from one call to the next, so it is
    /// moved from where it was, not counted anew.
    mutating func counts(at now: Instant, nextSequence: UInt32) -> (expected: UInt32, received: UInt32) {
        let nextSequence = nextSequence &+ carried
        while span > 1, suffices(span - 1, at: now, nextSequence) {
            spanReceived &-= bucket(span - 1).received
            span -= 1
        }
        while span < count, !suffices(span, at: now, nextSequence) {
            span += 1
            spanReceived &+= bucket(span - 1).received
        }
        return (nextSequence &- bucket(span - 1).firstSequence, spanReceived)
    }

    /// Whether so many of the newest buckets hold enough.
    private mutating func suffices(_ span: Int, at now: Instant, _ nextSequence: UInt32) -> Bool {
        let oldest = bucket(span - 1)
        let elapsed = now - oldest.start
        guard elapsed < window * Self.stretchLimit else { return true }
        return elapsed >= window && nextSequence &- oldest.firstSequence >= resolution
    }

    private func bucket(_ age: Int) -> Bucket { age == 0 ? current : buckets[position(age)] }

    private func position(_ age: Int) -> Int { (newest - age + Self.capacity) % Self.capacity }
}
