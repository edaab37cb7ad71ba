import BGP
import Basics
import CHeap
import Wire

/// Speakers of an ``ASGraph``, one for each AS, joined by connections that take 10 ms, each with one prefix of its own.
private struct SpeakerNetwork {
    static let delay = Interval.milliseconds(10)

    let graph: ASGraph
    private let edges: [(Int, Int)]
    /// Of each AS, the edges of its peers in their order.
    private var edgesOf: [[Int]]
    private(set) var speakers: ContiguousArray<Speaker> = []
    private(set) var now = Instant.zero
    /// What has been written and not arrived, for both ends of each edge, and which of them have something.
    private var flying: ContiguousArray<[UInt8]>
    private var waiting: [Int] = []
    private var opening: [Int] = []
    private(set) var octets = 0

    init(_ graph: ASGraph) {
        self.graph = graph
        edges = graph.edges
        edgesOf = Array(repeating: [], count: graph.count)
        for (edge, ends) in edges.enumerated() {
            edgesOf[ends.0].append(edge)
            edgesOf[ends.1].append(edge)
        }
        flying = ContiguousArray(repeating: [], count: edges.count * 2)
        for number in 0..<graph.count {
            speakers.append(Speaker(configuration(number), random: SeededRandom(seed: UInt64(number))))
        }
    }

    var sessions: Int { edges.count }

    static func address(_ number: Int) -> IPAddress { .v4(IPv4Address(bits: 0x0A00_0001 + UInt32(number))) }

    static func prefix(_ number: Int) -> IPPrefix {
        .v4(IPv4Prefix(IPv4Address(bits: 0xAC10_0000 + UInt32(number) << 8), length: 24))
    }

    private func configuration(_ number: Int) -> SpeakerConfiguration {
        var configuration = SpeakerConfiguration(
            autonomousSystem: UInt32(number + 1), routerID: IPv4Address(bits: UInt32(number + 1)),
            networks: [Self.prefix(number)])
        configuration.holdTime = .zero
        let mark = Community(UInt16(truncatingIfNeeded: number + 1), 1)
        for edge in edgesOf[number] {
            let other = edges[edge].0 == number ? edges[edge].1 : edges[edge].0
            var peer = PeerConfiguration(
                address: Self.address(other), autonomousSystem: UInt32(other + 1), localAddress: Self.address(number))
            peer.isPassive = edges[edge].1 == number
            let isCustomer = graph.customers[number].contains(other)
            let preference: UInt32 = isCustomer ? 300 : graph.peers[number].contains(other) ? 200 : 100
            var settings: [PolicySetting] = [.localPreference(preference)]
            if !isCustomer { settings.append(.community(mark)) }
            peer.importPolicy = RoutePolicy([PolicyRule(sequence: 1, .permit, settings: settings)])
            if !isCustomer {
                peer.exportPolicy = RoutePolicy(
                    [PolicyRule(sequence: 1, .deny, conditions: [.community(mark)])], otherwise: .permit)
            }
            configuration.peers.append(peer)
        }
        return configuration
    }

    /// Starts everything and lets it run until nothing is under way any more.
    mutating func converge() {
        var outbox = SpeakerOutbox(byteCapacity: 1 << 16)
        for number in speakers.indices {
            speakers[number].start(at: now, into: &outbox)
            finish(number, &outbox)
        }
        while !waiting.isEmpty || !opening.isEmpty {
            now += Self.delay
            let opened = opening
            let arrived = waiting
            opening = []
            waiting = []
            let messages = arrived.map { end in
                defer { flying[end] = [] }
                return flying[end]
            }
            for edge in opened {
                for (side, number) in [edges[edge].1, edges[edge].0].enumerated() {
                    speakers[number].connected(
                        peer: peer(edge, of: number), connection: ConnectionID(UInt32(edge)), isIncoming: side == 0,
                        at: now, into: &outbox)
                    finish(number, &outbox)
                }
            }
            for (end, message) in zip(arrived, messages) {
                let number = end % 2 == 0 ? edges[end / 2].0 : edges[end / 2].1
                speakers[number].received(
                    message.span.bytes, on: ConnectionID(UInt32(end / 2)), at: now, into: &outbox)
                finish(number, &outbox)
            }
        }
    }

    private func peer(_ edge: Int, of number: Int) -> Int {
        edgesOf[number].firstIndex(of: edge) ?? 0
    }

    /// Lets a speaker do what it has put off, and sends what it has written.
    private mutating func finish(_ number: Int, _ outbox: inout SpeakerOutbox) {
        while let deadline = speakers[number].nextDeadline, deadline <= now {
            speakers[number].wake(at: now, into: &outbox)
        }
        for action in outbox.actions {
            switch action {
            case .connect(let peer): opening.append(edgesOf[number][peer])
            case .write(let connection, let range):
                let edge = Int(connection.rawValue)
                let end = edges[edge].0 == number ? edge * 2 + 1 : edge * 2
                if flying[end].isEmpty { waiting.append(end) }
                outbox.bytes(range).withUnsafeBytes { flying[end].append(contentsOf: $0) }
                octets += Int(range.count)
            default: break
            }
        }
        outbox.removeAll()
    }

    /// How many routes of all Loc-RIBs are not those that the graph wants.
    func wrongRoutes() -> Int {
        var wrong = 0
        for origin in 0..<graph.count {
            for (number, expected) in graph.routes(to: origin).enumerated() {
                let route = speakers[number].bestRoute(to: Self.prefix(origin))
                guard let expected else {
                    wrong += route == nil ? 0 : 1
                    continue
                }
                let from = route?.peer.map { speakers[number].configuration.peers[$0].address }
                let isRight =
                    route?.attributes.path.length == expected.length
                    && from == (number == origin ? nil : Self.address(expected.from))
                wrong += isRight ? 0 : 1
            }
        }
        return wrong
    }

    var updates: UInt64 {
        var sum: UInt64 = 0
        for number in speakers.indices {
            for peer in speakers[number].configuration.peers.indices {
                sum += speakers[number].status(of: peer).counters.received.update
            }
        }
        return sum
    }

    var routes: Int { speakers.indices.reduce(0) { $0 + speakers[$1].bestRoutes.count } }
}

/// So many ASes with Gao and Rexford's policies converge; every route is compared with the graph's own.
func benchmarkNetwork(speakers: Int) -> Measurement {
    let graph = ASGraph(count: speakers, seed: 1)
    var network = SpeakerNetwork(graph)
    let idle = cheap_octets_in_use()
    let cpu = measure { network.converge() }
    let used = cheap_octets_in_use()
    let routes = network.routes
    let wrong = network.wrongRoutes()
    precondition(wrong == 0, "\(wrong) routes are not what the graph wants")
    return Measurement(
        name: "bgp-network-\(speakers)", unit: "updates", count: network.updates, cpuSeconds: cpu,
        details: [
            ("sessions", Double(network.sessions)), ("best_routes", Double(routes)), ("wrong_routes", Double(wrong)),
            ("octets_sent", Double(network.octets)), ("simulated_s", (network.now - .zero).inSeconds),
            ("octets_a_best_route", Double(used - idle) / Double(max(routes, 1))),
        ])
}
