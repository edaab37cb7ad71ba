public import Basics

/// A time in which a flow delivered nothing, though it should have.
public struct DeliveryGap: Equatable, Codable, Sendable {
    /// The last arrival before, or the flow's start.
    public let start: Instant
    /// The first arrival after; for an open gap the instant until which it is known to last.
    public let end: Instant
    /// Packets sent inside that never came; for streams always 0.
    public internal(set) var packetsLost: UInt64
    /// Whether nothing had come yet when the meter was read.
    public let isOpen: Bool
    /// The numbers that were skipped when the gap ended.
    var skipped: Range<UInt64> = 0..<0
    /// Whether the sender was silent as long as nothing came, so that the gap is one only if packets were lost.
    var isQuiet = false

    public init(start: Instant, end: Instant, packetsLost: UInt64 = 0, isOpen: Bool = false) {
        self.start = start
        self.end = end
        self.packetsLost = packetsLost
        self.isOpen = isOpen
    }

    public var length: Interval { end - start }
}
