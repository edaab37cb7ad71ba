public import Basics
public import Wire

/// A route as a RIB holds it.
public struct Route: Equatable, Sendable {
    public var prefix: IPPrefix
    /// The peer that it was heard from; nil for one originated here.
    public var peer: Int?
    public var attributes: PathAttributes
    /// What the path is called by whoever tells it; 0 where it is one of one (RFC 7911 §3).
    public var pathIdentifier: UInt32

    public init(prefix: IPPrefix, peer: Int?, attributes: PathAttributes, pathIdentifier: UInt32 = 0) {
        self.prefix = prefix
        self.peer = peer
        self.attributes = attributes
        self.pathIdentifier = pathIdentifier
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

    /// How many routes the Loc-RIB has.
    public var bestRouteCount: Int {
        (0..<table.pageCount).reduce(0) { sum, page in
            sum + table.numbers(inPage: page).count { table.best($0) != nil }
        }
    }

    /// The prefixes of one page of the table that somebody has told or is told; nil behind the last.
    ///
    /// A page has no more than a few thousand. A prefix that is there while all pages are read is in one of them.
    public func prefixes(inPage page: UInt32) -> [IPPrefix]? {
        guard page < table.pageCount else { return nil }
        return table.numbers(inPage: page).map { table[$0] }
    }

    /// A peer's Adj-RIB-In in order of prefix, as the peer sent it.
    public func receivedRoutes(from peer: Int) -> [Route] {
        table.inOrder().flatMap { index in
            receivedPaths(from: peer, index).map { route($0, to: table[index], $0.received) }
        }
    }

    /// A peer's routes to one prefix, as the peer sent them, but for those that only stand until it has told them again
    /// (RFC 4724 §4.2).
    public func freshRoutes(from peer: Int, to prefix: IPPrefix) -> [Route] {
        guard let index = table.find(prefix) else { return [] }
        return receivedPaths(from: peer, index).filter { !epochs[peer].isStale($0, isIPv4: prefix.isIPv4) }
            .map { route($0, to: prefix, $0.received) }
    }

    /// What a peer has told of a prefix and not taken back.
    private func receivedPaths(from peer: Int, _ index: PrefixIndex) -> [RoutingTable.Path] {
        let isIPv4 = table.isIPv4(index)
        var paths: [RoutingTable.Path] = []
        var next = table.firstPath(of: PathSource(peer), index)
        while let path = next {
            next = table.nextPath(ofSourceOf: path, index)
            if epochs[peer].counts(path, isIPv4: isIPv4) { paths.append(path) }
        }
        return paths
    }

    /// All routes to one prefix that take part in the decision, in order of the peers, the own one last.
    public func candidates(for prefix: IPPrefix) -> [Route] {
        guard let index = table.find(prefix) else { return [] }
        var routes: [Route] = []
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard path.isUsable,
                path.source == .local || epochs[Int(path.source)].counts(path, isIPv4: prefix.isIPv4)
            else { continue }
            routes.append(route(path, to: prefix, path.accepted))
        }
        return routes
    }

    /// A peer's Adj-RIB-Out in order of prefix and of the numbers that paths have, as it was told.
    public func advertisedRoutes(to peer: Int) -> [Route] {
        guard outs[peer].slots == nil else { return table.inOrder().flatMap { advertisedPaths($0, to: peer) } }
        return table.inOrder().compactMap { index in
            guard outs[peer].told[index] != .none, let best = table.best(index) else { return nil }
            return Route(prefix: table[index], peer: best.peer, attributes: attributes[outs[peer].told[index]])
        }
    }

    private func advertisedPaths(_ index: PrefixIndex, to peer: Int) -> [Route] {
        guard let slots = outs[peer].slots else { return [] }
        var routes: [Route] = []
        var slot = slots.first(of: index)
        while slot != endOfLinks {
            let told = outs[peer].told[slot]
            let number = slots[slot].identifier
            if told != .none {
                let source = number == 0 ? table.best(index)?.peer : table.source(ofTold: number, index)
                routes.append(
                    Route(prefix: table[index], peer: source, attributes: attributes[told], pathIdentifier: number))
            }
            slot = slots[slot].link
        }
        return routes.sorted { $0.pathIdentifier < $1.pathIdentifier }
    }

    /// A path as others may see it.
    func route(_ path: RoutingTable.Path, to prefix: IPPrefix, _ set: AttributeIndex) -> Route {
        Route(
            prefix: prefix, peer: path.source == .local ? nil : Int(path.source), attributes: attributes[set],
            pathIdentifier: path.numbers.heard)
    }

    /// How many different sets of attributes are held.
    public var attributeSetCount: Int { attributes.count }

    private func bestRoute(_ index: PrefixIndex) -> Route? {
        table.best(index).map { best in
            Route(
                prefix: table[index], peer: best.peer, attributes: attributes[best.attributes],
                pathIdentifier: table.number(of: best, index))
        }
    }
}

extension RoutingTable.Best {
    /// The peer that the route was heard from; nil for one originated here.
    fileprivate var peer: Int? { source == .local ? nil : Int(source) }
}

extension RoutingTable {
    /// What its teller calls the route chosen: of paths that are alike, the first is taken.
    fileprivate func number(of best: Best, _ index: PrefixIndex) -> UInt32 {
        var next = firstPath(of: best.source, index)
        while let path = next, !path.isUsable || path.accepted != best.attributes {
            next = nextPath(ofSourceOf: path, index)
        }
        return next?.numbers.heard ?? 0
    }

    /// The peer that has told the path that others know by that number; nil for the speaker itself.
    fileprivate func source(ofTold number: UInt32, _ index: PrefixIndex) -> Int? {
        var next = firstPath(index)
        while let path = next, path.toldNumber != number { next = self.next(after: path) }
        guard let source = next?.source, source != .local else { return nil }
        return Int(source)
    }
}
