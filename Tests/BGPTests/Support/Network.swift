import BGP
import Basics
import Wire

/// Speakers joined by byte pipes that delay, cut up, reset and fall silent, all from one seed.
struct Network {
    /// Between which speakers a session is configured, and whether each end only waits.
    struct Edge {
        let left: Int
        let right: Int
        var isUp = true
    }

    private enum Event {
        case opened(pipe: Int, end: Int)
        case refused(speaker: Int, peer: Int, attempt: Int)
        case bytes(pipe: Int, end: Int, [UInt8])
        case closed(pipe: Int, end: Int)
    }

    private struct Pipe {
        let edge: Int
        let attempt: Int
        let speakers: [Int]
        var isOpen = [false, false]
        /// When the last octets written towards an end arrive; later ones must not overtake them.
        var arrival = [Instant.zero, .zero]
        /// Nothing comes through any more, as after a cable was cut.
        var isDead = false
    }

    private(set) var now = Instant.zero
    private(set) var speakers: [Speaker] = []
    private(set) var edges: [Edge]
    /// What the actions have made of each speaker's forwarding table.
    private(set) var forwarding: [[IPPrefix: IPAddress]]
    /// Everything that was written, by whom and when.
    private(set) var trace: [UInt8] = []
    /// How many connections each pair of speakers has open.
    private(set) var attempts = 0
    private(set) var faults: [String] = []
    private var random: SeededRandom
    private var events: [(at: Instant, order: Int, event: Event)] = []
    private var eventCount = 0
    private var pipes: [Pipe] = []
    /// For each speaker and peer the edge, and for each the attempt under way.
    private var edgeOf: [[Int]] = []
    private var currentAttempt: [[Int]] = []

    static func address(_ speaker: Int) -> IPv4Address { IPv4Address(192, 0, 2, UInt8(speaker + 1)) }

    init(
        autonomousSystems: [UInt32], edges: [(Int, Int)], networks: [[IPPrefix]], seed: UInt64,
        configure: (Int, inout SpeakerConfiguration) -> Void = { _, _ in }
    ) {
        random = SeededRandom(seed: seed, stream: "network")
        self.edges = edges.map { Edge(left: $0.0, right: $0.1) }
        forwarding = Array(repeating: [:], count: autonomousSystems.count)
        for (index, number) in autonomousSystems.enumerated() {
            var configuration = SpeakerConfiguration(
                autonomousSystem: number, routerID: IPv4Address(10, 0, 0, UInt8(index + 1)), networks: networks[index])
            configuration.holdTime = .seconds(9)
            configuration.connectRetry = .seconds(5)
            var edgeIndices: [Int] = []
            for (edge, ends) in edges.enumerated() where ends.0 == index || ends.1 == index {
                let other = ends.0 == index ? ends.1 : ends.0
                var peer = PeerConfiguration(
                    address: .v4(Self.address(other)), autonomousSystem: autonomousSystems[other],
                    localAddress: .v4(Self.address(index)))
                peer.families = [.ipv4Unicast, .ipv6Unicast]
                configuration.peers.append(peer)
                edgeIndices.append(edge)
            }
            configure(index, &configuration)
            speakers.append(
                Speaker(configuration, random: SeededRandom(seed: seed, stream: "speaker \(index)")))
            edgeOf.append(edgeIndices)
            currentAttempt.append(Array(repeating: -1, count: edgeIndices.count))
        }
    }

    mutating func start() {
        for index in speakers.indices { act(index) { $0.start(at: $1, into: &$2) } }
    }

    mutating func run(for interval: Interval) {
        run(until: now + interval)
    }

    mutating func run(until end: Instant) {
        while true {
            let timer = speakers.indices.min { deadline($0) < deadline($1) } ?? 0
            let next = events.first?.at ?? .never
            guard min(next, deadline(timer)) <= end else { break }
            if next <= deadline(timer) {
                let event = events.removeFirst()
                now = event.at
                handle(event.event)
            } else {
                now = max(now, deadline(timer))
                act(timer) { $0.wake(at: $1, into: &$2) }
            }
        }
        now = end
    }

    /// Cuts or mends the way between two speakers; what is under way on it is lost for good.
    mutating func setEdge(_ edge: Int, isUp: Bool) {
        edges[edge].isUp = isUp
        guard !isUp else { return }
        for pipe in pipes.indices where pipes[pipe].edge == edge { pipes[pipe].isDead = true }
    }

    /// Breaks every connection between two speakers, as a reset of TCP does.
    mutating func resetConnections(_ edge: Int) {
        for pipe in pipes.indices where pipes[pipe].edge == edge {
            for end in 0...1 { schedule(.closed(pipe: pipe, end: end), at: now) }
        }
    }

    mutating func command(_ speaker: Int, _ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        act(speaker, body)
    }

    func isEstablished(_ edge: Int) -> Bool {
        [edges[edge].left, edges[edge].right].allSatisfy { speaker in
            edgeOf[speaker].firstIndex(of: edge).map { speakers[speaker].state(of: $0) == .established } ?? false
        }
    }

    /// How many connections stand at both ends of an edge.
    func openPipes(_ edge: Int) -> Int {
        pipes.count { $0.edge == edge && $0.isOpen == [true, true] && !$0.isDead }
    }

    private func deadline(_ speaker: Int) -> Instant { speakers[speaker].nextDeadline ?? .never }

    private mutating func schedule(_ event: Event, at instant: Instant) {
        eventCount += 1
        let place = events.firstIndex { $0.at > instant } ?? events.endIndex
        events.insert((instant, eventCount, event), at: place)
    }

    private mutating func delay() -> Interval {
        random.interval(in: .milliseconds(5)...(.milliseconds(60)))
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .opened(let pipe, let end):
            let speaker = pipes[pipe].speakers[end]
            guard let peer = edgeOf[speaker].firstIndex(of: pipes[pipe].edge), !pipes[pipe].isDead else { return }
            if end == 0 {
                // Given up meanwhile: the other end finds its connection closed.
                guard currentAttempt[speaker][peer] == pipes[pipe].attempt else {
                    return schedule(.closed(pipe: pipe, end: 1), at: now + delay())
                }
                currentAttempt[speaker][peer] = -1
            }
            pipes[pipe].isOpen[end] = true
            act(speaker) { speaker, now, outbox in
                speaker.connected(
                    peer: peer, connection: ConnectionID(UInt32(pipe)), isIncoming: end == 1, at: now, into: &outbox)
            }
        case .refused(let speaker, let peer, let attempt):
            guard currentAttempt[speaker][peer] == attempt else { return }
            currentAttempt[speaker][peer] = -1
            act(speaker) { $0.connectFailed(peer: peer, at: $1, into: &$2) }
        case .bytes(let pipe, let end, let octets):
            guard pipes[pipe].isOpen[end], !pipes[pipe].isDead else { return }
            act(pipes[pipe].speakers[end]) { speaker, now, outbox in
                speaker.received(octets.span.bytes, on: ConnectionID(UInt32(pipe)), at: now, into: &outbox)
            }
        case .closed(let pipe, let end):
            guard pipes[pipe].isOpen[end], !pipes[pipe].isDead else { return }
            pipes[pipe].isOpen[end] = false
            act(pipes[pipe].speakers[end]) { speaker, now, outbox in
                speaker.closed(ConnectionID(UInt32(pipe)), at: now, into: &outbox)
            }
        }
    }

    private mutating func act(_ index: Int, _ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        var outbox = SpeakerOutbox()
        body(&speakers[index], now, &outbox)
        for action in outbox.actions {
            switch action {
            case .connect(let peer): connect(index, peer)
            case .abandonConnect(let peer): currentAttempt[index][peer] = -1
            case .write(let connection, let range):
                write(index, Int(connection.rawValue), copied(outbox.bytes(range)))
            case .close(let connection), .abort(let connection): close(index, Int(connection.rawValue))
            case .sessionChanged: break
            case .install(let prefix, let nextHop):
                if forwarding[index][prefix] == nextHop { faults.append("\(prefix) installed twice") }
                forwarding[index][prefix] = nextHop
            case .withdraw(let prefix):
                if forwarding[index].removeValue(forKey: prefix) == nil { faults.append("\(prefix) was not there") }
            }
        }
    }

    private mutating func connect(_ speaker: Int, _ peer: Int) {
        attempts += 1
        if currentAttempt[speaker][peer] != -1 { faults.append("two attempts at once") }
        currentAttempt[speaker][peer] = attempts
        let edge = edgeOf[speaker][peer]
        guard edges[edge].isUp else {
            // Half of the time nobody says that there is no way.
            if random.below(2) == 0 {
                schedule(.refused(speaker: speaker, peer: peer, attempt: attempts), at: now + .seconds(1))
            }
            return
        }
        let other = edges[edge].left == speaker ? edges[edge].right : edges[edge].left
        pipes.append(Pipe(edge: edge, attempt: attempts, speakers: [speaker, other]))
        let far = now + delay()
        let near = far + delay()
        schedule(.opened(pipe: pipes.count - 1, end: 1), at: far)
        schedule(.opened(pipe: pipes.count - 1, end: 0), at: near)
        pipes[pipes.count - 1].arrival = [near, far]
    }

    private mutating func write(_ speaker: Int, _ pipe: Int, _ octets: [UInt8]) {
        trace += bigEndian(now.nanoseconds) + [UInt8(speaker)] + octets
        let end = pipes[pipe].speakers[0] == speaker ? 1 : 0
        if !pipes[pipe].isOpen[1 - end] { faults.append("written on a closed connection") }
        var offset = 0
        while offset < octets.count {
            let size = min(octets.count - offset, 1 + Int(random.below(120)))
            schedule(
                .bytes(pipe: pipe, end: end, Array(octets[offset..<offset + size])), at: nextArrival(pipe, end))
            offset += size
        }
    }

    private mutating func close(_ speaker: Int, _ pipe: Int) {
        let end = pipes[pipe].speakers[0] == speaker ? 1 : 0
        pipes[pipe].isOpen[1 - end] = false
        schedule(.closed(pipe: pipe, end: end), at: nextArrival(pipe, end))
    }

    private mutating func nextArrival(_ pipe: Int, _ end: Int) -> Instant {
        pipes[pipe].arrival[end] = max(pipes[pipe].arrival[end], now + delay())
        return pipes[pipe].arrival[end]
    }
}
