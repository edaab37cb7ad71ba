public import Basics
import Links
public import Scenario
import Wire

extension Scenario {
    /// The scripted events as they take effect up to an instant.
    public func incidents(until end: Instant) -> [Incident] {
        var found: [Incident] = []
        for (index, event) in events.enumerated() {
            let start = Instant.zero + event.at
            func incident(
                _ kind: Incident.Kind, _ subject: Int, from: Instant, to end: Instant?, disruptive: Bool = true
            ) -> Incident {
                Incident(
                    kind: kind, event: index, label: event.label, subject: subject, start: from, end: end,
                    isDisruptive: disruptive)
            }
            switch event.kind {
            case .linkSet(let link, _, let changes, _):
                let worse = isWorse(changes, link)
                found.append(
                    incident(.linkChanged, link, from: start, to: restoration(of: index, link), disruptive: worse))
            case .linkDown(let link, _, let lasting):
                found.append(
                    incident(
                        .linkDown, link, from: start, to: lasting.map { start + $0 } ?? restoration(of: index, link)))
            case .linkFlap(let link, _, let up, let down, let lasting):
                var phase = start
                while phase < start + lasting {
                    found.append(incident(.linkDown, link, from: phase, to: min(phase + down, start + lasting)))
                    phase += down + up
                }
            case .nodeKill(let node):
                found.append(incident(.nodeKilled, node, from: start, to: nil))
            case .nodeRestart(let node, let after):
                found.append(incident(.nodeKilled, node, from: start, to: start + after))
            case .bgp(.sessionReset(let pair)):
                found.append(incident(.sessionReset, pair.first, from: start, to: start, disruptive: false))
            case .bgp(.announce(let node, let prefixes, let lasting)):
                let end = lasting.map { start + $0 }
                let touching = isSomebodyOn(prefixes, besides: node)
                found.append(incident(.prefixesAnnounced, node, from: start, to: end, disruptive: touching))
            case .bgp(.withdraw(let node, let prefixes, let lasting)):
                let end = lasting.map { start + $0 }
                let own = topology.nodes[node].lan.contains { lan in prefixes.contains { $0.contains(lan) } }
                found.append(incident(.prefixesWithdrawn, node, from: start, to: end, disruptive: own))
            case .attack(let attack):
                let end = attack.lasting.map { start + $0 }
                found.append(incident(.attack, attack.to, from: start, to: end, disruptive: false))
            case .linkUp, .cloud:
                break
            }
        }
        return found.filter { $0.start <= end }.sorted { ($0.start, $0.event) < ($1.start, $1.event) }
    }

    /// Whether prefixes draw away what is meant for another site's LAN.
    private func isSomebodyOn(_ prefixes: [PrefixSeries], besides node: Int) -> Bool {
        topology.nodes.indices.contains { other in
            other != node
                && topology.nodes[other].lan.contains { lan in
                    prefixes.contains { $0.cover.contains { $0.overlaps(lan) } }
                }
        }
    }

    /// When the next event, in order of time, puts the same link right again, if one does.
    private func restoration(of index: Int, _ link: Int) -> Instant? {
        let event = events[index]
        var isDown = false
        if case .linkDown = event.kind { isDown = true }
        let candidates = events.enumerated().filter { other, candidate in
            guard other != index, candidate.link == link, candidate.at > event.at else { return false }
            switch candidate.kind {
            case .linkUp: return isDown
            case .linkSet(_, _, let changes, _): return !isDown && !isWorse(changes, link)
            default: return false
            }
        }
        return candidates.map(\.element.at).min().map { Instant.zero + $0 }
    }

    /// Whether changes leave a link worse than the topology has it.
    private func isWorse(_ changes: LinkSettings, _ link: Int) -> Bool {
        LinkDirection.allCases.contains { direction in
            let original = topology.links[link].settings(direction)
            let before = LinkProfile(original)
            let after = before.applying(changes)
            let slower = changes.rate.map { rate in before.rate.map { rate < $0 } ?? true } ?? false
            return after.delay > before.delay || after.jitter > before.jitter
                || after.loss.mean > before.loss.mean || slower || after.reorder > before.reorder
                || after.corrupt > before.corrupt || after.duplicate > before.duplicate
        }
    }
}
