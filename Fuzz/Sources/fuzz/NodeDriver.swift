import BFD
import Basics
import Machine
import Node
import Steering
import Telemetry
import Tunnel
import Wire

/// A node with two tunnels to one peer, to which the input happens.
struct NodeDriver: ~Copyable {
    private static let own = IPv4Address(10, 255, 0, 1)
    private static let peer = IPv4Address(10, 255, 0, 2)

    private var node: Node
    private var outbox = Outbox()
    private var now = Instant.zero
    private var attempt: StreamID?
    private var stream = StreamID(1 << 31)
    private var sequence: UInt32 = 0

    static func run(_ input: InputReader) {
        var input = input
        var driver = NodeDriver()
        driver.hand(.start)
        while let kind = input.octet() {
            driver.now += Interval(step: kind >> 4)
            driver.handle(kind & 0x0F, &input)
        }
    }

    private init() {
        let voice = Steering.SLAClass(
            name: "voice", latency: .milliseconds(150), jitter: .milliseconds(30), loss: Ratio(0.01))
        let steering = Steering.Configuration(policies: [
            Steering.Policy(
                name: "voice", match: Steering.Match(application: .voip), slaClass: voice, prefer: ["wan-a"],
                priority: 200)
        ])
        let configuration = NodeConfiguration(
            name: "branch", autonomousSystem: 65001, overlayAddress: Self.own,
            lan: [.v4(IPv4Prefix(IPv4Address(10, 1, 0, 0), length: 16))],
            ports: (0..<2).map {
                WANPort(id: PortID(UInt16($0)), name: ["wan-a", "wan-b"][$0], address: Self.address(site: 1, port: $0))
            }, peers: [OverlayPeer(name: "hq", autonomousSystem: 65002, overlayAddress: Self.peer)],
            tunnels: (0..<2).map {
                TunnelEnd(
                    id: TunnelID(UInt32($0)), peer: 0, port: $0, remoteAddress: Self.address(site: 2, port: $0),
                    remotePort: ["wan-a", "wan-b"][$0])
            }, steering: steering)
        node = Node(configuration, random: SeededRandom(seed: 1), at: .zero)
    }

    private static func address(site: UInt8, port: Int) -> IPAddress {
        .v4(IPv4Address(198, 51, UInt8(100 + port), site))
    }

    private mutating func handle(_ kind: UInt8, _ input: inout InputReader) {
        switch kind {
        case 0, 1: receive(input.piece(), port: Int(kind))
        case 2, 3: receive(sealed(input.piece(), through: kind & 1), port: Int(kind & 1))
        case 4, 5: receive(sealed(Self.livenessPacket(input.piece()), through: kind & 1), port: Int(kind & 1))
        case 6, 7: receive(sealed(Self.probe(input.piece()), through: kind & 1, isProbe: true), port: Int(kind & 1))
        case 8:
            let packet = input.piece()
            hand(.overlayPacket(packet.span.bytes))
        case 9: openStream()
        case 10: receive(stream: input.piece())
        case 11:
            let type = input.octet() ?? 0
            receive(stream: bgpMessage(type, input.piece()))
        case 12: hand(.streamClosed(stream, StreamClosure(rawValue: (input.octet() ?? 0) % 5) ?? .reset))
        case 13:
            let octet = input.octet() ?? 0
            hand(.portChanged(PortID(UInt16(octet >> 1)), isUp: octet & 1 == 1))
        case 14: reachDeadline()
        default:
            let octet = input.octet() ?? 0
            hand(.command(octet == 0 ? .shutDown : .resetSession(peer: UInt32(octet - 1))))
        }
    }

    private mutating func hand(_ event: borrowing Event) {
        node.handle(event, at: now, into: &outbox)
        for index in 0..<outbox.count {
            if case .connect(let stream, _, _) = outbox[index] { attempt = stream }
        }
        outbox.removeAll()
    }

    /// A deadline that has been met is over.
    private mutating func reachDeadline() {
        guard let deadline = node.nextDeadline else { return }
        now = max(now, deadline.at)
        hand(.deadline)
        precondition(node.nextDeadline.map { $0.at > now } ?? true)
    }

    /// Answers the node's own attempt, or calls it.
    private mutating func openStream() {
        stream = attempt ?? StreamID(stream.rawValue &+ 1 | 1 << 31)
        attempt = nil
        hand(
            .streamOpened(
                stream, local: SocketAddress(.v4(Self.own), port: 179),
                remote: SocketAddress(.v4(Self.peer), port: 179)))
    }

    private mutating func receive(stream bytes: [UInt8]) {
        hand(.streamBytes(stream, bytes.span.bytes))
    }

    private mutating func receive(_ datagram: [UInt8], port: Int) {
        hand(
            .datagram(
                datagram.span.bytes, socket: SocketID(UInt32(port)),
                from: SocketAddress(Self.address(site: 2, port: port), port: 6_081)))
    }

    /// A payload as the other end would send it.
    private mutating func sealed(_ payload: [UInt8], through tunnel: UInt8, isProbe: Bool = false) -> [UInt8] {
        sequence &+= 1
        let family = payload.first.map { $0 >> 4 } == 6 ? EtherType.ipv6 : EtherType.ipv4
        let header = TunnelHeader(
            tunnelNumber: UInt32(tunnel), protocolType: isProbe ? EtherType.localExperimental : family,
            isControl: isProbe,
            path: PathOption(sequence: sequence, timestamp: UInt32(truncatingIfNeeded: now.nanoseconds / 1_000)))
        return octets {
            header.append(to: &$0, payloadByteCount: payload.count)
            $0.append(payload.span.bytes)
        }
    }

    /// A BFD packet in IP and UDP with right checksums (RFC 5883).
    private static func livenessPacket(_ payload: [UInt8]) -> [UInt8] {
        octets {
            IPv4Header(
                source: peer, destination: own, protocolNumber: ProtocolNumber.udp,
                payloadByteCount: UDPHeader.byteCount + payload.count
            ).append(to: &$0)
            UDPHeader(
                sourcePort: 49_152, destinationPort: Encapsulation.multihopPort, payloadByteCount: payload.count
            ).append(to: &$0)
            $0.append(payload.span.bytes)
        }
    }

    /// A probe's payload, filled up and with a right checksum.
    private static func probe(_ octets: [UInt8]) -> [UInt8] {
        var probe = octets + [UInt8](repeating: 0, count: max(0, ProbePayload.byteCount - octets.count))
        probe[0] = 1
        probe[2] = 0
        probe[3] = 0
        var sum = Checksum()
        sum.add(probe.span.bytes.extracting(0..<ProbePayload.byteCount))
        probe[2] = UInt8(sum.value >> 8)
        probe[3] = UInt8(sum.value & 0xFF)
        return probe
    }
}

/// What is written into an arena.
func octets(_ write: (inout ByteArena) -> Void) -> [UInt8] {
    var arena = ByteArena(capacity: 512)
    write(&arena)
    return arena.bytes(ByteRange(start: 0, count: arena.count)).withUnsafeBytes { unsafe [UInt8]($0) }
}
