import Basics
import Machine
import Node
import Steering
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

/// Whatever happens to a node in whatever order, it neither traps nor runs away.
struct FuzzTests {
    @Test func `any events in any order are survived, each with a bounded answer`() {
        let speech = Self.recordedSpeech()
        var depth = Depth()
        forEachSeed(60) { random in
            var storm = Storm(speech: speech, random: random.fork())
            for _ in 0..<3_000 {
                storm.step()
                try #require(storm.outbox.count <= 64, "\(storm.lastEvent)")
                try #require(storm.outbox.arena.count <= 256 * 1_024, "\(storm.lastEvent)")
                storm.settle()
                try #require(storm.node.blackholedPackets == 0)
            }
            depth += storm.seen
        }
        // The storms are worth something only where they come behind the first checks.
        #expect(depth.established > 0 && depth.tunnels > 0 && depth.delivered > 50)
        #expect(depth.sent > 200 && depth.changes > 0)
    }

    @Test func `a deadline that is handed in leaves none behind`() {
        let speech = Self.recordedSpeech()
        forEachSeed(20) { random in
            var storm = Storm(speech: speech, random: random.fork())
            for _ in 0..<1_000 {
                storm.step()
                storm.settle()
                storm.node.handle(.deadline, at: storm.now, into: &storm.outbox)
                try #require(storm.node.nextDeadline.map { $0.at > storm.now } ?? true)
                storm.settle()
            }
        }
    }

    @Test func `noise costs no memory`() {
        var storm = Storm(speech: [[], []], random: SeededRandom(seed: 1))
        for _ in 0..<20_000 { storm.makeNoise() }
        let datagrams = (0..<2_000).map { _ in storm.datagram() }
        let packets = (0..<2_000).map { _ in storm.packet() }
        var errors: UInt64 = 0
        let count = allocations {
            for index in datagrams.indices {
                storm.hear(datagrams[index])
                storm.send(packets[index])
                for place in 0..<storm.outbox.count {
                    switch storm.outbox[place] {
                    case .report(.dropped(.malformed)), .report(.dropped(.badChecksum)): errors += 1
                    case .report(.dropped(.badTunnelHeader)): errors += 1
                    default: break
                    }
                }
                storm.outbox.removeAll()
            }
        }
        // While tests run, the library that runs them boxes each error that is thrown; nothing else may allocate.
        #expect(count <= errors)
        #expect(errors < 2_000)
    }

    @Test func `a peer in good health is not disturbed by a forger's datagrams`() {
        forEachSeed(10) { random in
            let world = Overlays.settledPair(seed: random.next())
            let start = world.now
            world.sendFlow(from: 0, to: 1, every: .milliseconds(10), during: .seconds(5))
            world.sendFlow(from: 1, to: 0, every: .milliseconds(10), during: .seconds(5))
            for _ in 0..<1_000 {
                world.run(for: .milliseconds(5))
                let site = Int(random.below(2))
                let port = Int(random.below(2))
                let passed = world.sites[1 - site].sent
                let octets =
                    random.chance(Ratio(0.5))
                    ? random.octets(Int(random.below(200)))
                    : Self.forged(passed[Int(random.below(UInt64(passed.count)))].octets, &random)
                let remote = SocketAddress(Overlays.portAddress(1 - site, port), port: 6_081)
                world.handle(
                    .datagram(octets.span.bytes, socket: SocketID(UInt32(port)), from: remote), at: site)
            }
            world.run(for: .seconds(1))
            for site in world.sites {
                try #require(site.states(since: start).isEmpty && site.sessionStates(since: start).isEmpty)
                try #require(site.delivered.count { $0.at >= start } == 500)
            }
        }
    }

    /// A datagram that has passed with one octet of its header changed, which the checksum always tells.
    private static func forged(_ octets: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var octets = octets
        octets[Int(random.below(UInt64(TunnelHeader.byteCount)))] ^= UInt8(1 + random.below(255))
        return octets
    }

    /// All that each spoke of a star said to its hub, in order.
    private static func recordedSpeech() -> [[UInt8]] {
        let world = Overlays.star()
        world.run(until: .zero + .seconds(60))
        return world.sites.dropFirst().map { $0.written.flatMap(\.octets) }
    }
}

/// How far storms have come: what only happens behind the first checks.
private struct Depth {
    var established = 0
    var tunnels = 0
    var delivered = 0
    var sent = 0
    var changes = 0

    static func += (left: inout Depth, right: Depth) {
        left.established += right.established
        left.tunnels += right.tunnels
        left.delivered += right.delivered
        left.sent += right.sent
        left.changes += right.changes
    }
}

/// A stream, the peer (from 0) who speaks on it, and how far he has come.
private struct Talk {
    var stream: StreamID
    var peer: Int
    var offset = 0
    var isOpen = false
}

/// A node, two peers' ends of its tunnels, and a host that does anything at any time.
private struct Storm: ~Copyable {
    var node: Node
    var outbox = Outbox()
    var now = Instant.zero
    private(set) var lastEvent = ""
    private(set) var seen = Depth()
    private var random: SeededRandom
    private var peers: [Tunnel]
    /// What each peer says on a stream that nothing happens to.
    private let speech: [[UInt8]]
    private var sealed: [[UInt8]] = []
    /// Streams that may stand, and attempts that wait for an answer.
    private var streams: [Talk] = []
    private let configuration: NodeConfiguration

    init(speech: [[UInt8]], random: SeededRandom) {
        var random = random
        self.speech = speech
        let world = Overlays.star { _, configuration in configuration.steering.flowCapacity = 64 }
        configuration = world.sites[0].configuration
        node = Node(configuration, random: random.fork(), at: .zero)
        peers = (0..<2).map {
            Tunnel(TunnelConfiguration(number: $0, clocksShared: true), random: random.fork(), at: .zero)
        }
        self.random = random
        node.handle(.start, at: now, into: &outbox)
        settle()
    }

    /// Takes note of what the node asked for, and empties the outbox.
    mutating func settle() {
        for index in 0..<outbox.count {
            switch outbox[index] {
            case .connect(let stream, _, let remote):
                let peer = remote.address == .v4(Overlays.overlayAddress(1)) ? 0 : 1
                streams.append(Talk(stream: stream, peer: peer))
            case .finish(let stream), .abort(let stream):
                if random.chance(Ratio(0.7)) { streams.removeAll { $0.stream == stream } }
            case .report(.sessionState(_, .established)): seen.established += 1
            case .report(.tunnelState(_, .up, .sessionUp)): seen.tunnels += 1
            case .deliver: seen.delivered += 1
            case .send: seen.sent += 1
            case .program: seen.changes += 1
            default: break
            }
        }
        if streams.count > 16 { streams.removeFirst() }
        outbox.removeAll()
    }

    mutating func step() {
        passTime()
        switch random.below(100) {
        case 0..<35: hear(datagram())
        case 35..<55: send(packet())
        case 55..<80: disturbStreams()
        case 80..<84:
            let port = PortID(UInt16(random.below(4)))
            handle(.portChanged(port, isUp: random.chance(Ratio(0.7))), "port")
        case 84..<86: orderSession(UInt32(random.below(4)))
        case 86 where random.chance(Ratio(0.05)): handle(.command(.shutDown), "shutDown")
        case 86:
            let block = IPPrefix(.v4(IPv4Address(10, UInt8(random.below(4)), 0, 0)), length: 16)
            guard let series = PrefixSeries(count: 1 + Int(random.below(3)), length: 18, in: block) else { return }
            handle(.command(random.chance(Ratio(0.5)) ? .announce(series) : .withdraw(series)), "announce")
        case 87 where random.chance(Ratio(0.05)): handle(.start, "start")
        default: handle(.deadline, "deadline")
        }
    }

    /// What an operator may want of a session; one that is stopped is mostly started again.
    private mutating func orderSession(_ peer: UInt32) {
        switch random.below(8) {
        case 0..<3: handle(.command(.resetSession(peer: peer)), "reset")
        case 3: handle(.command(.refreshRoutes(peer: peer)), "refresh")
        case 4:
            let reason = random.octets(Int(random.below(300)))
            handle(.stopSession(peer: peer, reason: reason.span.bytes), "stop")
        default: handle(.command(.startSession(peer: peer)), "start")
        }
    }

    /// Packets, datagrams and deadlines alone.
    mutating func makeNoise() {
        passTime()
        switch random.below(3) {
        case 0: hear(datagram())
        case 1: send(packet())
        default: handle(.deadline, "deadline")
        }
        settle()
    }

    /// Mostly a host that keeps its deadlines, and now and then one that has slept.
    private mutating func passTime() {
        switch random.below(50) {
        case 0: now += .milliseconds(Int64(random.below(20_000)))
        case 1..<20: now += .microseconds(Int64(random.below(40_000)))
        case 20..<40: now = max(now, node.nextDeadline?.at ?? now)
        default: break
        }
    }

    mutating func handle(_ event: borrowing Event, _ name: String) {
        lastEvent = name
        node.handle(event, at: now, into: &outbox)
    }

    /// Mostly from the peer whose tunnel's number it bears, at the socket that it belongs to.
    mutating func hear(_ octets: [UInt8]) {
        let isRight = random.chance(Ratio(0.9))
        let site = 1 + (isRight && octets.count > 6 ? Int(octets[6]) % 3 : Int(random.below(3)))
        let socket = SocketID(isRight ? 0 : UInt32(random.below(3)))
        let remote = SocketAddress(Overlays.portAddress(site, 0), port: 6_081)
        handle(.datagram(octets.span.bytes, socket: socket, from: remote), "datagram")
    }

    mutating func send(_ octets: [UInt8]) { handle(.overlayPacket(octets.span.bytes), "packet") }

    // MARK: What there is to hand in

    /// A datagram: noise, something sealed by a peer, a probe, a repetition, or any of these damaged.
    mutating func datagram() -> [UInt8] {
        let peer = Int(random.below(2))
        let inner = random.chance(Ratio(0.5)) ? liveness(from: peer) : packet()
        let octets: [UInt8]
        switch random.below(6) {
        case 0: octets = random.octets(Int(random.below(120)))
        case 1 where !sealed.isEmpty: octets = sealed[Int(random.below(UInt64(sealed.count)))]
        case 2:
            octets = written { _ = peers[peer].wake(at: now, into: &$0) }
        default:
            octets = written { _ = peers[peer].seal(innerPacket: inner.span.bytes, at: now, into: &$0) }
        }
        if sealed.count < 64 { sealed.append(octets) }
        return random.chance(Ratio(0.3)) ? random.mutated(octets) : octets
    }

    /// A packet to somewhere, damaged or not.
    mutating func packet() -> [UInt8] {
        let octets: [UInt8]
        let payload = random.octets(Int(random.below(60)))
        let ports = (UInt16(random.below(64)), UInt16(random.below(40_000)))
        switch random.below(4) {
        case 0: octets = random.octets(Int(random.below(90)))
        case 1:
            let target = IPv6Address(high: 0xFD00_0000_0000_0000 | random.below(5) << 32, low: random.next())
            octets = Octets.udp(
                from: .v6(IPv6Address(high: 1, low: 2)), to: .v6(target), ports: ports, payload: payload)
        default:
            let target = IPv4Address(10, UInt8(random.below(5)), 0, UInt8(random.below(4)))
            let overlay = Overlays.overlayAddress(Int(random.below(4)))
            octets = Octets.udp(
                from: .v4(IPv4Address(10, 1, 0, 1)), to: .v4(random.chance(Ratio(0.5)) ? target : overlay),
                ports: ports, dscp: UInt8(random.below(64)), payload: payload)
        }
        return random.chance(Ratio(0.2)) ? random.mutated(octets) : octets
    }

    /// A BFD packet in any state, whole, damaged, or with random content.
    private mutating func liveness(from peer: Int) -> [UInt8] {
        var control: [UInt8] = [
            0x20 | UInt8(random.below(9)), UInt8(random.below(4)) << 6 | (random.chance(Ratio(0.3)) ? 0x20 : 0), 3, 24,
        ]
        let discriminators: [UInt8] = [0, 0, 0, UInt8(1 + random.below(2)), 0, 0, 0, UInt8(random.below(4))]
        control += discriminators
        for _ in 0..<2 { control += written { $0.append(UInt32(random.below(200_000))) } }
        control += [0, 0, 0, 0]
        if random.chance(Ratio(0.2)) { control = random.mutated(control) }
        var packet = Octets.udp(
            from: .v4(Overlays.overlayAddress(1 + peer)), to: .v4(Overlays.overlayAddress(0)), ports: (49_152, 4_784),
            payload: control)
        guard random.chance(Ratio(0.2)) else { return packet }
        packet[3] = UInt8(random.below(80))
        packet[10] = 0
        packet[11] = 0
        let checksum = packet[..<20].reading { span in
            var sum = Checksum()
            sum.add(span)
            return sum.value
        }
        packet[10] = UInt8(checksum >> 8)
        packet[11] = UInt8(truncatingIfNeeded: checksum)
        return packet
    }

    private mutating func disturbStreams() {
        guard random.chance(Ratio(0.8)), !streams.isEmpty else { return disturbStrangeStream() }
        let place = Int(random.below(UInt64(streams.count)))
        let talk = streams[place]
        guard talk.isOpen else {
            streams[place].isOpen = true
            return open(talk.stream, from: 1 + talk.peer)
        }
        if random.chance(Ratio(0.01)) { return close(talk.stream) }
        let octets = words(at: place)
        handle(.streamBytes(talk.stream, octets.span.bytes), "streamBytes")
    }

    /// What the peer says next on a stream, which now and then is damaged or nonsense.
    private mutating func words(at place: Int) -> [UInt8] {
        let said = speech[streams[place].peer]
        let start = streams[place].offset
        let end = min(said.count, start + Int(random.below(300)))
        streams[place].offset = end == said.count ? 0 : end
        switch random.below(100) {
        case 0: return random.octets(Int(random.below(100)))
        case 1..<4: return random.mutated(Array(said[start..<end]))
        default: return Array(said[start..<end])
        }
    }

    /// Something happens to a stream that the node may never have heard of.
    private mutating func disturbStrangeStream() {
        let stream = StreamID(UInt32(random.below(4)) | UInt32(random.below(2)) << 31)
        switch random.below(4) {
        case 0:
            let site = Int(random.below(4))
            if site == 1 || site == 2 { streams.append(Talk(stream: stream, peer: site - 1, isOpen: true)) }
            open(stream, from: site)
        case 1: close(stream)
        case 2: handle(.streamWritable(stream, byteCount: Int(random.below(70_000))), "streamWritable")
        default:
            let octets = random.octets(Int(random.below(100)))
            handle(.streamBytes(stream, octets.span.bytes), "streamBytes")
        }
    }

    private mutating func open(_ stream: StreamID, from site: Int) {
        let remote = SocketAddress(.v4(Overlays.overlayAddress(site)), port: 179)
        let local = SocketAddress(.v4(Overlays.overlayAddress(0)), port: 40_000)
        handle(.streamOpened(stream, local: local, remote: remote), "streamOpened")
    }

    private mutating func close(_ stream: StreamID) {
        let closures: [StreamClosure] = [.finished, .reset, .refused, .timedOut, .unreachable]
        handle(.streamClosed(stream, closures[Int(random.below(5))]), "streamClosed")
    }
}
