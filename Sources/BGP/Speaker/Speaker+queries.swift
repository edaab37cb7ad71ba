public import Basics
public import Wire

/// A route as a RIB holds it.
public struct Route: Equatable, Sendable {
    public var prefix: IPPrefix
    /// The peer that it was heard from; nil for one originated here.
    public var peer: Int?
    public var attributes: PathAttributes

    public init(prefix: IPPrefix, peer: Int?, attributes: PathAttributes) {
        self.prefix = prefix
        self.peer = peer
        self.attributes = attributes
    }
}

/// How a session stands.
public struct PeerStatus: Equatable, Sendable {
    public var state: BGPSessionState
    public var counters: SessionCounters
    /// Since when the session has been up.
    public var establishedAt: Instant?
    /// What both ends have settled on, while the session is up.
    public var holdTime: Interval?
    public var families: AddressFamilies
    public var identifier: IPv4Address?
    public var isFourOctet: Bool
    /// Routes in the peer's Adj-RIB-In.
    public var receivedRoutes: Int
    /// Those among them that take part in the decision.
    public var acceptedRoutes: Int
    /// Routes in the peer's Adj-RIB-Out.
    public var advertisedRoutes: Int
}

extension Speaker {
    /// The state of the session with one peer.
    public func state(of peer: Int) -> BGPSessionState { sessions[peer].state }

    /// Everything about the session with one peer.
    public func status(of peer: Int) -> PeerStatus {
        let session = sessions[peer]
        let negotiated = session.established?.negotiated
        return PeerStatus(
            state: session.state, counters: session.counters, establishedAt: session.establishedAt,
            holdTime: negotiated?.holdTime, families: negotiated?.context.families ?? [],
            identifier: negotiated?.identifier, isFourOctet: negotiated?.context.isFourOctet ?? false,
            receivedRoutes: epochs[peer].received, acceptedRoutes: epochs[peer].accepted,
            advertisedRoutes: outs[peer].told.count)
    }

    /// The Loc-RIB's route to exactly this prefix.
    public func bestRoute(to prefix: IPPrefix) -> Route? {
        table.find(prefix).flatMap { bestRoute($0) }
    }

    /// The Loc-RIB's route with the longest prefix that contains an address.
    public func lookUp(_ address: IPAddress) -> Route? {
        var length = address.isIPv4 ? 32 : 128
        while length >= 0 {
            if let route = bestRoute(to: IPPrefix(address, length: length)) { return route }
            length -= 1
        }
        return nil
    }

    /// The Loc-RIB in order of prefix, IPv4 first.
    public var bestRoutes: [Route] {
        table.inOrder().compactMap { bestRoute($0) }
    }

    /// A peer's Adj-RIB-In in order of prefix, as the peer sent it.
    public func receivedRoutes(from peer: Int) -> [Route] {
        table.inOrder().compactMap { index in
            guard let path = table.path(of: PathSource(peer), index),
                epochs[peer].counts(path, isIPv4: table.isIPv4(index))
            else { return nil }
            return Route(prefix: table[index], peer: peer, attributes: attributes[path.received])
        }
    }

    /// All routes to one prefix that take part in the decision, in order of the peers, the own one last.
    public func candidates(for prefix: IPPrefix) -> [Route] {
        guard let index = table.find(prefix) else { return [] }
        var routes: [Route] = []
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard path.accepted != .none,
                path.source == .local || epochs[Int(path.source)].counts(path, isIPv4: prefix.isIPv4)
            else { continue }
            let peer = path.source == .local ? nil : Int(path.source)
            routes.append(Route(prefix: prefix, peer: peer, attributes: attributes[path.accepted]))
        }
        return routes
    }

    /// A peer's Adj-RIB-Out in order of prefix, as it was told.
    public func advertisedRoutes(to peer: Int) -> [Route] {
        table.inOrder().compactMap { index in
            guard outs[peer].told[index] != .none, let best = table.best(index) else { return nil }
            let source = best.source == .local ? nil : Int(best.source)
            return Route(prefix: table[index], peer: source, attributes: attributes[outs[peer].told[index]])
        }
    }

    /// How many different sets of attributes are held.
    public var attributeSetCount: Int { attributes.count }

    private func bestRoute(_ index: PrefixIndex) -> Route? {
        table.best(index).map { best in
            let peer = best.source == .local ? nil : Int(best.source)
            return Route(prefix: table[index], peer: peer, attributes: attributes[best.attributes])
        }
    }
}
