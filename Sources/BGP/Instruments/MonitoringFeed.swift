// What one speaker tells a monitoring station (BMP, RFC 7854): which sessions stand,
// what their peers have told before any policy (Adj-RIB-In), what was chosen (Loc-RIB,
// RFC 9069) where that is asked for, and how sessions end.
//
// Way in: the same connections and octets that the speaker gets, each just before the
// speaker gets it, and its outbox after each call. Way out: messages appended to the
// arena that the caller hands in, to be written to the station's connection. `begin`
// opens a connection, at any time and again after one was lost: the sessions that stand
// are told at once, their routes prefix by prefix with `tellRoutes` as the station takes
// them, and then that these were all with `tellEndOfRoutes`.
//
// UPDATEs are passed on as they came, but for faulty ones, which are told as what they
// come to (RFC 7606).

public import Basics
public import Wire

/// The stream of one speaker's sessions and routes to a monitoring station.
public struct MonitoringFeed: Sendable {
    /// A connection, and what has gone over it so far.
    private struct Connection {
        let id: ConnectionID
        let peer: Int
        let local: SocketAddress
        let remote: SocketAddress
        var sentOpen: [UInt8] = []
        var receivedOpen: [UInt8] = []
        /// Octets of messages that are not whole yet.
        var sent: ContiguousArray<UInt8> = []
        var received: ContiguousArray<UInt8> = []
        /// UPDATEs that came before the speaker took the session for established.
        var early: ContiguousArray<UInt8> = []
        var end: BMPPeerDownReason?
        var isClosed = false
    }

    /// A session that stands.
    struct Session {
        let connection: ConnectionID
        var peer: BMPPeer
        let context: UpdateContext
        let format: UpdateFormat
    }

    /// Whether the station is told what the speaker chooses (RFC 9069), which then must report it.
    public let tellsBestRoutes: Bool
    /// When instants began, in seconds since 1970.
    private let epoch: UInt32
    private let information: [BMPInformation]
    let identifier: IPv4Address
    let autonomousSystem: UInt32
    private var connections: [Connection] = []
    /// Of each peer, the session while it stands.
    private(set) var sessions: [Session?]
    /// The UPDATEs of a route that has to be written anew.
    var scratch = MessageScratch()

    /// A feed for a speaker of that configuration, which goes by `name` at the station.
    public init(
        _ configuration: SpeakerConfiguration, name: String, description: String = "Patronus",
        tellsBestRoutes: Bool = false, epoch: UInt32 = 0
    ) {
        self.tellsBestRoutes = tellsBestRoutes
        self.epoch = epoch
        information = [.description(description), .name(name)]
        identifier = configuration.routerID
        autonomousSystem = configuration.autonomousSystem
        sessions = Array(repeating: nil, count: configuration.peers.count)
    }

    /// Says who speaks, and which sessions stand; the first thing on a connection to a station.
    public mutating func begin(at now: Instant, to arena: inout ByteArena) {
        BMPWriter.initiation(information, to: &arena)
        if tellsBestRoutes { tellBestRoutesBegin(at: now, to: &arena) }
        for session in sessions {
            guard let session, let place = connections.firstIndex(where: { $0.id == session.connection }) else {
                continue
            }
            peerUp(session.peer, connections[place], to: &arena)
        }
    }

    /// Says that nothing more will come.
    public func end(_ reason: BMPTerminationReason = .administrative, text: String = "", to arena: inout ByteArena) {
        BMPWriter.termination(reason, text: text, to: &arena)
    }

    /// Takes a connection that has come to stand, before the speaker does; the ends are those of TCP.
    public mutating func connected(
        peer: Int, connection: ConnectionID, local: SocketAddress, remote: SocketAddress
    ) {
        // A peer that has called without being configured has a number behind all others.
        while sessions.count <= peer { sessions.append(nil) }
        connections.removeAll { $0.id == connection }
        connections.append(Connection(id: connection, peer: peer, local: local, remote: remote))
    }

    /// Takes the octets that a peer has sent, before the speaker does.
    public mutating func received(
        _ bytes: RawSpan, on connection: ConnectionID, at now: Instant, to arena: inout ByteArena
    ) {
        guard let place = connections.firstIndex(where: { $0.id == connection }) else { return }
        var input = connections[place].received
        connections[place].received = []
        input.append(bytes)
        let used = forEachMessage(input.span.bytes) { type, message in
            switch type {
            case .open: connections[place].receivedOpen = message.copied()
            case .notification: connections[place].end = Self.notification(message).map { .remoteNotification($0) }
            case .update where sessions[connections[place].peer]?.connection == connection:
                tell(message, of: connections[place].peer, at: now, to: &arena)
            case .update: connections[place].early.append(message)
            case .keepalive, .routeRefresh: break
            }
        }
        input.removeFirst(used)
        connections[place].received = input
    }

    /// Takes the end of a connection by the peer or the network, before the speaker does.
    public mutating func closed(_ connection: ConnectionID) {
        guard let place = connections.firstIndex(where: { $0.id == connection }) else { return }
        if connections[place].end == nil { connections[place].end = .remoteClosed }
        connections[place].isClosed = true
    }

    /// Takes what the speaker has just left in its outbox, which it alone has filled since the last call.
    public mutating func observe(
        _ outbox: borrowing SpeakerOutbox, of speaker: borrowing Speaker, at now: Instant, to arena: inout ByteArena
    ) {
        for index in outbox.actions.indices {
            switch outbox.actions[index] {
            case .write(let connection, let range): sent(outbox.bytes(range), on: connection)
            case .sessionChanged(let peer, let state):
                if state == .established {
                    begin(peer, speaker, at: now, to: &arena)
                } else {
                    end(peer, at: now, to: &arena)
                }
            case .connect, .abandonConnect, .close, .abort, .install, .withdraw: break
            }
        }
        if tellsBestRoutes {
            for index in outbox.changedPrefixes.indices {
                tellBestRoute(to: outbox.changedPrefixes[index], of: speaker, at: now, to: &arena)
            }
        }
        for case .close(let id) in outbox.actions { connections.removeAll { $0.id == id } }
        for case .abort(let id) in outbox.actions { connections.removeAll { $0.id == id } }
        connections.removeAll(where: \.isClosed)
    }

    /// The header of what the speaker itself chooses (RFC 9069 §4.1).
    func bestRoutesPeer(at now: Instant) -> BMPPeer {
        BMPPeer(
            .bestRoutes, address: .v4(.any), autonomousSystem: autonomousSystem, identifier: identifier,
            time: WallTime(now, since: epoch))
    }

    func session(of peer: Int) -> Session? { sessions.indices.contains(peer) ? sessions[peer] : nil }

    /// The header of a peer whose session stands.
    func header(of session: Session, at now: Instant) -> BMPPeer {
        var peer = session.peer
        peer.time = WallTime(now, since: epoch)
        return peer
    }

    private mutating func sent(_ bytes: RawSpan, on connection: ConnectionID) {
        guard let place = connections.firstIndex(where: { $0.id == connection }) else { return }
        var output = connections[place].sent
        connections[place].sent = []
        output.append(bytes)
        let used = forEachMessage(output.span.bytes) { type, message in
            if type == .open { connections[place].sentOpen = message.copied() }
            if type == .notification {
                connections[place].end = Self.notification(message).map { .localNotification($0) }
            }
        }
        output.removeFirst(used)
        connections[place].sent = output
    }

    private mutating func begin(
        _ peer: Int, _ speaker: borrowing Speaker, at now: Instant, to arena: inout ByteArena
    ) {
        // Of two connections that collided, the speaker has closed the one that does not count.
        guard let negotiated = speaker.sessions[peer].established?.negotiated,
            let place = connections.lastIndex(where: {
                $0.peer == peer && $0.end == nil && !$0.sentOpen.isEmpty && !$0.receivedOpen.isEmpty
            })
        else { return }
        var header = BMPPeer(
            address: connections[place].remote.address, autonomousSystem: negotiated.autonomousSystem,
            identifier: negotiated.identifier, time: WallTime(now, since: epoch))
        header.isTwoOctet = !negotiated.context.isFourOctet
        sessions[peer] = Session(
            connection: connections[place].id, peer: header,
            context: negotiated.context, format: UpdateFormat(asHeardWith: negotiated.context))
        peerUp(header, connections[place], to: &arena)
        let early = connections[place].early
        connections[place].early = []
        _ = forEachMessage(early.span.bytes) { _, message in tell(message, of: peer, at: now, to: &arena) }
    }

    private mutating func end(_ peer: Int, at now: Instant, to arena: inout ByteArena) {
        guard let session = session(of: peer) else { return }
        let place = connections.firstIndex { $0.id == session.connection }
        let reason = place.flatMap { connections[$0].end }
        BMPWriter.peerDown(header(of: session, at: now), reason ?? .localEvent(0), to: &arena)
        sessions[peer] = nil
        connections.removeAll { $0.id == session.connection }
    }

    private func peerUp(_ peer: BMPPeer, _ connection: Connection, to arena: inout ByteArena) {
        BMPWriter.peerUp(
            peer, ends: (connection.local, connection.remote.port), sent: connection.sentOpen.span.bytes,
            received: connection.receivedOpen.span.bytes, to: &arena)
    }

    private static func notification(_ message: RawSpan) -> Notification? {
        try? Notification(body: message.extracting(droppingFirst: MessageHeader.size))
    }
}

/// Calls `body` with each whole message, and returns how many octets they take together; a broken one hides the rest.
private func forEachMessage(_ bytes: RawSpan, _ body: (MessageType, RawSpan) -> Void) -> Int {
    var offset = 0
    while bytes.byteCount - offset >= MessageHeader.size {
        let rest = bytes.extracting(offset..<bytes.byteCount)
        guard let header = try? MessageHeader(rest, maximumLength: MessageHeader.extendedMaximumLength) else {
            return bytes.byteCount
        }
        guard rest.byteCount >= header.length else { break }
        body(header.type, rest.extracting(0..<header.length))
        offset += header.length
    }
    return offset
}
