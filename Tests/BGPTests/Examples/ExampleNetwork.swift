import BGP
import Basics
import Foundation
import Wire

/// What an AS is to its neighbour.
enum Relation: UInt32 {
    case customer = 300
    case peer = 200
    case provider = 100

    /// What is better is wanted more (Gao and Rexford's first rule).
    var preference: UInt32 { rawValue }
}

/// The speakers of a ``HijackExample``, with its policies written as ``RoutePolicy``.
struct ExampleNetwork {
    let example: HijackExample
    /// The ASes of the example in order, then those made up to forge an origin.
    private(set) var numbers: [UInt32]
    private(set) var network: Network
    private var edges: [(Int, Int)] = []

    init(_ example: HijackExample) {
        self.example = example
        let graph = example.nodes.keys.sorted()
        var plan = Plan(example, graph)
        for (left, number) in graph.enumerated() {
            for (right, other) in graph.enumerated() where right > left {
                if example.nodes[number]?.neighbors.contains(other) == true { plan.edges.append((left, right)) }
            }
        }
        numbers = plan.numbers
        edges = plan.edges
        let fixed = plan
        network = Network(
            autonomousSystems: plan.autonomousSystems, edges: plan.edges, networks: plan.networks, seed: 1
        ) { index, configuration in fixed.configure(index, &configuration) }
        network.start()
        network.run(for: .seconds(60))
    }

    /// The AS, by its number in the example, that a speaker's peer is.
    func neighbor(of index: Int, peer: Int) -> UInt32 {
        let edge = edges.filter { $0.0 == index || $0.1 == index }[peer]
        return numbers[edge.0 == index ? edge.1 : edge.0]
    }

    /// Where packets from an AS end: 0 with or behind the attacker, 1 with the victim, 2 nowhere.
    func outcome(_ start: UInt32) -> Int {
        let hasAttacker = example.nodes[666]?.routes.values.contains(where: \.isSeed) ?? false
        var number = start
        for _ in numbers {
            if number == 666, hasAttacker { return 0 }
            if number == 777 { return 1 }
            guard let index = numbers.firstIndex(of: number),
                let route = network.speakers[index].lookUp("1.2.3.4"), let peer = route.peer
            else { return 2 }
            number = neighbor(of: index, peer: peer)
        }
        return 2
    }
}

/// How the speakers of an example are made.
private struct Plan {
    let example: HijackExample
    var numbers: [UInt32]
    /// What each speaker says it is, which for one that takes another's place is not what it is.
    var autonomousSystems: [UInt32]
    var networks: [[IPPrefix]]
    var edges: [(Int, Int)] = []
    /// Those that tell everybody everything.
    private var leaks: Set<UInt32> = []
    private let graphCount: Int

    init(_ example: HijackExample, _ graph: [UInt32]) {
        self.example = example
        numbers = graph
        autonomousSystems = graph
        graphCount = graph.count
        networks = Array(repeating: [], count: graph.count)
        for (index, number) in graph.enumerated() {
            for (prefix, route) in (example.nodes[number]?.routes ?? [:]).sorted(by: { $0.key < $1.key })
            where route.isSeed {
                let path = route.path
                if path == [number] {
                    networks[index].append(prefix)
                } else if path.count == 1 {
                    autonomousSystems[index] = path[0]
                    networks[index].append(prefix)
                } else if path.count == 2 {
                    edges.append((index, numbers.count))
                    numbers.append(path[1])
                    autonomousSystems.append(path[1])
                    networks.append([prefix])
                } else {
                    leaks.insert(number)
                }
            }
        }
    }

    func configure(_ index: Int, _ configuration: inout SpeakerConfiguration) {
        // Of two neighbours equally good the one with the lower number is taken.
        let isMadeUp = index >= graphCount
        configuration.routerID = IPv4Address(bits: (isMadeUp ? 0x0A80_0000 : 0x0A00_0000) + numbers[index])
        let isRouted = example.nodes.values.contains { $0.routes.values.contains { $0.path.last == 777 } }
        configuration.origins = OriginTable([
            OriginAuthorization("1.2.0.0/16", autonomousSystem: isRouted ? 777 : 0)
        ])
        let own = edges.filter { $0.0 == index || $0.1 == index }
        for (peer, edge) in own.enumerated() {
            let other = edge.0 == index ? edge.1 : edge.0
            let relation = relation(of: other, to: index)
            let node = isMadeUp ? HijackExample.Node() : example.nodes[numbers[index]] ?? .init()
            configuration.peers[peer].importPolicy = importPolicy(node, numbers[index], relation)
            configuration.peers[peer].exportPolicy = exportPolicy(numbers[index], relation)
            if node.policy == "OnlyToCustomers" {
                configuration.peers[peer].session.role =
                    switch relation {
                    case .customer: .provider
                    case .peer: .peer
                    case .provider: .customer
                    }
            }
        }
    }

    private func relation(of other: Int, to index: Int) -> Relation {
        if other >= graphCount { return .customer }
        if index >= graphCount { return .provider }
        let node = example.nodes[numbers[index]]
        if node?.customers.contains(numbers[other]) == true { return .customer }
        return node?.peers.contains(numbers[other]) == true ? .peer : .provider
    }

    /// What an AS marks routes with that are for customers alone.
    private func mark(_ number: UInt32) -> Community { Community(UInt16(truncatingIfNeeded: number), 1) }

    private func importPolicy(_ node: HijackExample.Node, _ number: UInt32, _ relation: Relation) -> RoutePolicy {
        var settings: [PolicySetting] = [.localPreference(relation.preference)]
        if relation != .customer { settings.append(.community(mark(number))) }
        var rules: [PolicyRule] = []
        let policy = node.policy.replacingOccurrences(of: "%20Full", with: "")
        let isGuarded = ["ROV", "Path-End"].contains(policy) || (policy == "PeerROV" && relation == .peer)
        if isGuarded { rules.append(PolicyRule(sequence: 1, .deny, conditions: [.originValidity(.invalid)])) }
        if policy == "Path-End" {
            // Who has registered its neighbours is only to be reached over one of them.
            for (origin, other) in example.nodes.sorted(by: { $0.key < $1.key })
            where other.policy.hasPrefix("Path-End") {
                for path in ["^\(origin)$"] + other.neighbors.map({ "\($0) \(origin)$" }) {
                    guard let pattern = ASPathPattern(path) else { continue }
                    rules.append(PolicyRule(sequence: 2, .permit, conditions: [.path(pattern)], settings: settings))
                }
                guard let pattern = ASPathPattern("\(origin)$") else { continue }
                rules.append(PolicyRule(sequence: 3, .deny, conditions: [.path(pattern)]))
            }
        }
        rules.append(PolicyRule(sequence: 9, .permit, settings: settings))
        return RoutePolicy(rules)
    }

    /// Peers and providers are told of customers alone (Gao and Rexford's second rule).
    private func exportPolicy(_ number: UInt32, _ relation: Relation) -> RoutePolicy {
        guard relation != .customer, !leaks.contains(number) else { return .acceptAll }
        return RoutePolicy(
            [PolicyRule(sequence: 1, .deny, conditions: [.community(mark(number))])], otherwise: .permit)
    }
}
