import BGP
import Basics
import Wire

/// One speaker with one peer that the test plays by hand.
final class Bench {
    static let peerIdentifier = IPv4Address(10, 0, 0, 2)

    var speaker: Speaker
    var outbox = SpeakerOutbox()
    var now = Instant.zero
    /// Everything the speaker asked for, but for what it writes.
    var actions: [SpeakerAction] = []
    /// What it wrote on each connection.
    var written: [UInt32: [UInt8]] = [:]

    init(
        ownAS: UInt32 = 65001, peerAS: UInt32 = 65002, seed: UInt64 = 1, networks: [IPPrefix] = [],
        configure: (inout SpeakerConfiguration) -> Void = { _ in }
    ) {
        var peer = PeerConfiguration(address: "192.0.2.2", autonomousSystem: peerAS, localAddress: "192.0.2.1")
        peer.families = [.ipv4Unicast, .ipv6Unicast]
        var configuration = SpeakerConfiguration(
            autonomousSystem: ownAS, routerID: IPv4Address(10, 0, 0, 1), peers: [peer], networks: networks)
        configure(&configuration)
        speaker = Speaker(configuration, random: SeededRandom(seed: seed))
    }

    var state: BGPSessionState { speaker.state(of: 0) }

    func start() {
        speaker.start(at: now, into: &outbox)
        collect()
    }

    func connect(_ connection: UInt32 = 1, isIncoming: Bool = false) {
        speaker.connected(
            peer: 0, connection: ConnectionID(connection), isIncoming: isIncoming, at: now, into: &outbox)
        collect()
    }

    func send(_ octets: [UInt8], on connection: UInt32 = 1) {
        speaker.received(octets.span.bytes, on: ConnectionID(connection), at: now, into: &outbox)
        collect()
    }

    func close(_ connection: UInt32 = 1) {
        speaker.closed(ConnectionID(connection), at: now, into: &outbox)
        collect()
    }

    /// Lets all timers expire that are due until then.
    func advance(to end: Instant) {
        while let deadline = speaker.nextDeadline, deadline <= end {
            now = max(now, deadline)
            speaker.wake(at: now, into: &outbox)
            collect()
        }
        now = end
    }

    func advance(by interval: Interval) {
        advance(to: now + interval)
    }

    /// Brings the session up over an outgoing connection.
    func establish(_ open: [UInt8] = Bench.open()) {
        start()
        connect()
        send(open)
        send(keepalive)
    }

    func collect() {
        for action in outbox.actions {
            if case .write(let connection, let range) = action {
                written[connection.rawValue, default: []] += copied(outbox.bytes(range))
            } else {
                actions.append(action)
            }
        }
        outbox.removeAll()
    }

    /// The messages written so far, each of which is given once.
    func takeMessages(on connection: UInt32 = 1) -> [(type: UInt8, body: [UInt8])] {
        defer { written[connection] = nil }
        return messages(in: written[connection] ?? [])
    }

    /// Code and subcode of the NOTIFICATION that ended the connection.
    func takeNotification(on connection: UInt32 = 1) -> [UInt8]? {
        takeMessages(on: connection).last { $0.type == 3 }.map { Array($0.body.prefix(2)) }
    }

    func takeActions() -> [SpeakerAction] {
        defer { actions = [] }
        return actions
    }

    /// The peer's OPEN.
    static func open(
        autonomousSystem: UInt32 = 65002, holdTime: UInt16 = 90, identifier: IPv4Address = Bench.peerIdentifier,
        capabilities: [Capability]? = nil
    ) -> [UInt8] {
        let capabilities =
            capabilities ?? [
                .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh,
                .fourOctetAS(autonomousSystem),
            ]
        let message = OpenMessage(
            autonomousSystem: autonomousSystem, holdTime: holdTime, identifier: identifier,
            capabilities: capabilities)
        return encoded { message.append(to: &$0) }
    }
}

/// An UPDATE as the peer of a ``Bench`` sends it.
func announcement(
    _ prefixes: [IPPrefix], numbered identifiers: [UInt32]? = nil, path: ASPath = ASPath(65002),
    nextHop: IPAddress = "192.0.2.2", change: (inout PathAttributes) -> Void = { _ in }
) -> [UInt8] {
    var attributes = PathAttributes(path: path, nextHop: nextHop)
    change(&attributes)
    return encoded { arena in
        var encoder = UpdateEncoder(format(identifiers))
        _ = encoder.announce(
            ContiguousArray(prefixes), identifiers: ContiguousArray(identifiers ?? []), with: attributes, to: &arena)
    }
}

/// The withdrawal of prefixes, or of those paths to them.
func withdrawal(_ prefixes: [IPPrefix], numbered identifiers: [UInt32]? = nil) -> [UInt8] {
    encoded {
        _ = UpdateEncoder(format(identifiers)).withdraw(
            ContiguousArray(prefixes), identifiers: ContiguousArray(identifiers ?? []), to: &$0)
    }
}

private func format(_ identifiers: [UInt32]?) -> UpdateFormat {
    var format = UpdateFormat(isFourOctet: true)
    if identifiers != nil { format.numberedFamilies = [.ipv4Unicast, .ipv6Unicast] }
    return format
}
