import Basics
import Machine
import Node
import Telemetry
import Wire

/// A datagram that a node sent.
struct Sent: Equatable {
    var at: Instant
    var socket: SocketID
    var remote: SocketAddress
    var octets: [UInt8]

    var tunnel: UInt32 { Octets.tunnelNumber(of: octets) }
    /// A packet of somebody else's, neither probe nor BFD.
    var isTraffic: Bool { !Octets.isControl(octets) && !Octets.isLiveness(octets) }
}

/// Octets that were handed over at an instant.
struct Arrival: Equatable {
    var at: Instant
    var octets: [UInt8]
}

/// A node with what its host keeps for it, and everything that it ever did.
final class Site {
    let configuration: NodeConfiguration
    var node: Node
    var outbox = Outbox()
    /// How often the node was started.
    var lives = 1
    var isRunning = false
    var portIsUp: [Bool]

    // What the host keeps
    var bindings: [SocketID: SocketAddress] = [:]
    var listener: SocketAddress?
    var forwarding: [IPPrefix] = []
    var connections: [StreamID: Connection.End] = [:]
    var nextIncoming: UInt32 = 1 << 31
    /// What the node last said to be up or degraded.
    var upTunnels: [UInt32] = []

    // What happened
    var sent: [Sent] = []
    var delivered: [Arrival] = []
    var reports: [(at: Instant, record: TelemetryRecord)] = []
    var changes: [(at: Instant, change: ForwardingChange)] = []
    var tunnelsRead: [(at: Instant, tunnel: TunnelID)] = []
    /// Streams that the node was refused or that it aborted.
    var abortedStreams = 0
    var written: [(at: Instant, octets: [UInt8])] = []
    var mostActions = 0

    init(_ configuration: NodeConfiguration, seed: UInt64, at now: Instant) {
        self.configuration = configuration
        portIsUp = Array(repeating: true, count: configuration.ports.count)
        node = Node(configuration, random: SeededRandom(seed: seed, stream: configuration.name), at: now)
    }

    /// Puts a new machine in the place of one that is gone, as a restarted process would.
    func replaceNode(seed: UInt64, at now: Instant) {
        lives += 1
        node = Node(
            configuration, random: SeededRandom(seed: seed, stream: "\(configuration.name) \(lives)"), at: now)
        outbox.removeAll()
    }

    /// Hands the node a packet, whose actions stay in the outbox.
    func forward(_ packet: [UInt8], at now: Instant) {
        node.handle(.overlayPacket(packet.span.bytes), at: now, into: &outbox)
    }

    /// Hands the node a datagram, whose actions stay in the outbox.
    func receive(_ datagram: [UInt8], on socket: SocketID, from remote: SocketAddress, at now: Instant) {
        node.handle(.datagram(datagram.span.bytes, socket: socket, from: remote), at: now, into: &outbox)
    }

    var name: String { configuration.name }
    var deadline: Instant { isRunning ? node.nextDeadline?.at ?? .never : .never }
    var address: IPAddress { .v4(configuration.overlayAddress) }

    /// An address on the site's LAN.
    func host(_ number: UInt32 = 10) -> IPAddress {
        guard case .v4(let prefix)? = configuration.lan.first else { return address }
        return .v4(prefix.address + number)
    }
}

// MARK: What a test asks of the past

extension Site {
    /// Changes of a tunnel's state since `start`, in order.
    func states(of tunnel: UInt32? = nil, since start: Instant = .zero) -> [TunnelNews] {
        reports.compactMap { at, record in
            guard at >= start, case .tunnelState(let id, let state, let cause) = record else { return nil }
            guard tunnel == nil || tunnel == id.rawValue else { return nil }
            return TunnelNews(at: at, tunnel: id.rawValue, state: state, cause: cause)
        }
    }

    /// What became of the session with a peer since `start`.
    func sessionStates(with peer: UInt32 = 0, since start: Instant = .zero) -> [(at: Instant, state: BGPSessionState)] {
        reports.compactMap { at, record in
            guard at >= start, case .sessionState(peer, let state) = record else { return nil }
            return (at, state)
        }
    }

    func isEstablished(with peer: UInt32 = 0) -> Bool { sessionStates(with: peer).last?.state == .established }

    func drops(since start: Instant = .zero) -> [DropCause] {
        reports.compactMap { at, record in
            guard at >= start, case .dropped(let cause) = record else { return nil }
            return cause
        }
    }

    /// The moves of flows since `start`.
    func moves(since start: Instant = .zero) -> [Move] {
        reports.compactMap { at, record in
            guard at >= start, case .pathChange(_, let from, let to, let cause) = record else { return nil }
            return Move(at: at, from: from?.rawValue, to: to?.rawValue, cause: cause)
        }
    }

    /// Packets of others' that were sealed since `start`.
    func traffic(since start: Instant = .zero) -> [Sent] { sent.filter { $0.at >= start && $0.isTraffic } }

    func has(_ prefix: IPPrefix) -> Bool { forwarding.contains(prefix) }
}

struct TunnelNews: Equatable {
    var at: Instant
    var tunnel: UInt32
    var state: TunnelState
    var cause: ChangeCause
}

struct Move: Equatable {
    var at: Instant
    var from: UInt32?
    var to: UInt32?
    var cause: ChangeCause
}
