// A BGP-4 speaker as a value: all sessions and RIBs of one node (RFC 4271), with the
// capabilities that it offers (RFC 5492): IPv4 and IPv6 unicast (RFC 4760, RFC 2545),
// four-octet AS numbers (RFC 6793) and route refresh (RFC 2918). Faulty UPDATEs cost
// what RFC 7606 says, and a session is ended with the subcodes of RFC 4486 and RFC 6608.
//
// Way in: the caller's connections as they come, speak and go, in `connected`,
// `received` and `closed`; time as `wake`, no later than `nextDeadline`; what the
// operator wants, in `start`, `announce`, `reset` and their like.
// Way out: actions in a `SpeakerOutbox`, carried out in order. The speaker knows no
// socket, clock or forwarding table; it knows peers by their number in the
// configuration, and which number calls is for the caller to find.
//
// Inside, `Session` holds one peer's machine, `RoutingTable` the Adj-RIBs-In and the
// Loc-RIB, `AdjacencyOut` what a peer has been told. An event changes paths; `settle`
// then decides every prefix that changed, and tells each peer once what that comes to.

public import Basics
public import Wire

/// All BGP sessions and RIBs of one node.
public struct Speaker: Sendable {
    public let configuration: SpeakerConfiguration
    /// When ``wake(at:into:)`` must be called at the latest.
    public private(set) var nextDeadline: Instant?
    /// Whether the outbox names each prefix whose best route changes in any way, for a ``MonitoringFeed``.
    public var reportsBestRoutes = false

    var sessions: ContiguousArray<Session> = []
    var outs: ContiguousArray<AdjacencyOut> = []
    /// Of each peer, what sets its present routes apart from those that it has left behind.
    var epochs: ContiguousArray<PeerEpochs> = []
    /// The peers whose sessions are up, in order.
    var establishedPeers: ContiguousArray<Int> = []
    /// Those among them that are told several paths to a prefix (RFC 7911).
    var numberedPeers: ContiguousArray<Int> = []
    /// Those that are told alone, in order, and those that are told together.
    var privatePeers: ContiguousArray<Int> = []
    var groups: ContiguousArray<UpdateGroup> = []
    /// Of each peer, its group, and on what terms it is told anything, where it may be told with others.
    var groupNumbers: ContiguousArray<Int?> = []
    var terms: ContiguousArray<UpdateGroup.Terms?> = []
    /// Walks through the whole table that are under way, one after the other.
    var walks: ContiguousArray<TableWalk> = []
    /// What peers had been told whose sessions are gone, to be given up bit by bit.
    var discarded: ContiguousArray<SparseTable<AttributeIndex>> = []
    var attributes = AttributeTable()
    var table = RoutingTable()
    var nextHops: NextHopTable
    /// Of prefixes with several next hops; empty where one path is all that is used.
    var nextHopSets = NextHopSets()
    var aggregates: AggregateTable
    var prefixScratch: ContiguousArray<PrefixIndex> = []
    var octetScratch: ContiguousArray<UInt8> = []
    private let pinned = Pinned()
    /// From a connection to twice the peer's number, plus one for the peer's own.
    private var connections = IndexTable()
    var deadlines: ContiguousArray<Instant> = []
    /// The flaps of each peer that is damped, and those peers.
    var dampers: ContiguousArray<DampingTable?> = []
    var dampedPeers: ContiguousArray<Int> = []
    /// Whether anything is left to be done, now or later, or has happened that may have left something.
    private var isStirred = true
    /// Until when nothing is decided after a restart; nil for not at all.
    var selectionDeferredUntil: Instant?
    private let local: Session.Local
    private var random: SeededRandom

    public init(_ configuration: SpeakerConfiguration, random: SeededRandom) {
        precondition(configuration.holdTime == .zero || configuration.holdTime >= .seconds(3))
        precondition(configuration.connectRetry > .zero && configuration.idleHold > .zero)
        self.configuration = configuration
        nextHops = NextHopTable(connected: configuration.connected)
        aggregates = AggregateTable(configuration.aggregates)
        local = Session.Local(
            autonomousSystem: configuration.autonomousSystem, identifier: configuration.routerID,
            holdTime: configuration.holdTime, connectRetry: configuration.connectRetry,
            idleHold: configuration.idleHold, maximumIdleHold: configuration.maximumIdleHold,
            confederation: configuration.confederation)
        self.random = random
        for peer in configuration.peers { addPeer(peer, isDynamic: false) }
    }

    private mutating func addPeer(_ peer: PeerConfiguration, isDynamic: Bool) {
        precondition(sessions.count < Int(PathSource.local))
        let session = Session(
            peer: sessions.count, peer, local: local, isDynamic: isDynamic, random: random.fork())
        sessions.append(session)
        outs.append(AdjacencyOut())
        epochs.append(PeerEpochs())
        deadlines.append(.never)
        groupNumbers.append(nil)
        terms.append(nil)
        dampers.append(nil)
        setDamper(sessions.count - 1)
    }

    private mutating func setDamper(_ peer: Int) {
        dampers[peer] = sessions[peer].configuration.damping.map { DampingTable($0) }
        dampedPeers = ContiguousArray(dampers.indices.filter { dampers[$0] != nil })
    }

    /// Makes a peer for one that has called, in the place of one that is gone where there is any.
    mutating func addDynamicPeer(_ peer: PeerConfiguration) -> Int {
        guard let place = sessions.firstIndex(where: \.isGone) else {
            addPeer(peer, isDynamic: true)
            return sessions.count - 1
        }
        sessions[place] = Session(peer: place, peer, local: local, isDynamic: true, random: random.fork())
        setDamper(place)
        return place
    }

    /// Originates the configured prefixes and starts all sessions.
    ///
    /// A speaker that restarts, and whose forwarding has gone on, says so, and decides
    /// nothing until its peers have told it everything (RFC 4724 §4.1).
    public mutating func start(isRestarting: Bool = false, at now: Instant, into outbox: inout SpeakerOutbox) {
        for prefix in configuration.networks { originate(prefix) }
        if isRestarting { selectionDeferredUntil = now + configuration.selectionDeferral }
        for peer in sessions.indices { step(.start(isRestarting: isRestarting), peer, at: now, into: &outbox) }
        settle(at: now, into: &outbox)
    }

    /// Takes a connection that has come to stand: the answer to `connect`, or one that the peer opened.
    public mutating func connected(
        peer: Int, connection: ConnectionID, isIncoming: Bool, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        let side = isIncoming ? ConnectionSide.incoming : .outgoing
        step(.connectionConfirmed(connection, side), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Takes the failure of the attempt that `connect` asked for.
    public mutating func connectFailed(peer: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        step(.attemptFails, peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Takes the end of a connection; one that the speaker has closed itself need not be told.
    public mutating func closed(
        _ connection: ConnectionID, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let (peer, side) = locate(connection) else { return }
        step(.connectionFails(side), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Takes octets of a connection, cut up in any way; those of an unknown connection are ignored.
    public mutating func received(
        _ bytes: RawSpan, on connection: ConnectionID, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let (peer, side) = locate(connection) else { return }
        var input = sessions[peer].takeInput(side)
        input.append(bytes)
        var offset = 0
        while let limit = sessions[peer].messageLimit(over: connection, side),
            input.count - offset >= MessageHeader.size
        {
            let rest = input.span.bytes.extracting(offset..<input.count)
            do throws(Notification) {
                let header = try MessageHeader(rest, maximumLength: limit)
                guard rest.byteCount >= header.length else { break }
                let body = rest.extracting(MessageHeader.size..<header.length)
                deliver(header.type, body, from: (peer, side), at: now, into: &outbox)
                offset += header.length
            } catch {
                step(.messageError(error, side), peer, at: now, into: &outbox)
            }
        }
        if sessions[peer].messageLimit(over: connection, side) != nil {
            input.removeFirst(offset)
            sessions[peer][side]?.input = input
        }
        settleSessions(at: now, into: &outbox)
    }

    /// Lets the timers expire that are due; coming early is harmless.
    public mutating func wake(at now: Instant, into outbox: inout SpeakerOutbox) {
        for peer in sessions.indices where deadlines[peer] <= now {
            while let timer = sessions[peer].timers.takeDue(at: now) {
                step(timer.event, peer, at: now, into: &outbox)
            }
            deadlines[peer] = sessions[peer].timers.next?.at ?? .never
        }
        settleSessions(at: now, into: &outbox)
    }

    /// Ends a session with a Cease; it starts over by itself; an unknown peer is ignored.
    ///
    /// The text is for the peer's operator (RFC 9003).
    public mutating func reset(
        peer: Int, because reason: CeaseReason = .administrativeReset, text: String = "", at now: Instant,
        into outbox: inout SpeakerOutbox
    ) {
        guard sessions.indices.contains(peer) else { return }
        step(.restart(.cease(reason, text: text)), peer, at: now, into: &outbox)
        settle(at: now, into: &outbox)
    }

    /// Ends all sessions with a Cease; ``start(at:into:)`` begins anew.
    public mutating func shutDown(text: String = "", at now: Instant, into outbox: inout SpeakerOutbox) {
        for peer in sessions.indices {
            step(.stop(.cease(.administrativeShutdown, text: text)), peer, at: now, into: &outbox)
        }
        settle(at: now, into: &outbox)
    }

    /// Originates a prefix.
    public mutating func announce(_ prefix: IPPrefix, at now: Instant, into outbox: inout SpeakerOutbox) {
        originate(prefix)
        settle(at: now, into: &outbox)
    }

    /// Originates many prefixes at once, so that they take few UPDATEs.
    public mutating func announce(_ series: PrefixSeries, at now: Instant, into outbox: inout SpeakerOutbox) {
        for index in 0..<series.count { originate(series[index]) }
        settle(at: now, into: &outbox)
    }

    /// Originates many prefixes no more.
    public mutating func withdraw(_ series: PrefixSeries, at now: Instant, into outbox: inout SpeakerOutbox) {
        for index in 0..<series.count { originateNoMore(series[index]) }
        settle(at: now, into: &outbox)
    }

    /// Originates a prefix no more.
    public mutating func withdraw(_ prefix: IPPrefix, at now: Instant, into outbox: inout SpeakerOutbox) {
        originateNoMore(prefix)
        settle(at: now, into: &outbox)
    }

    /// Tells what the way to a next hop costs now; nil if there is none (RFC 4271 §9.1.2.1).
    ///
    /// Of one that was never spoken of, ``SpeakerConfiguration/connected`` says whether it is near.
    public mutating func nextHopChanged(
        _ address: IPAddress, cost: UInt32?, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard nextHops.set(address, cost: cost) else { return }
        reconsider([IPPrefix(host: address)], at: now, into: &outbox)
    }

    /// Tells that a link has got or lost its carrier, by the prefixes that are reached directly over it.
    ///
    /// They are among ``SpeakerConfiguration/connected``, and all next hops in them go and come with the link, but for
    /// those of which ``nextHopChanged(_:cost:at:into:)`` has told. Where no links are named nothing happens.
    public mutating func linkChanged(
        _ prefixes: [IPPrefix], isUp: Bool, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard nextHops.setLink(prefixes, isUp: isUp) else { return }
        reconsider(prefixes, at: now, into: &outbox)
    }

    /// Asks a peer for all its routes of a family again, if it is able to (RFC 2918 §4).
    public mutating func requestRefresh(
        peer: Int, _ family: AddressFamily, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard sessions.indices.contains(peer), let (_, id, negotiated) = sessions[peer].established,
            negotiated.hasRouteRefresh, negotiated.context.families.contains(family)
        else { return }
        sessions[peer].send(.routeRefresh, on: id, into: &outbox) { RouteRefreshMessage(family).append(to: &$0) }
    }
}

extension Speaker {
    func locate(_ connection: ConnectionID) -> (peer: Int, side: ConnectionSide)? {
        guard let place = connections[UInt64(connection.rawValue)] else { return nil }
        return (Int(place / 2), place % 2 == 0 ? .outgoing : .incoming)
    }

    /// Hands an event to a session, and makes everything else follow from what it did.
    mutating func step(
        _ event: SessionEvent, _ peer: Int, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        let old = sessions[peer].standing()
        sessions[peer].handle(event, at: now, into: &outbox)
        let new = sessions[peer].standing()

        track(old.outgoing, new.outgoing, at: UInt32(peer) * 2)
        track(old.incoming, new.incoming, at: UInt32(peer) * 2 + 1)
        deadlines[peer] = new.deadline
        if new.hasLeftWork {
            isStirred = true
            carryOutOrders(peer)
        }
        guard new.state != old.state else { return }
        isStirred = true
        establishedPeers = ContiguousArray(sessions.indices.filter { sessions[$0].established != nil })
        numberedPeers = establishedPeers.filter { numbersPaths(to: $0) }
        regroup(peer)
        outbox.append(.sessionChanged(peer: peer, new.state))
    }

    /// Has everything decided anew that leads over these next hops.
    private mutating func reconsider(
        _ nextHops: [IPPrefix], at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        if attributes.hasAccumulatedMetrics { forgetExports() }
        walk(.reconsider(nextHops: nextHops))
        settle(at: now, into: &outbox)
    }

    private mutating func track(_ old: ConnectionID?, _ new: ConnectionID?, at place: UInt32) {
        guard old != new else { return }
        if let old { connections[UInt64(old.rawValue)] = nil }
        if let new { connections[UInt64(new.rawValue)] = place }
    }

    private mutating func deliver(
        _ type: MessageType, _ body: RawSpan, from sender: (peer: Int, side: ConnectionSide), at now: Instant,
        into outbox: inout SpeakerOutbox
    ) {
        let (peer, side) = sender
        sessions[peer].counters.received.count(type)
        do throws(Notification) {
            switch type {
            case .open:
                step(.open(try OpenMessage(body: body), side), peer, at: now, into: &outbox)
            case .update:
                try receiveUpdate(body, from: sender, at: now, into: &outbox)
            case .notification:
                step(.notification(try Notification(body: body), side), peer, at: now, into: &outbox)
            case .keepalive:
                step(.keepalive(side), peer, at: now, into: &outbox)
            case .routeRefresh:
                let isEnhanced = sessions[peer].established?.negotiated.hasEnhancedRefresh ?? false
                let message = try RouteRefreshMessage(body: body, isEnhanced: isEnhanced)
                step(.routeRefresh(message, side), peer, at: now, into: &outbox)
            }
        } catch {
            step(.messageError(error, side), peer, at: now, into: &outbox)
        }
    }

    private mutating func receiveUpdate(
        _ body: RawSpan, from sender: (peer: Int, side: ConnectionSide), at now: Instant,
        into outbox: inout SpeakerOutbox
    ) throws(Notification) {
        isStirred = true
        let established = sessions[sender.peer].established
        step(.update(sender.side), sender.peer, at: now, into: &outbox)
        guard let established, established.side == sender.side else { return }
        let context = established.negotiated.context
        let count = receivedCount(of: sender.peer)
        if applyPlain(body, context, from: sender.peer, at: now) {
            return checkPrefixLimit(of: sender.peer, before: count, at: now, into: &outbox)
        }
        let message = try UpdateMessage(body: body, context: context)
        apply(message, from: sender.peer, at: now)
        if let family = message.endOfRIB { step(.endOfRIB(family), sender.peer, at: now, into: &outbox) }
        checkPrefixLimit(of: sender.peer, before: count, at: now, into: &outbox)
    }

    /// Does as much of what is to be done as one call may, and looks when the next timer expires.
    mutating func settle(at now: Instant, into outbox: inout SpeakerOutbox) {
        var next = selectionDeferredUntil ?? .never
        if !isDeferring(at: now) {
            work(at: now, into: &outbox)
            next = hasWork(at: now) ? now : min(nextRound(after: now), nextReadmission(after: now))
        }
        isStirred = next != .never
        setDeadline(next)
    }

    /// Settles after events of sessions; most of them, KEEPALIVEs and their timers, leave nothing to be looked for.
    private mutating func settleSessions(at now: Instant, into outbox: inout SpeakerOutbox) {
        guard !isStirred else { return settle(at: now, into: &outbox) }
        setDeadline(.never)
    }

    private mutating func setDeadline(_ next: Instant) {
        let earliest = min(deadlines.min() ?? .never, next)
        nextDeadline = earliest == .never ? nil : earliest
    }
}
