public import Links

/// What became of the frames of one direction of a wire's link.
public struct WireCounters: Equatable, Sendable {
    /// What the model did with those offered to it.
    public var link: Links.LinkCounters
    /// How many are inside now.
    public var packetsInside: Int
    /// Frames that arrived while the interface at the far end was down.
    public var arrivedAtDownInterface: UInt64
    /// Frames that arrived and that the kernel did not take for another reason.
    public var refusedByKernel: UInt64
    /// Frames that arrived where no machine is any more.
    public var arrivedAtNobody: UInt64
    /// Frames larger than the wire has room for, which were not offered.
    public var tooLarge: UInt64
}
