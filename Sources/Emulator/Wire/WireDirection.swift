import Basics
import Links
import LinuxSystem

/// The other side of the interface at an end of a link.
struct WireEnd {
    let descriptor: Int32
    /// Whether what is written there may be ``JoinedSegments``; then every frame has the kernel's header in front.
    let takesJoinedSegments: Bool

    init(_ tap: borrowing TapDevice) {
        descriptor = tap.descriptor.number
        takesJoinedSegments = tap.takesJoinedSegments
    }

    /// How much stands in front of a frame.
    var headerByteCount: Int { takesJoinedSegments ? OffloadedPackets.headerByteCount : 0 }
}

/// One direction of a link on a wire: the model, and where it comes from and leads to.
struct WireDirection {
    var link: Link
    let source: WireEnd
    let target: WireEnd
    /// The last instant that the model was told.
    var told = Instant.zero
    /// Where the target takes segments of TCP together.
    var dueFrames = DueFrames()
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

    init(_ profile: LinkProfile, random: SeededRandom, from source: WireEnd, to target: WireEnd) {
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

    /// When something is to be done next.
    var nextDeadline: Instant? {
        guard let end = dueFrames.waitsUntil else { return link.nextDue }
        return min(end, link.nextDue ?? .never)
    }

    mutating func change(to profile: LinkProfile, at now: Instant) {
        link.change(to: profile, at: now)
        limit = LateDirection.limit(forDelay: profile.delay)
    }
}
