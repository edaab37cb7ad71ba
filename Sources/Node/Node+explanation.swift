import BGP
import Basics
public import Wire

extension Node {
    /// Why packets to a prefix go where they go: a line for it and one for each path; empty where none is known.
    public func explanation(of prefix: IPPrefix) -> [String] {
        guard let explanation = speaker.explain(prefix) else { return [] }
        let count = explanation.paths.count
        var lines = ["\(prefix), \(count) \(count == 1 ? "path" : "paths")"]
        for path in explanation.paths {
            let attributes = path.route.attributes
            var words = ["\(words(of: path.verdict)): from \(sessionName(path.route.peer))"]
            words.append("next hop \(attributes.nextHop)")
            if !attributes.path.numbers.isEmpty { words.append("AS path \(attributes.path)") }
            words.append("origin \(attributes.origin)")
            if let preference = attributes.localPreference { words.append("local preference \(preference)") }
            if let discriminator = attributes.multiExitDiscriminator { words.append("MED \(discriminator)") }
            if !attributes.communities.isEmpty {
                words.append("communities " + attributes.communities.map { "\($0)" }.joined(separator: " "))
            }
            if path.isStale { words.append("stale") }
            if path.isMultipath, path.verdict != .best { words.append("equal to the best") }
            lines.append(words.joined(separator: ", "))
        }
        return lines
    }

    /// The most specific prefix with a path that an address is in.
    public func bestPrefix(for address: IPAddress) -> IPPrefix? { speaker.lookUp(address)?.prefix }

    private func sessionName(_ peer: Int?) -> String {
        guard let peer else { return "here" }
        let peers = configuration.peers
        if peer < peers.count { return peers[peer].name }
        let place = peer - peers.count
        guard place < configuration.neighbors.count else { return "\(speaker.configuration(of: peer).address)" }
        return configuration.neighbors[place].name
    }

    private func words(of verdict: DecisionExplanation.Verdict) -> String {
        switch verdict {
        case .best: "best"
        case .lost(let step): "lost by \(words(of: step))"
        case .lostByOrder: "lost by the order of the sessions"
        case .notAccepted: "not accepted"
        case .nextHopUnreachable: "next hop unreachable"
        case .suppressed: "suppressed for flapping"
        }
    }

    private func words(of step: DecisionStep) -> String {
        switch step {
        case .originatedHere: "the other's origin here"
        case .freshness: "being long stale"
        case .localPreference: "local preference"
        case .pathLength: "the length of the AS path"
        case .origin: "origin"
        case .multiExitDiscriminator: "MED"
        case .externalOverInternal: "coming from inside the AS"
        case .accumulatedMetric: "the accumulated metric"
        case .interiorCost: "the cost of the way to the next hop"
        case .identifier: "the speaker's identifier"
        case .clusterListLength: "the length of the cluster list"
        case .peerAddress: "the peer's address"
        }
    }
}
