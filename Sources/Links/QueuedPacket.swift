/// A packet as a link sees it: whose octets it does not hold, only their number.
public struct QueuedPacket: Equatable, Sendable, BitwiseCopyable {
    /// No packet is larger; a bit of it is thus always numbered by 28 bits.
    public static var maximumByteCount: UInt32 { 1 << 25 }

    /// The slot in the host's pool, which the link hands back when the packet leaves it.
    public var token: UInt32
    /// The length that the rate and the queue count.
    public var byteCount: UInt32
    /// Packets of one flow have one hash; only FQ-CoDel looks at it.
    public var flowHash: UInt32

    /// A packet of at most `maximumByteCount` bytes.
    @inlinable
    public init(token: UInt32, byteCount: UInt32, flowHash: UInt32 = 0) {
        precondition(byteCount <= QueuedPacket.maximumByteCount)
        self.token = token
        self.byteCount = byteCount
        self.flowHash = flowHash
    }
}
