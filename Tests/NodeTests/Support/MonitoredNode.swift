import BGP
import Basics
import Machine
import Node
import TestKit
import Wire

/// A node with one neighbour and one collector, both of which the test plays.
final class MonitoredNode {
    static let neighbor = IPAddress.v4(IPv4Address(192, 0, 2, 2))
    static let collector = SocketAddress(.v4(IPv4Address(203, 0, 113, 9)), port: 11_019)
    static let own = IPAddress.v4(IPv4Address(192, 0, 2, 1))
    static let lan = IPPrefix(.v4(IPv4Address(10, 1, 0, 0)), length: 16)
    /// What is read on the session with the neighbour.
    static let context = UpdateContext(isInternal: false)

    private var node: Node
    private var outbox = Outbox()
    private(set) var now = Instant.zero
    private var nextSession: UInt32 = 1 << 31

    /// When the node called the collector, and by which stream; likewise what else it did with such streams.
    private(set) var calls: [(at: Instant, stream: StreamID)] = []
    private(set) var aborted: [StreamID] = []
    private(set) var finished: [StreamID] = []
    /// What it has written on the stream that it opened last.
    private(set) var stream: [UInt8] = []
    private var session = StreamID(1 << 31)

    init(change: (inout MonitoringCollector) -> Void = { _ in }) {
        var session = PeerConfiguration(
            address: Self.neighbor, autonomousSystem: 65_002, localAddress: Self.own)
        session.families = [.ipv4Unicast, .ipv6Unicast]
        session.isPassive = true
        session.importPolicy = .acceptAll
        var configuration = NodeConfiguration(
            name: "node", autonomousSystem: 65_001, overlayAddress: IPv4Address(10, 255, 0, 1),
            lan: [Self.lan], ports: [], peers: [], tunnels: [], steering: Overlays.steering())
        configuration.neighbors = [
            BGPNeighbor(
                name: "neighbor", session: session, port: PortID(0), connected: [IPPrefix(Self.own, length: 24)])
        ]
        var collector = MonitoringCollector(Self.collector)
        change(&collector)
        configuration.collectors = [collector]
        configuration.epoch = 1_000_000
        node = Node(configuration, random: SeededRandom(seed: 1, stream: "node"), at: .zero)
        handle(.start)
    }

    var status: CollectorStatus { node.collectorStatuses[0] }

    /// Whether the node has a path to a prefix.
    func knows(_ prefix: IPPrefix) -> Bool { !node.explanation(of: prefix).isEmpty }

    private func handle(_ event: borrowing Event) {
        node.handle(event, at: now, into: &outbox)
        for action in outbox.actions {
            switch action {
            case .connect(let stream, let source, Self.collector):
                precondition(source == .v4(.any))
                calls.append((now, stream))
            case .write(calls.last?.stream, let range): stream += Array(copying: outbox.bytes(range))
            case .abort(let stream) where !stream.isIncoming: aborted.append(stream)
            case .finish(let stream) where !stream.isIncoming: finished.append(stream)
            default: break
            }
        }
        outbox.removeAll()
    }

    // MARK: The collector

    /// Answers the node's last call.
    func answer() {
        stream = []
        guard let call = calls.last else { return }
        handle(
            .streamOpened(
                call.stream, local: SocketAddress(Self.own, port: 50_000), remote: Self.collector))
    }

    func end(_ closure: StreamClosure) {
        guard let call = calls.last else { return }
        handle(.streamClosed(call.stream, closure))
    }

    /// The host has room for so much more.
    func offer(_ byteCount: Int) {
        guard let call = calls.last else { return }
        handle(.streamWritable(call.stream, byteCount: byteCount))
    }

    /// All that the collector has got since it last answered.
    func messages() throws -> [BMPMessage] {
        let octets = stream
        var reader = BMPReader()
        var messages: [BMPMessage] = []
        while let message = try reader.next(in: octets.span.bytes) { messages.append(message) }
        precondition(reader.offset == octets.count)
        return messages
    }

    // MARK: The neighbour

    func establish() {
        session = StreamID(nextSession)
        nextSession += 1
        handle(
            .streamOpened(
                session, local: SocketAddress(Self.own, port: 179), remote: SocketAddress(Self.neighbor, port: 40_000)))
        let open = OpenMessage(
            autonomousSystem: 65_002, holdTime: 0, identifier: IPv4Address(10, 0, 0, 2),
            capabilities: [.multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .fourOctetAS(65_002)])
        say { arena in
            open.append(to: &arena)
            let keepalive = Array(repeating: 0xFF as UInt8, count: 16) + [0, 19, 4]
            arena.append(keepalive.span.bytes)
        }
    }

    func announce(_ prefixes: [IPPrefix], discriminator: UInt32? = nil) {
        var attributes = PathAttributes(path: ASPath(65_002), nextHop: Self.neighbor)
        attributes.multiExitDiscriminator = discriminator
        say { arena in
            var encoder = UpdateEncoder(UpdateFormat(isFourOctet: true))
            _ = encoder.announce(ContiguousArray(prefixes), with: attributes, to: &arena)
        }
    }

    func withdraw(_ prefix: IPPrefix) {
        say { arena in
            _ = UpdateEncoder(UpdateFormat(isFourOctet: true)).withdraw([prefix], to: &arena)
        }
    }

    func loseSession() { handle(.streamClosed(session, .reset)) }

    private func say(_ write: (inout ByteArena) -> Void) {
        let octets = written(write)
        handle(.streamBytes(session, octets.span.bytes))
    }

    // MARK: The rest

    func shutDown() { handle(.command(.shutDown)) }

    func run(for span: Interval) {
        let end = now + span
        while let deadline = node.nextDeadline?.at, deadline <= end {
            now = max(now, deadline)
            handle(.deadline)
        }
        now = end
    }
}

/// The tables that a collector has when it has read a stream.
struct CollectedTables {
    /// What peers have told, and what the speaker has chosen: the discriminator of each prefix.
    private(set) var told: [IPPrefix: UInt32?] = [:]
    private(set) var chosen: [IPPrefix: UInt32?] = [:]
    /// What the speaker originates itself, which has no next hop and so is nothing that a peer could tell.
    private(set) var own: [IPPrefix] = []
    /// The families of which it has been told that they are complete, of peers and of what is chosen.
    private(set) var toldEnds = 0
    private(set) var chosenEnds = 0

    init(_ messages: [BMPMessage], of stream: [UInt8]) throws {
        for message in messages {
            switch message.content {
            case .peerDown: told = [:]
            case .routes(let peer, let place):
                let body = Array(stream[place].dropFirst(19))
                let update = try UpdateMessage(body: body.span.bytes, context: MonitoredNode.context)
                let isChosen = peer.kind == .bestRoutes
                if update.endOfRIB != nil { if isChosen { chosenEnds += 1 } else { toldEnds += 1 } }
                if isChosen, !update.faults.isEmpty { own += update.withdrawn }
                var table = isChosen ? chosen : told
                for prefix in update.withdrawn { table[prefix] = nil }
                for announcement in update.announcements {
                    for prefix in announcement.prefixes {
                        table.updateValue(announcement.attributes.multiExitDiscriminator, forKey: prefix)
                    }
                }
                if isChosen { chosen = table } else { told = table }
            default: break
            }
        }
    }
}
