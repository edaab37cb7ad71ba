public import BFD
public import BGP
public import Wire

/// A speaker at the far end of one of a node's links, which is no peer of the overlay.
public struct BGPNeighborDeclaration: Equatable, Sendable {
    /// Where the neighbour is found.
    public enum Place: Equatable, Sendable {
        case address(IPAddress)
        /// Across the first link to that node.
        case node(Int)
    }

    public var place: Place
    /// What the session is called, where it has a name.
    public var description: String?
    /// What holds for the session; its addresses, and an AS number of 0, are filled in from the topology.
    public var settings: PeerConfiguration
    /// How often BFD packets go, and how many may be missing; nil for no BFD.
    public var liveness: LivenessTiming?

    public init(_ place: Place, settings: PeerConfiguration) {
        self.place = place
        self.settings = settings
    }
}
