import Basics
import Scenario
import Simulator
import Telemetry
import Wire

/// Two sites on two providers, with an attacker behind the first one.
enum AttackWorlds {
    static let headquarters = 0
    static let branch = 1
    static let server = 4
    static let laptop = 5
    static let attacker = 6
    static let readers = 7
    /// The first provider's line to the headquarters.
    static let line = 2

    static func scenario(
        duration: Interval, traffic: [TrafficEntry] = [], attacks: [(at: Interval, attack: Attack)] = [],
        isPublic: Bool = false, onlyIPv6: Bool = false, usesDataplane: Bool = false, seed: UInt64 = 1,
        _ change: (inout LinkSettings) -> Void = { _ in }
    ) -> Scenario {
        let lan4 = IPPrefix.v4(IPv4Prefix(IPv4Address(192, 0, 2, 0), length: 24))
        let lan6 = IPPrefix.v6(IPv6Prefix(IPv6Address(high: 0x2001_0DB8_0001_0000, low: 0), length: 64))
        let nodes = [
            TopologyNode(
                name: "hq", kind: .patronus, autonomousSystem: 65_001, lan: [lan4, lan6], role: "hub",
                publicPrefixes: isPublic ? [lan4, lan6] : []),
            TopologyNode(
                name: "branch", kind: .patronus, autonomousSystem: 65_002,
                lan: [
                    .v4(IPv4Prefix(IPv4Address(10, 2, 0, 0), length: 16)),
                    .v6(IPv6Prefix(IPv6Address(high: 0x2001_0DB8_0002_0000, low: 0), length: 64)),
                ]),
            TopologyNode(name: "isp-a", kind: .router), TopologyNode(name: "isp-b", kind: .router),
            TopologyNode(name: "server", kind: .host, attachment: headquarters),
            TopologyNode(
                name: "laptop", kind: .host, attachment: branch,
                prefixes: [.v4(IPv4Prefix(IPv4Address(10, 2, 8, 0), length: 30))]),
            TopologyNode(name: "attacker", kind: .host, attachment: 2),
            TopologyNode(
                name: "readers", kind: .host, attachment: 2,
                prefixes: [.v4(IPv4Prefix(IPv4Address(198, 18, 0, 0), length: 16))]),
        ]
        func link(_ node: Int, _ port: String, _ router: Int, _ milliseconds: Int64) -> LinkDeclaration {
            let settings = Worlds.settings {
                $0.rate = .gigabits(1)
                $0.delay = .milliseconds(milliseconds)
            }
            return LinkDeclaration(EndDeclaration(node, port: port), EndDeclaration(router), forward: settings)
        }
        var links = [
            link(branch, "wan-a", 2, 12), link(branch, "wan-b", 3, 35), link(headquarters, "wan-a", 2, 3),
            link(headquarters, "wan-b", 3, 4),
        ]
        change(&links[line].reverse)
        var topology = Topology(name: "attacked", nodes: nodes, links: links)
        if onlyIPv6 { topology.removeIPv4() }
        topology.overlay.usesDataplane = usesDataplane
        return Scenario(
            name: "attacked", topology: topology, seed: seed, duration: duration, traffic: traffic,
            events: attacks.map { ScriptedEvent(at: $0.at, label: "attack", kind: .attack($0.attack)) })
    }

    static func flood(
        _ kind: AttackKind, from: Int = attacker, to: Int = server, packetsPerSecond: UInt64 = 20_000,
        lasting: Interval? = .milliseconds(500)
    ) -> Attack {
        Attack(
            kind: kind, from: from, to: to, rate: .packets(PacketRate(packetsPerSecond: packetsPerSecond)),
            lasting: lasting)
    }
}

extension RunRecord {
    /// The account of the packets of the attack of that place.
    func account(ofAttack place: Int = 0) -> ConservationAccount? {
        conservation.first { $0.key == attacks[place].key }
    }
}
