public import Basics
public import Scenario

/// A direction of a link whose packets the wire let go too late, so that the run says nothing about the link.
///
/// That is so where more than one of a hundred packets that had to wait left later than half a millisecond or a
/// twentieth of the delay, whichever is more, after the instant at which the model said so. What the model itself makes
/// a packet wait, as in a queue, is no lateness.
public struct LateDirection: Equatable, Sendable, CustomStringConvertible {
    public var link: String
    public var direction: LinkDirection
    /// What 99 of a hundred packets did not exceed.
    public var lateness: Interval
    /// What is allowed under the delay that is configured now.
    public var limit: Interval

    /// The lateness that is allowed under a delay.
    public static func limit(forDelay delay: Interval) -> Interval {
        max(.nanoseconds(500_000), delay / 20)
    }

    init?(_ histogram: LatenessHistogram, delay: Interval, link: String, _ direction: LinkDirection) {
        guard histogram.overLimit > histogram.count / 100 else { return nil }
        self.link = link
        self.direction = direction
        lateness = histogram.quantile(Ratio(0.99))
        limit = Self.limit(forDelay: delay)
    }

    private var rounded: Interval { .microseconds(lateness.nanoseconds / 1_000) }

    public var description: String {
        "link \(link) \(direction): 99 % of the packets left up to \(rounded) after they were due,"
            + " where \(limit) is allowed"
    }
}
