import Basics

/// The least of the values of the last half to whole minute, in two stores.
///
/// A minimum for ever would outlive a change of route and the drift of two clocks.
struct SlidingMinimum: Sendable, BitwiseCopyable {
    private var current = Int64.max
    private var previous = Int64.max
    private var startedAt: Instant

    private static let half = Interval.seconds(30)

    init(at now: Instant) {
        startedAt = now
    }

    var value: Int64? {
        let least = min(current, previous)
        return least == .max ? nil : least
    }

    @inline(__always)
    mutating func record(_ value: Int64) {
        if value < current { current = value }
    }

    mutating func slide(at now: Instant) {
        guard now - startedAt >= Self.half else { return }
        startedAt = now
        // A half without a value says nothing new.
        if current == .max { return }
        previous = current
        current = .max
    }

    mutating func restart(at now: Instant) {
        self = SlidingMinimum(at: now)
    }
}
