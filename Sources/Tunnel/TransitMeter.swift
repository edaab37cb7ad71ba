import Basics

/// One-way latency and jitter of one direction, from the senders' timestamps.
///
/// A packet's *transit* is its arrival on this clock less its departure on the sender's.
/// With a shared clock it is the latency. With two, their unknown offset is in it: the
/// fastest packet of the last minute is then taken to have needed half of the shortest round
/// trip, and every other packet as much more as its transit is longer. A change of latency is
/// so measured exactly, and its level is wrong by half of the path's asymmetry.
struct TransitMeter: Sendable {
    private struct Slot: BitwiseCopyable, Sendable {
        var sum: Int64 = 0
        var count: Int64 = 0
    }

    private let clocksShared: Bool
    /// What is subtracted from every transit, so that sums stay small: whole microseconds.
    private var base: Int64 = 0
    private var baseMicroseconds: UInt32 = 0
    private var hasBase: Bool
    private var minimum: SlidingMinimum
    private var last: Int64?
    /// Sixteen times the jitter, as RFC 3550 appendix A.8 keeps it.
    private var jitterSixteenths: Int64 = 0
    /// The newest first.
    private var slots: InlineArray<3, Slot> = InlineArray(repeating: Slot())

    /// The mean is over at least so many arrivals, where there were as many in three intervals.
    private static let meanCount: Int64 = 3
    /// No packet is under way for longer; what says so has a broken clock.
    private static let limit = Interval.seconds(60).nanoseconds

    init(clocksShared: Bool, at now: Instant) {
        self.clocksShared = clocksShared
        hasBase = clocksShared
        minimum = SlidingMinimum(at: now)
    }

    /// Forgets the sender's clock and all that was measured with it.
    mutating func restart(at now: Instant) {
        self = TransitMeter(clocksShared: clocksShared, at: now)
    }

    /// Forgets the latencies of before a silence; the clocks are what they were.
    mutating func forgetRecent() {
        slots = InlineArray(repeating: Slot())
        last = nil
    }

    /// Notes the arrival of a packet, which carries 32 bits of microseconds.
    @inline(__always)
    mutating func record(timestamp: UInt32, at now: Instant) {
        let (microseconds, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: 1_000)
        let elapsed = UInt32(truncatingIfNeeded: microseconds) &- timestamp
        let relative = Int32(bitPattern: elapsed &- baseMicroseconds)
        note(Int64(relative) &* 1_000 &+ Int64(rest))
    }

    /// Notes the arrival of a probe, which carries 64 bits of nanoseconds.
    mutating func record(probeTimestamp: UInt64, at now: Instant) {
        let transit = Int64(bitPattern: now.nanoseconds &- probeTimestamp)
        let relative = transit &- base
        if !clocksShared, !hasBase || relative.magnitude > UInt64(Self.limit) {
            // The sender's clock is new, or was set.
            restart(at: now)
            baseMicroseconds = UInt32(truncatingIfNeeded: transit / 1_000)
            base = transit / 1_000 * 1_000
            hasBase = true
        }
        note(transit &- base)
    }

    @inline(__always)
    private mutating func note(_ transit: Int64) {
        if let last {
            let difference = Int64(truncatingIfNeeded: (transit &- last).magnitude)
            if difference >= 0, difference <= Self.limit {
                jitterSixteenths &+= difference &- ((jitterSixteenths &+ 8) >> 4)
            }
        }
        last = transit
        guard hasBase, transit <= Self.limit, transit >= (clocksShared ? 0 : -Self.limit) else { return }
        slots[0].sum &+= transit
        slots[0].count &+= 1
        minimum.record(transit)
    }

    /// Closes an interval, unless nothing arrived in it.
    mutating func rotate(at now: Instant) {
        minimum.slide(at: now)
        guard slots[0].count > 0 else { return }
        slots[2] = slots[1]
        slots[1] = slots[0]
        slots[0] = Slot()
    }

    /// The variation between arrivals (RFC 3550 §6.4.1).
    var jitter: Interval { Interval(nanoseconds: jitterSixteenths >> 4) }

    /// The mean over the newest intervals, as few as hold three arrivals; nil where nothing is known.
    func latency(shortestRoundTrip: Int64?) -> Interval? {
        var sum: Int64 = 0
        var count: Int64 = 0
        for index in slots.indices where count < Self.meanCount {
            sum &+= slots[index].sum
            count &+= slots[index].count
        }
        guard count > 0 else { return nil }
        if clocksShared { return Interval(nanoseconds: sum / count) }
        guard let shortestRoundTrip, let least = minimum.value else { return nil }
        return Interval(nanoseconds: max(0, sum / count &- least &+ shortestRoundTrip / 2))
    }
}
