/// What passed a tunnel since it was made, in this end's eyes.
public struct TunnelCounters: Equatable, Sendable, BitwiseCopyable {
    public var packetsSent: UInt64 = 0
    public var probesSent: UInt64 = 0
    /// Datagram payloads, headers included, of packets and probes.
    public var bytesSent: UInt64 = 0
    public var packetsReceived: UInt64 = 0
    public var probesReceived: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    /// Sequence numbers that were passed over and have not come since.
    public var lost: UInt64 = 0
    /// Arrivals behind a later one.
    public var reordered: UInt64 = 0
    public var duplicates: UInt64 = 0
    /// Arrivals so late that nobody can tell whether they are duplicates; dropped.
    public var tooLate: UInt64 = 0
    /// Datagrams that no peer of ours can have meant.
    public var refused: UInt64 = 0
    /// How often the other end started over.
    public var restarts: UInt64 = 0

    public init() {}
}
