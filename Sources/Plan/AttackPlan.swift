public import Attacks
import Basics
public import Scenario
public import Telemetry
public import Wire

/// A scripted attack as a host carries it out: who sends, and what writes the packets.
public struct AttackPlan: Sendable {
    /// The scenario's event, by index.
    public let event: Int
    /// The attacker's host.
    public let device: Int
    public let target: IPAddress
    /// Names the attack's packets in accounts.
    public let key: FlowKey
    public let generator: FloodGenerator

    /// The attacks of a scenario that are floods, in the order of their events.
    public static func all(of scenario: Scenario, seed: UInt64) -> [AttackPlan] {
        var plans: [AttackPlan] = []
        var streams: [String] = []
        for (index, event) in scenario.events.enumerated() {
            guard case .attack(let attack) = event.kind, let kind = FloodKind(attack.kind),
                let route = scenario.topology.attackRoute(from: attack.from, to: attack.to)
            else { continue }
            let begin = Instant.zero + event.at
            let end = Instant.zero + scenario.duration
            let mtu = RunPlan.mtu(scenario.topology.links[route.port.link], route.port.direction)
            let configuration = FloodConfiguration(
                kind, at: route.target, port: FlowPlan.servicePort(of: attack.to, in: scenario),
                rate: FloodRate(attack.rate), start: begin, stop: attack.lasting.map { min(begin + $0, end) } ?? end,
                sourceCount: attack.sources, largestPacket: mtu)
            let (from, to) = (scenario.topology.nodes[attack.from].name, scenario.topology.nodes[attack.to].name)
            let name = "attack \(attack.kind.rawValue) from \(from) to \(to) at \(event.at)"
            // Of attacks that are alike in all of that each still draws for itself.
            let stream = "\(name) number \(streams.count { $0 == name })"
            streams.append(name)
            var key = Fingerprint()
            key.fold(salt, UInt64(index))
            plans.append(
                AttackPlan(
                    event: index, device: attack.from, target: route.target, key: FlowKey(key.value),
                    generator: FloodGenerator(configuration, random: SeededRandom(seed: seed, stream: stream))))
        }
        return plans
    }

    /// Keeps the accounts of attacks apart from five-tuples'.
    private static let salt: UInt64 = 0x6174_7461_636B
}

extension FloodKind {
    /// Nil for attacks that are more than a flood.
    init?(_ kind: AttackKind) {
        switch kind {
        case .synFlood: self = .synFlood
        case .udpFlood: self = .udpFlood
        case .icmpFlood: self = .icmpFlood
        case .dnsAmplification: self = .dnsAmplification
        case .portScan, .slowloris, .exfiltration, .arpSpoof: return nil
        }
    }
}

extension FloodRate {
    init(_ rate: AttackRate) {
        switch rate {
        case .packets(let rate): self = .packets(rate)
        case .bits(let rate): self = .bits(rate)
        }
    }
}
