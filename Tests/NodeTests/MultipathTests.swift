import BGP
import Basics
import Machine
import Node
import TestKit
import Testing
import Wire

/// A node and its neighbours, each on a link of its own, all of which the test plays.
private final class Multihomed {
    static let prefix = IPPrefix(.v4(IPv4Address(198, 51, 100, 0)), length: 24)

    private var node: Node
    private var outbox = Outbox()
    private var now = Instant.zero
    /// Where the host sends packets for the prefix.
    private(set) var hops: [RouterHop] = []
    /// How often the host was told anything of the prefix.
    private(set) var changeCount = 0

    /// The neighbours have the AS numbers, in order of their ports.
    init(_ numbers: [UInt32], maximumPaths: Int, spreadsOverNeighbors: Bool = false) {
        var configuration = NodeConfiguration(
            name: "node", autonomousSystem: 65_001, overlayAddress: IPv4Address(10, 255, 0, 1), lan: [], ports: [],
            peers: [], tunnels: [], steering: Overlays.steering())
        configuration.maximumPaths = maximumPaths
        configuration.spreadsOverNeighbors = spreadsOverNeighbors
        configuration.neighbors = numbers.indices.map { port in
            let own = Self.address(port, host: 1)
            var session = PeerConfiguration(
                address: Self.address(port), autonomousSystem: numbers[port], localAddress: own)
            session.isPassive = true
            session.importPolicy = .acceptAll
            return BGPNeighbor(
                name: "neighbor \(port)", session: session, port: PortID(UInt16(port)),
                connected: [IPPrefix(own, length: 24)])
        }
        node = Node(configuration, random: SeededRandom(seed: 1, stream: "node"), at: .zero)
        handle(.start)
        for port in numbers.indices { establish(port, numbers[port]) }
    }

    static func address(_ port: Int, host: UInt8 = 2) -> IPAddress { .v4(IPv4Address(192, 0, UInt8(port), host)) }

    static func hop(_ port: Int) -> RouterHop { RouterHop(port: PortID(UInt16(port)), gateway: address(port)) }

    private func stream(_ port: Int) -> StreamID { StreamID(1 << 31 | UInt32(port)) }

    private func establish(_ port: Int, _ number: UInt32) {
        handle(
            .streamOpened(
                stream(port), local: SocketAddress(Self.address(port, host: 1), port: 179),
                remote: SocketAddress(Self.address(port), port: 40_000)))
        let open = OpenMessage(
            autonomousSystem: number, holdTime: 90, identifier: IPv4Address(10, 0, 0, UInt8(port)),
            capabilities: [.multiprotocol(.ipv4Unicast), .fourOctetAS(number)])
        say(port) { arena in
            open.append(to: &arena)
            let keepalive = Array(repeating: 0xFF as UInt8, count: 16) + [0, 19, 4]
            arena.append(keepalive.span.bytes)
        }
    }

    private func say(_ port: Int, _ write: (inout ByteArena) -> Void) {
        let octets = written(write)
        handle(.streamBytes(stream(port), octets.span.bytes))
        // What has been heard may be decided upon later.
        while let deadline = node.nextDeadline?.at, deadline <= now { handle(.deadline) }
    }

    /// A neighbour tells the prefix, by a path of those numbers.
    func announce(_ port: Int, path: ASPath) {
        say(port) { arena in
            var encoder = UpdateEncoder(UpdateFormat(isFourOctet: true))
            _ = encoder.announce(
                [Self.prefix], with: PathAttributes(path: path, nextHop: Self.address(port)), to: &arena)
        }
    }

    func withdraw(_ port: Int) {
        say(port) { _ = UpdateEncoder(UpdateFormat(isFourOctet: true)).withdraw([Self.prefix], to: &$0) }
    }

    func setCarrier(of port: Int, isUp: Bool) { handle(.portChanged(PortID(UInt16(port)), isUp: isUp)) }

    private func handle(_ event: borrowing Event) {
        node.handle(event, at: now, into: &outbox)
        for action in outbox.actions {
            switch action {
            case .program(.route(Self.prefix, let port, let gateway)):
                hops = [RouterHop(port: port, gateway: gateway)]
            case .program(.spread(Self.prefix, let range)): hops = outbox.routerHops(range)
            case .program(.unroute(Self.prefix)): hops = []
            default: continue
            }
            changeCount += 1
        }
        outbox.removeAll()
    }
}

/// Several equally good paths outside the overlay, as the host is told of them.
@Suite struct MultipathTests {
    @Test func `the host is told of all routers that are as good, and of every change of them`() {
        let node = Multihomed([65_002, 65_002, 65_002], maximumPaths: 8)
        node.announce(1, path: ASPath(65_002))
        #expect(node.hops == [Multihomed.hop(1)])
        node.announce(2, path: ASPath(65_002))
        #expect(node.hops == [1, 2].map { Multihomed.hop($0) })
        node.announce(0, path: ASPath(65_002))
        #expect(node.hops == [0, 1, 2].map { Multihomed.hop($0) })
        node.withdraw(1)
        #expect(node.hops == [0, 2].map { Multihomed.hop($0) })
        node.setCarrier(of: 0, isUp: false)
        #expect(node.hops == [Multihomed.hop(2)])
        node.withdraw(2)
        #expect(node.hops.isEmpty)
    }

    @Test func `no more routers are named than paths may be used`() {
        let node = Multihomed([65_002, 65_002, 65_002], maximumPaths: 2)
        for port in 0..<3 { node.announce(port, path: ASPath(65_002)) }
        #expect(node.hops == [0, 1].map { Multihomed.hop($0) })
    }

    @Test func `where one path is used, others that are as good change nothing`() {
        let node = Multihomed([65_002, 65_002], maximumPaths: 1)
        node.announce(0, path: ASPath(65_002))
        node.announce(1, path: ASPath(65_002))
        #expect(node.hops == [Multihomed.hop(0)] && node.changeCount == 1)
    }

    @Test(arguments: [false, true])
    func `paths by several neighbouring ASes are as good where the node is told so`(isRelaxed: Bool) {
        let node = Multihomed([65_002, 65_003], maximumPaths: 2, spreadsOverNeighbors: isRelaxed)
        node.announce(0, path: ASPath(65_002, 65_009))
        node.announce(1, path: ASPath(65_003, 65_009))
        #expect(node.hops == (isRelaxed ? [0, 1] : [0]).map { Multihomed.hop($0) })
        // A longer path is not as good.
        node.announce(1, path: ASPath(65_003, 65_008, 65_009))
        #expect(node.hops == [Multihomed.hop(0)])
    }
}

/// What the outbox carries of several routers.
@Suite struct RouterHopTests {
    @Test func `routers of both families come out of the outbox as they went in`() throws {
        var outbox = Outbox()
        outbox.arena.append(7 as UInt8)
        let hops = [
            RouterHop(port: PortID(0), gateway: .v4(IPv4Address(192, 0, 2, 255))),
            RouterHop(port: PortID(65_535), gateway: try #require(IPAddress("2001:db8::ffff"))),
        ]
        outbox.spread(Multihomed.prefix, over: hops)
        guard case .program(.spread(Multihomed.prefix, let range)) = outbox[0] else {
            Issue.record("\(outbox[0])")
            return
        }
        #expect(outbox.routerHops(range) == hops)
    }
}
