import Basics
import Links

/// One direction of a link on a wire: the model, and where it comes from and leads to.
struct WireDirection {
    var link: Link
    /// The other sides of the interfaces at its ends.
    let source: Int32
    let target: Int32
    /// The last instant that the model was told.
    var told = Instant.zero
    var lateness = LatenessHistogram()
    /// How late a packet may leave.
    var limit: Interval
    /// Whether there is a machine at the end that it comes from.
    var hasSource = true
    /// Whether there is one at the end that it leads to.
    var hasTarget = true
    var arrivedAtDownInterface: UInt64 = 0
    var arrivedAtNobody: UInt64 = 0
    var refusedByKernel: UInt64 = 0
    var tooLarge: UInt64 = 0

    init(_ profile: LinkProfile, random: SeededRandom, from source: Int32, to target: Int32) {
        link = Link(profile, random: random)
        self.source = source
        self.target = target
        limit = LateDirection.limit(forDelay: profile.delay)
    }

    var counters: WireCounters {
        WireCounters(
            link: link.counters, packetsInside: link.packetsInside, arrivedAtDownInterface: arrivedAtDownInterface,
            refusedByKernel: refusedByKernel, arrivedAtNobody: arrivedAtNobody, tooLarge: tooLarge)
    }

    mutating func change(to profile: LinkProfile, at now: Instant) {
        link.change(to: profile, at: now)
        limit = LateDirection.limit(forDelay: profile.delay)
    }
}
