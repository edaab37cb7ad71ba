/// What a host has carried for its machine, and what the kernel would not take.
public struct HostCounters: Equatable, Sendable {
    public var receivedDatagrams: UInt64 = 0
    /// Those that the machine wanted sent, whether the kernel took them or not.
    public var sentDatagrams: UInt64 = 0
    /// Packets read from the overlay interface, and written to it.
    public var overlayPackets: UInt64 = 0
    public var deliveredPackets: UInt64 = 0

    // Datagrams that were not sent
    /// The kernel had no room.
    public var unsentForRoom: UInt64 = 0
    /// Larger than their way takes.
    public var unsentForSize: UInt64 = 0
    /// There was no way, or it was down.
    public var unsentForRoute: UInt64 = 0
    public var unsentOtherwise: UInt64 = 0

    /// Packets that the kernel did not take from the overlay interface.
    public var undeliveredPackets: UInt64 = 0
    /// Routes that the kernel did not take or did not have.
    public var refusedRoutes: UInt64 = 0
    /// Incoming streams for which there was no room.
    public var refusedStreams: UInt64 = 0
    /// Changes that the data plane did not take.
    public var refusedDataplaneChanges: UInt64 = 0

    public init() {}

    /// All datagrams that were not sent.
    public var unsentDatagrams: UInt64 { unsentForRoom + unsentForSize + unsentForRoute + unsentOtherwise }
}
