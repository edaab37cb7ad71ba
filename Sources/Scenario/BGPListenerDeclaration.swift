public import BGP
public import Wire

/// Addresses on one of a node's links from which neighbours may call (RFC 4271 §8.1.1).
public struct BGPListenerDeclaration: Equatable, Sendable {
    public var range: IPPrefix
    /// What holds for each session; the addresses are filled in from the topology and the call.
    public var settings: PeerConfiguration
    /// How many may be there at the same time.
    public var maximumCount = 100

    public init(_ range: IPPrefix, settings: PeerConfiguration) {
        self.range = range
        self.settings = settings
    }
}
