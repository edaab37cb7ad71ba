// An SD-WAN node without its sockets, clock and devices: a deterministic function of
// its configuration, its seed and the events it is handed.
//
// Way in: `handle`. Packets from the overlay interface are classified, steered and
// sealed into a tunnel (Node+forwarding); datagrams are opened, measured and handed to
// the kernel. BFD and probes judge the tunnels (Node+liveness), their verdicts and
// samples go to steering (Node+steering), BGP runs over the tunnels and installs what
// it learns (Node+routing). Way out: the outbox. Engines do not know each other; this
// is the only place where one subject learns of another.

import BFD
import BGP
public import Basics
public import Machine
import Steering
import Telemetry
import Tunnel
import Wire

/// A whole SD-WAN node as one state machine.
///
/// A host drives it in a loop of three steps: hand it an event, carry out what it left
/// in the outbox, and arrange to be back no later than ``nextDeadline``.
public struct Node: ~Copyable {
    private let pinned = Pinned()
    public let configuration: NodeConfiguration
    var tunnels = Slab<TunnelRuntime>()
    /// From a tunnel's number on the wire to its place in `tunnels`.
    var places = SortedIndex()
    var portIsUp: [Bool]
    var steering: Steering
    var speaker: Speaker
    var streams: PeerStreams
    /// Whether each peer has a tunnel that is up.
    var peerIsReachable: [Bool]
    /// What the speaker has just asked for, until it is carried out.
    var routing = SpeakerOutbox()
    var routes = OverlayRoutes()
    /// The prefixes that lie behind neighbours outside the overlay.
    var outsideRoutes = PrefixSet()
    var neighborLiveness: ContiguousArray<NeighborLiveness> = []
    var announcements = Announcements()
    var collectors: ContiguousArray<CollectorStream>
    /// Octets of an inner packet that the node makes itself.
    var scratch = ByteArena(capacity: 256)
    var timers = DeadlineHeap()
    var nextSample: Instant
    /// Changes that steering has just made, until they are reported.
    var steeringChanges: ContiguousArray<TelemetryRecord> = []
    var handedFlows = HandedFlows(capacity: 16_384)
    /// How often the best paths had changed when handed flows were last looked at: all, and to each peer.
    var choicesKnown: UInt64 = 0
    var choicesKnownOfPeer: ContiguousArray<UInt64>
    /// Packets dropped for want of a path though a tunnel to their peer was up.
    public internal(set) var blackholedPackets: UInt64 = 0

    /// A node that has not started; it does nothing until it is handed ``Machine/Event/start``.
    public init(_ configuration: NodeConfiguration, random: SeededRandom, at now: Instant) {
        var random = random
        self.configuration = configuration
        portIsUp = Array(repeating: true, count: configuration.ports.count)
        steering = Steering(configuration.steering)
        speaker = Speaker(Self.speakerConfiguration(configuration), random: random.fork())
        collectors = Self.collectors(configuration, &speaker)
        streams = PeerStreams(peerCount: configuration.peers.count + configuration.neighbors.count)
        peerIsReachable = Array(repeating: false, count: configuration.peers.count)
        choicesKnownOfPeer = ContiguousArray(repeating: 0, count: configuration.peers.count)
        nextSample = now + configuration.sampleInterval
        for end in configuration.tunnels {
            places.insert(end.id.rawValue, place: tunnels.count)
            tunnels.append(
                TunnelRuntime(end, configuration, place: tunnels.count, random: &random, at: now))
            steering.addPath(candidate(for: end))
        }
        neighborLiveness = Self.neighborLiveness(configuration, random: &random, at: now)
        for (index, peer) in configuration.peers.enumerated() {
            routes.insert(IPPrefix(host: .v4(peer.overlayAddress)), peer: index)
        }
    }

    /// When the host must hand in a deadline at the latest.
    public var nextDeadline: Deadline? {
        timers.next.map { Deadline(at: $0, reason: "node") }
    }

    /// Takes one event and leaves what is to be done in the outbox.
    public mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        switch event {
        case .start:
            start(at: now, into: &outbox)
        case .overlayPacket(let packet):
            forward(packet, at: now, into: &outbox)
        case .datagram(let datagram, let socket, let remote):
            receive(datagram, on: socket, from: remote, at: now, into: &outbox)
        case .deadline:
            runTimers(at: now, into: &outbox)
        case .portChanged(let port, let isUp):
            portChanged(port, isUp: isUp, at: now, into: &outbox)
        case .carried(let tunnel, let received, let expected):
            carried(tunnel, received: received, expected: expected, at: now)
        case .streamOpened(let stream, let local, let remote):
            streamOpened(stream, at: local, from: remote, at: now, into: &outbox)
        case .streamBytes(let stream, let bytes):
            streamReceived(bytes, on: stream, at: now, into: &outbox)
        case .streamClosed(let stream, let closure):
            streamClosed(stream, closure, at: now, into: &outbox)
        case .streamWritable(let stream, let byteCount):
            streamWritable(stream, byteCount: byteCount, at: now, into: &outbox)
        case .command(let command):
            execute(command, at: now, into: &outbox)
        case .stopSession(let peer, let reason):
            stopSession(Int(peer), reason, at: now, into: &outbox)
        }
    }

    private mutating func start(at now: Instant, into outbox: inout Outbox) {
        for (index, port) in configuration.ports.enumerated() {
            outbox.append(
                .bind(
                    SocketID(UInt32(index)), local: SocketAddress(port.address, port: GenevePort.number),
                    port: port.id))
        }
        outbox.append(.listen(SocketAddress(.v4(configuration.overlayAddress), port: BGPPort.number)))
        for peer in configuration.peers {
            outbox.append(.program(.install(IPPrefix(host: .v4(peer.overlayAddress)))))
        }
        for place in 0..<tunnels.count { arm(place) }
        startNeighborLiveness(into: &outbox)
        startRouting(at: now, into: &outbox)
        startMonitoring(into: &outbox)
        timers.set(Timer.sample, at: nextSample)
        armSteering()
    }

    /// The node's timers by number: a few of its own, then two for each tunnel, one for each peer, one for each
    /// neighbour with BFD, one for each collector.
    enum Timer {
        static let routing = 0
        static let steering = 1
        static let sample = 2
        static let firstTunnel = 3

        static func probe(_ place: Int) -> Int { firstTunnel + place * 2 }
        static func liveness(_ place: Int) -> Int { firstTunnel + place * 2 + 1 }
    }

    private mutating func runTimers(at now: Instant, into outbox: inout Outbox) {
        while let timer = timers.takeDue(at: now) {
            switch timer {
            case Timer.routing: wakeRouting(at: now, into: &outbox)
            case Timer.steering: wakeSteering(at: now, into: &outbox)
            case Timer.sample: reportSamples(at: now, into: &outbox)
            case self.timer(forCollector: 0)...:
                wakeCollector(timer - self.timer(forCollector: 0), at: now, into: &outbox)
            case self.timer(forNeighbor: 0)...:
                wakeNeighborLiveness(timer - self.timer(forNeighbor: 0), at: now, into: &outbox)
            case self.timer(forCalling: 0)...: call(timer - self.timer(forCalling: 0), at: now, into: &outbox)
            default:
                let place = (timer - Timer.firstTunnel) / 2
                tunnels[place].prepareTunnel()
                steering.prepare(place)
                if timer == Timer.probe(place) {
                    tunnels[place].tunnel.prepareProbe()
                    probe(place, at: now, into: &outbox)
                } else {
                    tunnels[place].prepareLiveness()
                    wakeLiveness(place, at: now, into: &outbox)
                }
            }
        }
    }

    func timer(forCalling peer: Int) -> Int { Timer.probe(tunnels.count) + peer }

    func timer(forNeighbor place: Int) -> Int { timer(forCalling: configuration.peers.count) + place }

    private mutating func execute(_ command: Command, at now: Instant, into outbox: inout Outbox) {
        switch command {
        case .shutDown:
            shutDownRouting(at: now, into: &outbox)
            endMonitoring(into: &outbox)
        case .resetSession(let peer): resetSession(Int(peer), at: now, into: &outbox)
        case .startSession(let peer): startSession(Int(peer), at: now, into: &outbox)
        case .refreshRoutes(let peer): refreshRoutes(of: Int(peer), at: now, into: &outbox)
        case .announce(let series): announce(series, at: now, into: &outbox)
        case .withdraw(let series): withdraw(series, at: now, into: &outbox)
        }
    }

    private mutating func reportSamples(at now: Instant, into outbox: inout Outbox) {
        for place in 0..<tunnels.count where tunnels[place].isUp {
            outbox.append(.report(.pathSample(tunnels[place].end.id, tunnels[place].tunnel.sample)))
        }
        // It stays on the grid; samples that a long sleep has missed are not made up for.
        let late = now - nextSample
        let interval = configuration.sampleInterval
        nextSample = nextSample + interval * (late.nanoseconds / interval.nanoseconds + 1)
        timers.set(Timer.sample, at: nextSample)
    }
}

/// Where tunnels listen (RFC 8926 §3.3).
enum GenevePort {
    static let number: UInt16 = 6_081
}

/// Where BGP speakers listen (RFC 4271 §4.2).
enum BGPPort {
    static let number: UInt16 = 179
}
