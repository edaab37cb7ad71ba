/// What keeps strangers out of connections with one peer.
public struct StreamProtection: Equatable, Sendable {
    /// Signs every segment to and from the peer (RFC 2385); empty for nothing.
    public var digestKey: [UInt8] = []
    /// What comes with a lower hop limit is not taken (RFC 5082).
    public var leastHopLimit: UInt8?
    /// What is sent carries it.
    public var hopLimit: UInt8?

    public init() {}
}
