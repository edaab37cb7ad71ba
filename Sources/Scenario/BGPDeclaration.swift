public import BGP
public import Wire

/// What a node's `bgp` key says: speakers outside the overlay, and what is told to them and heard from them.
public struct BGPDeclaration: Equatable, Sendable {
    /// Announced beside the node's LANs.
    public var networks: [IPPrefix] = []
    public var neighbors: [BGPNeighborDeclaration] = []
    /// Who may originate what (RFC 6811).
    public var origins: OriginTable?
    /// From where neighbours may call that are not named.
    public var listeners: [BGPListenerDeclaration] = []
    public var confederation: Confederation?
    public var aggregates: [Aggregate] = []
    /// Who is told what neighbours and peers have told (RFC 7854).
    public var collectors: [MonitoringCollector] = []
    /// Over how many equally good paths packets are spread.
    public var maximumPaths = 1
    /// Whether paths by different neighbouring ASes are equally good where they are equally long (RFC 7938 §6.2).
    public var spreadsOverNeighbors = false

    /// Whether packets to one prefix may leave by several next hops.
    public var spreadsFlows: Bool { maximumPaths > 1 }

    public init() {}
}
