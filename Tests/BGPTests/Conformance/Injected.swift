import BGP
import Basics
import Wire

/// A speaker as the runner wants it: two injectors and a collector, all of which call.
enum Injected {
    static let ownAddress = IPv4Address(10, 254, 0, 2)
    static let external = 0
    static let `internal` = 1
    static let collector = 2

    static let configuration: SpeakerConfiguration = {
        let ends: [(IPAddress, UInt32)] = [("10.254.0.11", 65001), ("10.254.0.12", 65000), ("10.254.0.13", 65003)]
        let peers = ends.enumerated().map { index, end in
            var peer = PeerConfiguration(
                address: end.0, autonomousSystem: end.1, localAddress: .v4(ownAddress))
            peer.isPassive = true
            peer.importPolicy = index == collector ? .denyAll : .acceptAll
            peer.exportPolicy = index == collector ? .acceptAll : .denyAll
            return peer
        }
        var configuration = SpeakerConfiguration(autonomousSystem: 65000, routerID: ownAddress, peers: peers)
        configuration.idleHold = .milliseconds(100)
        configuration.maximumIdleHold = .milliseconds(200)
        return configuration
    }()

    static func peer(_ letter: String) -> Int { letter == "a" ? external : `internal` }

    /// The OPEN of the peer with that number, as the runner sends it.
    static func open(_ peer: Int, holdTime: UInt16 = 90) -> [UInt8] {
        let number = configuration.peers[peer].autonomousSystem
        let message = OpenMessage(
            autonomousSystem: number, holdTime: holdTime, identifier: IPv4Address(10, 254, 0, UInt8(11 + peer)),
            capabilities: [.multiprotocol(.ipv4Unicast), .routeRefresh, .fourOctetAS(number)])
        return encoded { message.append(to: &$0) }
    }
}

/// A speaker among injectors and a collector that the test plays.
final class InjectedBench {
    var speaker = Speaker(Injected.configuration, random: SeededRandom(seed: 1))
    private var outbox = SpeakerOutbox()
    private(set) var now = Instant.zero
    private var nextConnection: UInt32 = 1
    /// The connection of each peer, if it is up, and what came over it since it was last looked at.
    private var connections: [UInt32?] = [nil, nil, nil]
    private var heard: [UInt32: [UInt8]] = [:]
    private(set) var closed: [UInt32] = []
    /// What the collector holds: each prefix as it stands on the wire, with its attributes.
    private(set) var held: [[UInt8]: [UInt8]] = [:]

    init() {
        speaker.start(at: now, into: &outbox)
        collect()
    }

    func connect(_ peer: Int) -> UInt32 {
        let connection = nextConnection
        nextConnection += 1
        connections[peer] = connection
        speaker.connected(
            peer: peer, connection: ConnectionID(connection), isIncoming: true, at: now, into: &outbox)
        collect()
        return connection
    }

    func send(_ octets: [UInt8], on connection: UInt32) {
        guard !closed.contains(connection) else { return }
        speaker.received(octets.span.bytes, on: ConnectionID(connection), at: now, into: &outbox)
        collect()
    }

    func hangUp(_ connection: UInt32) {
        speaker.closed(ConnectionID(connection), at: now, into: &outbox)
        collect()
    }

    func wait(_ interval: Interval) {
        let end = now + interval
        while let deadline = speaker.nextDeadline, deadline <= end {
            now = max(now, deadline)
            speaker.wake(at: now, into: &outbox)
            collect()
        }
        now = end
    }

    /// The connection over which the session with a peer is up, brought up if it is not.
    func established(_ peer: Int) -> UInt32 {
        if let connection = connections[peer], speaker.state(of: peer) == .established { return connection }
        wait(.seconds(1))
        let connection = connect(peer)
        send(Injected.open(peer) + keepalive, on: connection)
        _ = takeAnswers(on: connection)
        return connection
    }

    /// What came over a connection since the last look.
    func takeAnswers(on connection: UInt32) -> [(type: UInt8, body: [UInt8])] {
        defer { heard[connection] = nil }
        return messages(in: heard[connection] ?? [])
    }

    private func collect() {
        for action in outbox.actions {
            switch action {
            case .write(let connection, let range):
                let octets = copied(outbox.bytes(range))
                heard[connection.rawValue, default: []] += octets
                if connection.rawValue == connections[Injected.collector] { hold(octets) }
            case .close(let connection), .abort(let connection): closed.append(connection.rawValue)
            default: break
            }
        }
        outbox.removeAll()
    }

    private func hold(_ octets: [UInt8]) {
        for message in messages(in: octets) where message.type == 2 {
            let body = message.body
            let withdrawn = Int(body[0]) << 8 | Int(body[1])
            let attributes = Int(body[2 + withdrawn]) << 8 | Int(body[3 + withdrawn])
            let start = 4 + withdrawn
            for prefix in prefixes(body[2..<2 + withdrawn]) { held[prefix] = nil }
            for prefix in prefixes(body[(start + attributes)...]) {
                held[prefix] = Array(body[start..<start + attributes])
            }
        }
    }

    private func prefixes(_ field: ArraySlice<UInt8>) -> [[UInt8]] {
        var rest = field
        var result: [[UInt8]] = []
        while let length = rest.first {
            let size = 1 + (Int(length) + 7) / 8
            result.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return result
    }
}

/// The flags of each attribute in a field, by its type.
func attributeFlags(_ field: [UInt8]) -> [UInt8: UInt8] {
    var flags: [UInt8: UInt8] = [:]
    var rest = field[...]
    while rest.count >= 3 {
        let octets = Array(rest.prefix(4))
        let isLong = octets[0] & 0x10 != 0
        let size = isLong ? 4 + (Int(octets[2]) << 8 | Int(octets[3])) : 3 + Int(octets[2])
        flags[octets[1]] = octets[0]
        rest = rest.dropFirst(size)
    }
    return flags
}
