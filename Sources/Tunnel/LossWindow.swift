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

    private var buckets: InlineArray<128, Bucket>
    private var newest = 0
    private var count = 1
    private let width: Interval
    private let window: Interval
    private let resolution: UInt32

    private static let capacity = 128
    /// How far the window is stretched where it holds too few packets.
    private static let stretchLimit: Int64 = 10

    init(_ configuration: TunnelConfiguration, at now: Instant) {
        buckets = InlineArray(repeating: Bucket(start: now, firstSequence: 0, received: 0))
        window = configuration.window
        width = max(configuration.probeInterval, configuration.window / Self.stretchLimit)
        resolution = configuration.lossResolution
    }

    /// Starts over with the arrival of `sequence`.
    mutating func restart(with sequence: UInt32, at now: Instant) {
        newest = 0
        count = 1
        buckets[0] = Bucket(start: now, firstSequence: sequence, received: 1)
    }

    @inline(__always)
    mutating func countNewest() {
        buckets[newest].received &+= 1
    }

    /// Counts an arrival into the bucket where it was missed.
    mutating func countLate(_ sequence: UInt32) {
        for age in 0..<count {
            let position = position(age)
            if Int32(bitPattern: sequence &- buckets[position].firstSequence) >= 0 {
                buckets[position].received &+= 1
                return
            }
        }
    }

    /// Opens a new bucket when the newest has lasted; a timer that comes a little early still counts.
    mutating func rotate(at now: Instant, nextSequence: UInt32) {
        guard now - buckets[newest].start >= width - width / 4 else { return }
        newest = (newest + 1) % Self.capacity
        count = min(count + 1, Self.capacity)
        buckets[newest] = Bucket(start: now, firstSequence: nextSequence, received: 0)
    }

    /// Expected and received over the window, stretched until it resolves a rate.
    func counts(at now: Instant, nextSequence: UInt32) -> (expected: UInt32, received: UInt32) {
        var received: UInt32 = 0
        var expected: UInt32 = 0
        // The array's own subscript copies all of it from a value that is only borrowed.
        let buckets = buckets.span
        var position = newest
        for _ in 0..<count {
            let bucket = buckets[position]
            position = position == 0 ? Self.capacity - 1 : position - 1
            received &+= bucket.received
            expected = nextSequence &- bucket.firstSequence
            let elapsed = now - bucket.start
            if elapsed >= window && expected >= resolution || elapsed >= window * Self.stretchLimit { break }
        }
        return (expected, received)
    }

    private func position(_ age: Int) -> Int { (newest - age + Self.capacity) % Self.capacity }
}
