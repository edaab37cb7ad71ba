import BFD
import BGP
import Basics
import Machine
import Node
import TestKit
import Testing
import Wire

/// A node and a neighbour on its link, which the test plays: a BGP session that may be taken up again, and BFD.
private final class Watched {
    static let neighbor = IPAddress.v4(IPv4Address(192, 0, 2, 2))
    static let prefix = IPPrefix(.v4(IPv4Address(198, 51, 100, 0)), length: 24)
    private static let stream = StreamID(1 << 31)
    private static let timing = LivenessTiming(interval: .milliseconds(50))

    private var node: Node
    private var outbox = Outbox()
    private(set) var now = Instant.zero
    /// Whether the host routes the neighbour's prefix.
    private(set) var isRouted = false

    init() {
        let own = IPv4Address(192, 0, 2, 1)
        var session = PeerConfiguration(
            address: Self.neighbor, autonomousSystem: 65_002, localAddress: .v4(own))
        session.isPassive = true
        session.importPolicy = .acceptAll
        session.session.followsBFD = true
        session.session.gracefulRestart = GracefulRestartConfiguration()
        var neighbor = BGPNeighbor(
            name: "neighbor", session: session, port: PortID(0),
            connected: [IPPrefix(.v4(own), length: 24)])
        neighbor.liveness = Self.timing
        var configuration = NodeConfiguration(
            name: "node", autonomousSystem: 65_001, overlayAddress: IPv4Address(10, 255, 0, 1), lan: [], ports: [],
            peers: [], tunnels: [], steering: Overlays.steering())
        configuration.neighbors = [neighbor]
        node = Node(configuration, random: SeededRandom(seed: 1, stream: "node"), at: .zero)
        handle(.start)
    }

    private func handle(_ event: borrowing Event) {
        node.handle(event, at: now, into: &outbox)
        for action in outbox.actions {
            switch action {
            case .program(.route(Self.prefix, _, Self.neighbor)): isRouted = true
            case .program(.unroute(Self.prefix)): isRouted = false
            default: break
            }
        }
        outbox.removeAll()
    }

    /// The neighbour calls, and tells its prefix.
    func establish() {
        handle(
            .streamOpened(
                Self.stream, local: SocketAddress(.v4(IPv4Address(192, 0, 2, 1)), port: 179),
                remote: SocketAddress(Self.neighbor, port: 40_000)))
        let restart = GracefulRestartOffer(
            isRestarting: false, coversNotifications: true, restartTime: 60,
            families: [.init(FamilyIdentifiers(.ipv4Unicast), isForwardingKept: true)])
        let open = OpenMessage(
            autonomousSystem: 65_002, holdTime: 90, identifier: IPv4Address(10, 0, 0, 2),
            capabilities: [.multiprotocol(.ipv4Unicast), .gracefulRestart(restart), .fourOctetAS(65_002)])
        let octets = written { arena in
            open.append(to: &arena)
            let keepalive = Array(repeating: 0xFF as UInt8, count: 16) + [0, 19, 4]
            arena.append(keepalive.span.bytes)
            var encoder = UpdateEncoder(UpdateFormat(isFourOctet: true))
            _ = encoder.announce(
                [Self.prefix], with: PathAttributes(path: ASPath(65_002), nextHop: Self.neighbor), to: &arena)
        }
        handle(.streamBytes(Self.stream, octets.span.bytes))
    }

    /// The neighbour sends a BFD packet.
    func say(_ state: BFD.Session.State, isIndependent: Bool) {
        var packet = ControlPacket(
            state: state, detectMultiplier: Self.timing.detectMultiplier,
            discriminators: (local: 7, remote: state == .down ? 0 : 1), desiredMinTx: Self.timing.interval,
            requiredMinRx: Self.timing.interval)
        packet.isControlPlaneIndependent = isIndependent
        let octets = written { packet.append(to: &$0) }
        handle(.datagram(octets.span.bytes, socket: SocketID(0), from: SocketAddress(Self.neighbor, port: 49_152)))
    }

    func run(for span: Interval) {
        let end = now + span
        while let deadline = node.nextDeadline?.at, deadline <= end {
            now = max(now, deadline)
            handle(.deadline)
        }
        now = end
    }
}

/// What BFD with a neighbour outside the overlay means for what that has told (RFC 5882 §4.3).
@Suite struct NeighborLivenessTests {
    @Test(arguments: [false, true])
    func `silence takes the routes where the neighbour's BFD would outlive its control plane`(isIndependent: Bool) {
        let watched = Watched()
        watched.say(.down, isIndependent: !isIndependent)
        watched.say(.initializing, isIndependent: !isIndependent)
        for _ in 0..<10 {
            watched.run(for: .milliseconds(50))
            watched.say(.up, isIndependent: !isIndependent)
        }
        watched.establish()
        watched.run(for: .milliseconds(50))
        // What it said last counts.
        watched.say(.up, isIndependent: isIndependent)
        watched.run(for: .milliseconds(140))
        #expect(watched.isRouted)
        watched.run(for: .milliseconds(300))
        #expect(watched.isRouted == !isIndependent)
    }
}
