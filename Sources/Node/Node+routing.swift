import BGP
import Basics
import Machine
import Telemetry
import Tunnel
public import Wire

// BGP runs between the nodes' overlay addresses, so that its packets take whatever path
// steering has for them: a session outlives the tunnels that it ran through. What it
// learns goes into the node's own table and, as a route to the overlay interface, into
// the host's.

/// Which stream belongs to which peer's attempt or connection.
struct PeerStreams: Sendable {
    private var nextNumber: UInt32 = 1
    /// The attempt to reach each peer that has not been answered.
    private var attempts: ContiguousArray<StreamID?>

    init(peerCount: Int) {
        attempts = ContiguousArray(repeating: nil, count: peerCount)
    }

    /// Opens a stream to a session's peer.
    mutating func open(to peer: Int) -> StreamID {
        let stream = number()
        attempts[peer] = stream
        return stream
    }

    /// Names a stream.
    mutating func number() -> StreamID {
        defer { nextNumber &+= 1 }
        return StreamID(nextNumber)
    }

    /// The peer that a stream was opened to, whose attempt is answered herewith.
    mutating func answer(_ stream: StreamID) -> Int? {
        guard let peer = attempts.firstIndex(of: stream) else { return nil }
        attempts[peer] = nil
        return peer
    }

    mutating func abandon(_ peer: Int) -> StreamID? {
        // Who has called by itself was never called.
        guard attempts.indices.contains(peer) else { return nil }
        defer { attempts[peer] = nil }
        return attempts[peer]
    }
}

extension Node {
    /// The prefixes that are to be routed to the overlay interface, in order.
    public var overlayPrefixes: [IPPrefix] { routes.all() }

    /// The sessions by number: those with the overlay's peers, then those with its neighbours.
    static func speakerConfiguration(_ configuration: NodeConfiguration) -> SpeakerConfiguration {
        let own = configuration.overlayAddress
        let hasNeighbors = configuration.hasNeighbors
        var result = SpeakerConfiguration(
            autonomousSystem: configuration.autonomousSystem, routerID: own,
            peers: configuration.peers.map { peer in
                var settings = PeerConfiguration(
                    address: .v4(peer.overlayAddress), autonomousSystem: peer.autonomousSystem,
                    localAddress: .v4(own))
                settings.families = [.ipv4Unicast, .ipv6Unicast]
                settings.nextHopSelf = true
                if hasNeighbors { settings.importPolicy = .acceptAll }
                settings.exportPolicy = exportPolicy(of: configuration)
                settings.isPassive = isCalled(configuration, by: peer)
                // A session that ends takes no path away: whether a peer can be reached its tunnels say.
                settings.session.gracefulRestart = GracefulRestartConfiguration()
                return settings
            } + configuration.neighbors.map(\.session), networks: configuration.lan + configuration.networks)
        result.holdTime = configuration.bgpHoldTime
        // An attempt is given up with it, so it is longer than any round trip.
        result.connectRetry = .seconds(2)
        result.idleHold = .milliseconds(100)
        result.requiresExternalPolicy = hasNeighbors
        result.origins = configuration.origins
        result.groupsPeers = true
        result.connected = configuration.neighbors.flatMap(\.connected) + configuration.listeners.flatMap(\.connected)
        result.dynamicPeers = configuration.listeners.map(\.peers)
        result.aggregates = configuration.aggregates
        result.confederation = configuration.confederation
        result.maximumPaths = configuration.maximumPaths
        result.spreadsOverNeighbors = configuration.spreadsOverNeighbors
        return result
    }

    /// One end opens, so that a fresh overlay has no collisions to resolve.
    private static func isCalled(_ configuration: NodeConfiguration, by peer: OverlayPeer) -> Bool {
        configuration.overlayAddress > peer.overlayAddress
    }

    /// What peers of the overlay are told: everything by a node that passes traffic on, else what is the node's own and
    /// what its neighbours have told, but not what other peers have.
    private static func exportPolicy(of configuration: NodeConfiguration) -> RoutePolicy? {
        if configuration.isTransit { return configuration.hasNeighbors ? .acceptAll : nil }
        // What is originated here has the own number for its path, and none inside the AS.
        let own = ["^\(configuration.autonomousSystem)$", "^$"].compactMap { ASPathPattern($0) }
        var rules = own.map { PolicyRule(sequence: 0, .permit, conditions: [.path($0)]) }
        guard configuration.hasNeighbors else { return RoutePolicy(rules) }
        for peer in configuration.peers {
            let path = "^\(configuration.autonomousSystem)_\(peer.autonomousSystem)"
            guard let pattern = ASPathPattern(path) else { continue }
            rules.append(PolicyRule(sequence: 1, .deny, conditions: [.path(pattern)]))
        }
        return RoutePolicy(rules, otherwise: .permit)
    }

    /// Has the host protect the neighbours' sessions, and listen for them.
    mutating func listenForNeighbors(into outbox: inout Outbox) {
        var listening: [IPAddress] = []
        for neighbor in configuration.neighbors {
            let (session, transport) = (neighbor.session, neighbor.session.session.transport)
            if transport.md5Key != nil || transport.securedHops != nil {
                let start = outbox.arena.count
                for octet in (transport.md5Key ?? "").utf8 { outbox.arena.append(octet) }
                outbox.append(
                    .protect(
                        session.address, key: ByteRange(start: start, count: outbox.arena.count - start),
                        leastHopLimit: transport.minimumTimeToLive ?? 0))
            }
        }
        for address in configuration.neighbors.map(\.session.localAddress) + configuration.listeners.map(\.localAddress)
        where !listening.contains(address) {
            listening.append(address)
            outbox.append(.listen(SocketAddress(address, port: BGPPort.number)))
        }
    }

    /// A port towards neighbours has lost or got its carrier: sessions over it need not wait for their hold time, and
    /// routes that outlive them lead nowhere.
    mutating func neighborPortChanged(_ port: PortID, isUp: Bool, at now: Instant, into outbox: inout Outbox) {
        if !isUp { takeNeighborLivenessDown(at: port, at: now, into: &outbox) }
        let connected =
            configuration.neighbors.first { $0.port == port }?.connected
            ?? configuration.listeners.first { $0.port == port }?.connected ?? []
        speaker.linkChanged(connected, isUp: isUp, at: now, into: &routing)
        let named = configuration.peers.count + configuration.neighbors.count
        for peer in named..<max(named, speaker.peerCount)
        where connected.contains(where: { $0.contains(speaker.configuration(of: peer).address) }) {
            speaker.reset(peer: peer, because: .otherConfigurationChange, at: now, into: &routing)
        }
        for (index, neighbor) in configuration.neighbors.enumerated() where neighbor.port == port {
            speaker.reset(
                peer: configuration.peers.count + index, because: .otherConfigurationChange, at: now, into: &routing)
        }
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func startRouting(at now: Instant, into outbox: inout Outbox) {
        for peer in configuration.peers {
            speaker.nextHopChanged(.v4(peer.overlayAddress), cost: nil, at: now, into: &routing)
        }
        listenForNeighbors(into: &outbox)
        speaker.start(at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func wakeRouting(at now: Instant, into outbox: inout Outbox) {
        speaker.wake(at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func shutDownRouting(at now: Instant, into outbox: inout Outbox) {
        speaker.shutDown(at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func resetSession(_ peer: Int, at now: Instant, into outbox: inout Outbox) {
        speaker.reset(peer: peer, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func startSession(_ peer: Int, at now: Instant, into outbox: inout Outbox) {
        speaker.start(peer: peer, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func stopSession(_ peer: Int, _ reason: RawSpan, at now: Instant, into outbox: inout Outbox) {
        let text = reason.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        speaker.shutDown(peer: peer, text: text, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func refreshRoutes(of peer: Int, at now: Instant, into outbox: inout Outbox) {
        for family in AddressFamily.allCases { speaker.requestRefresh(peer: peer, family, at: now, into: &routing) }
        carryOutRouting(at: now, into: &outbox)
    }

    /// A peer can be reached through some tunnel, or through none: its routes follow (RFC 4271 §9.1.2.1).
    mutating func reachabilityChanged(of peer: Int, at now: Instant, into outbox: inout Outbox) {
        let isReachable = hasPath(to: peer)
        guard isReachable != peerIsReachable[peer] else { return }
        peerIsReachable[peer] = isReachable
        speaker.nextHopChanged(
            .v4(configuration.peers[peer].overlayAddress), cost: isReachable ? 0 : nil, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
        guard !Self.isCalled(configuration, by: configuration.peers[peer]) else { return }
        // The other end needs a probe to learn that this node has restarted, if it has.
        timers.set(timer(forCalling: peer), at: isReachable ? now + configuration.probeInterval * 2 : nil)
    }

    /// Calls a peer that has come within reach, in place of an attempt that was made in vain before.
    mutating func call(_ peer: Int, at now: Instant, into outbox: inout Outbox) {
        guard speaker.state(of: peer) < .openSent else { return }
        speaker.reset(peer: peer, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    /// Ends the session with a peer whose tunnel tells that it has restarted: it knows nothing of that session.
    mutating func noteRestart(of place: Int, heardUntil lastHeard: Instant?, at now: Instant, into outbox: inout Outbox)
    {
        let restarts = tunnels[place].tunnel.counters.restarts
        guard restarts != tunnels[place].restartsNoted else { return }
        tunnels[place].restartsNoted = restarts
        let peer = tunnels[place].end.peer
        // Another tunnel may have told before, and the session be a new one.
        guard let lastHeard, let established = speaker.status(of: peer).establishedAt, established <= lastHeard
        else { return }
        speaker.reset(peer: peer, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    /// Whether a tunnel to a peer is up.
    func hasPath(to peer: Int) -> Bool {
        (0..<tunnels.count).contains { tunnels[$0].isUp && tunnels[$0].end.peer == peer }
    }

    mutating func streamOpened(
        _ stream: StreamID, at local: SocketAddress, from remote: SocketAddress, at now: Instant,
        into outbox: inout Outbox
    ) {
        if let place = collector(at: stream) { return collectorOpened(place, at: now, into: &outbox) }
        let peer =
            stream.isIncoming
            ? speaker.peer(callingFrom: remote.address, to: local.address, at: now, into: &routing)
            : streams.answer(stream)
        guard let peer else { return outbox.append(.abort(stream)) }
        let connection = ConnectionID(stream.rawValue)
        monitor(connection: connection, of: peer, local: local, remote: remote)
        speaker.connected(
            peer: peer, connection: connection, isIncoming: stream.isIncoming, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func streamReceived(
        _ bytes: RawSpan, on stream: StreamID, at now: Instant, into outbox: inout Outbox
    ) {
        let connection = ConnectionID(stream.rawValue)
        if !collectors.isEmpty {
            guard collector(at: stream) == nil else { return }
            monitor(bytes, on: connection, at: now, into: &outbox)
        }
        speaker.received(bytes, on: connection, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func streamWritable(_ stream: StreamID, byteCount: Int, at now: Instant, into outbox: inout Outbox) {
        guard let place = collector(at: stream) else { return }
        collectorWritable(place, byteCount: byteCount, at: now, into: &outbox)
    }

    mutating func streamClosed(
        _ stream: StreamID, _ closure: StreamClosure, at now: Instant, into outbox: inout Outbox
    ) {
        if let place = collector(at: stream) { return collectorClosed(place, closure, at: now, into: &outbox) }
        if let peer = streams.answer(stream) {
            speaker.connectFailed(peer: peer, at: now, into: &routing)
        } else {
            monitor(endOf: ConnectionID(stream.rawValue))
            speaker.closed(ConnectionID(stream.rawValue), at: now, into: &routing)
        }
        if closure == .finished { outbox.append(.finish(stream)) }
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func carryOutRouting(at now: Instant, into outbox: inout Outbox) {
        if !collectors.isEmpty { monitorSpeaker(at: now, into: &outbox) }
        var changed: UInt32 = 0
        for index in 0..<routing.actions.count {
            switch routing.actions[index] {
            case .connect(let peer):
                let settings = speaker.configuration(of: peer)
                outbox.append(
                    .connect(
                        streams.open(to: peer), from: settings.localAddress,
                        to: SocketAddress(settings.address, port: BGPPort.number)))
            case .abandonConnect(let peer):
                if let stream = streams.abandon(peer) { outbox.append(.abort(stream)) }
            case .write(let connection, let range):
                let start = outbox.arena.count
                outbox.arena.append(routing.bytes(range))
                outbox.append(
                    .write(
                        StreamID(connection.rawValue), ByteRange(start: start, count: Int(range.count))))
            case .close(let connection):
                outbox.append(.finish(StreamID(connection.rawValue)))
            case .abort(let connection):
                outbox.append(.abort(StreamID(connection.rawValue)))
            case .sessionChanged(let peer, let state):
                guard let known = Telemetry.BGPSessionState(rawValue: state.rawValue) else { continue }
                outbox.append(.report(.sessionState(peer: UInt32(peer), known)))
            case .install(let prefix, let nextHop):
                changed += 1
                announcements.noteChange(of: prefix)
                install(prefix, nextHop, into: &outbox)
            case .withdraw(let prefix):
                changed += 1
                announcements.noteChange(of: prefix)
                withdraw(prefix, into: &outbox)
            }
        }
        routing.removeAll()
        let isRedirected = routeAnnounced(into: &outbox)
        if changed > 0 || isRedirected { takeBackRedirectedFlows(into: &outbox) }
        if changed > 0 { outbox.append(.report(.bestPathChanged(prefixCount: changed))) }
        timers.set(Timer.routing, at: speaker.nextDeadline)
    }

    mutating func install(_ prefix: IPPrefix, _ nextHop: IPAddress, into outbox: inout Outbox) {
        // What lies on a LAN of the node's own stays there, whatever peers announce.
        let isOnLAN = isOnLAN(PrefixSeries(prefix))
        if nextHop.isUnspecified, !isOnLAN {
            discard(prefix, into: &outbox)
        } else if !isOnLAN,
            let peer = configuration.peers.firstIndex(where: { nextHop.isOverlay($0.overlayAddress) })
        {
            routes.insert(prefix, peer: peer)
            outbox.append(.program(.install(prefix)))
            if outsideRoutes.remove(prefix) { outbox.append(.program(.unroute(prefix))) }
        } else if let port = port(toward: nextHop) {
            outsideRoutes.insert(prefix)
            let hops = equalHops(to: prefix, through: nextHop)
            if hops.count > 1 {
                outbox.spread(prefix, over: hops)
            } else {
                outbox.append(.program(.route(prefix, over: port, through: nextHop)))
            }
            if routes.remove(prefix) { outbox.append(.program(.withdraw(prefix))) }
        } else {
            withdraw(prefix, into: &outbox)
        }
    }

    /// Has packets for a prefix go nowhere, but for those that a longer one leads on.
    mutating func discard(_ prefix: IPPrefix, into outbox: inout Outbox) {
        if outsideRoutes.remove(prefix) { outbox.append(.program(.unroute(prefix))) }
        routes.insertDiscard(prefix)
        outbox.append(.program(.install(prefix)))
    }

    mutating func withdraw(_ prefix: IPPrefix, into outbox: inout Outbox) {
        if outsideRoutes.remove(prefix) { outbox.append(.program(.unroute(prefix))) }
        if routes.remove(prefix) { outbox.append(.program(.withdraw(prefix))) }
    }

    /// The routers over which packets to a prefix may be spread, in order of address, where the best path leads to one.
    ///
    /// Of a set in which peers of the overlay are as good, only the routers are used: a packet takes one way or the
    /// other, and the best path has decided which.
    private func equalHops(to prefix: IPPrefix, through best: IPAddress) -> [RouterHop] {
        guard configuration.maximumPaths > 1 else { return [] }
        let hops = speaker.nextHops(to: prefix)
        // A route that stands behind one originated here has no set of its own.
        guard hops.count > 1, hops.contains(best) else { return [] }
        return hops.compactMap { hop in
            guard hop.isIPv4 == best.isIPv4,
                !configuration.peers.contains(where: { hop.isOverlay($0.overlayAddress) })
            else { return nil }
            return port(toward: hop).map { RouterHop(port: $0, gateway: hop) }
        }
    }

    /// The port behind which a next hop outside the overlay is reached directly.
    private func port(toward nextHop: IPAddress) -> PortID? {
        configuration.neighbors.first { $0.session.address == nextHop }?.port
            ?? configuration.neighbors.first { $0.connected.contains { $0.contains(nextHop) } }?.port
            ?? configuration.listeners.first { $0.connected.contains { $0.contains(nextHop) } }?.port
    }
}

extension NodeConfiguration {
    /// Whether there are, or may be, speakers outside the overlay.
    var hasNeighbors: Bool { !neighbors.isEmpty || !listeners.isEmpty }
}

extension IPAddress {
    fileprivate var isUnspecified: Bool { self == .v4(.any) || self == .v6(.any) }

    /// Whether this is an overlay address, or the mapped form of it that IPv6 routes carry (RFC 4291 §2.5.5.2).
    fileprivate func isOverlay(_ address: IPv4Address) -> Bool {
        switch self {
        case .v4(let own): own == address
        case .v6(let own): own.high == 0 && own.low == 0xFFFF_0000_0000 | UInt64(address.bits)
        }
    }
}
