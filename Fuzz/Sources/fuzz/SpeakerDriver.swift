import BGP
import Basics
import Wire

/// A speaker with two peers whose sessions stand, to which the input happens.
struct SpeakerDriver: ~Copyable {
    private static let peers: [UInt32] = [65002, 65003]

    private var speaker: Speaker
    private var outbox = SpeakerOutbox()
    private var now = Instant.zero
    private var connections: [UInt32] = [1, 2]
    private var nextConnection: UInt32 = 3

    static func run(_ input: InputReader) {
        var input = input
        var driver = SpeakerDriver()
        driver.establish()
        while let kind = input.octet() {
            driver.now += Interval(step: kind >> 4)
            driver.handle(kind & 0x0F, &input)
            driver.check()
        }
    }

    private init() {
        var configuration = SpeakerConfiguration(
            autonomousSystem: 65001, routerID: IPv4Address(10, 0, 0, 1),
            peers: Self.peers.indices.map { index in
                var peer = PeerConfiguration(
                    address: .v4(IPv4Address(192, 0, 2, UInt8(index + 2))), autonomousSystem: Self.peers[index],
                    localAddress: .v4(IPv4Address(192, 0, 2, 1)))
                peer.families = [.ipv4Unicast, .ipv6Unicast]
                return peer
            }, networks: [.v4(IPv4Prefix(IPv4Address(10, 1, 0, 0), length: 16))])
        configuration.connectRetry = .seconds(5)
        speaker = Speaker(configuration, random: SeededRandom(seed: 1))
    }

    private mutating func establish() {
        speaker.start(at: now, into: &outbox)
        for peer in Self.peers.indices {
            speaker.connected(
                peer: peer, connection: ConnectionID(connections[peer]), isIncoming: false, at: now, into: &outbox)
            receive(Self.greeting(of: peer), from: peer)
            precondition(speaker.state(of: peer) == .established)
        }
        outbox.removeAll()
    }

    private mutating func handle(_ kind: UInt8, _ input: inout InputReader) {
        let peer = Int(kind & 1)
        switch kind >> 1 {
        case 0: receive(input.piece(), from: peer)
        case 1:
            let type = input.octet() ?? 0
            receive(bgpMessage(type, input.piece()), from: peer)
        case 2:
            // An UPDATE that names its sender's AS and next hop is one that is believed.
            receive(bgpMessage(2, Self.updateBody(from: peer, prefixes: input.piece())), from: peer)
        case 3: speaker.wake(at: now, into: &outbox)
        case 4:
            speaker.closed(ConnectionID(connections[peer]), at: now, into: &outbox)
        case 5:
            connections[peer] = nextConnection
            nextConnection += 1
            speaker.connected(
                peer: peer, connection: ConnectionID(connections[peer]), isIncoming: true, at: now, into: &outbox)
            receive(Self.greeting(of: peer), from: peer)
        case 6: speaker.reset(peer: peer, at: now, into: &outbox)
        default: speaker.requestRefresh(peer: peer, .ipv6Unicast, at: now, into: &outbox)
        }
    }

    private mutating func receive(_ bytes: [UInt8], from peer: Int) {
        speaker.received(bytes.span.bytes, on: ConnectionID(connections[peer]), at: now, into: &outbox)
    }

    /// A session that has ended leaves no routes behind.
    private mutating func check() {
        for peer in Self.peers.indices where speaker.state(of: peer) != .established {
            precondition(speaker.status(of: peer).receivedRoutes == 0)
        }
        outbox.removeAll()
    }

    /// OPEN and KEEPALIVE.
    private static func greeting(of peer: Int) -> [UInt8] {
        let message = OpenMessage(
            autonomousSystem: peers[peer], holdTime: 90, identifier: IPv4Address(10, 0, 0, UInt8(peer + 2)),
            capabilities: [
                .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh, .fourOctetAS(peers[peer]),
            ])
        return octets {
            message.append(to: &$0)
            $0.appendKeepalive()
        }
    }

    private static func updateBody(from peer: Int, prefixes: [UInt8]) -> [UInt8] {
        let number = peers[peer]
        let path: [UInt8] = [0x40, 2, 6, 2, 1, 0, 0, UInt8(number >> 8), UInt8(number & 0xFF)]
        let attributes: [UInt8] = [0x40, 1, 1, 0] + path + [0x40, 3, 4, 192, 0, 2, UInt8(peer + 2)]
        return [0, 0, 0, UInt8(attributes.count)] + attributes + prefixes
    }
}

/// A message with a right header around that body (RFC 4271 §4.1).
func bgpMessage(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    let count = body.count + MessageHeader.size
    return [UInt8](repeating: 0xFF, count: 16) + [UInt8(count >> 8), UInt8(count & 0xFF), type] + body
}

extension Interval {
    /// Nothing, or a span between a microsecond and some minutes.
    init(step: UInt8) {
        self = step == 0 ? .zero : .microseconds(1 << (2 * Int64(step) - 2))
    }
}
