import BGP
import Basics
import Wire

/// What a speaker must hold and have told, worked out from all that its peers have said, the slow and obvious way.
struct RoutingOracle {
    struct Candidate {
        let peer: Int?
        let number: UInt32
        let attributes: PathAttributes
        let rank: RouteCandidate
    }

    let configuration: SpeakerConfiguration
    /// What each peer has told, by prefix and number of the path; 0 where it numbers none.
    var heard: [[IPPrefix: [UInt32: PathAttributes]]]
    var isUp: [Bool]
    var own: Set<IPPrefix> = []
    var unreachable: Set<IPAddress> = []

    init(_ configuration: SpeakerConfiguration) {
        self.configuration = configuration
        heard = Array(repeating: [:], count: configuration.peers.count)
        isUp = Array(repeating: false, count: configuration.peers.count)
    }

    private func isInternal(_ peer: Int) -> Bool {
        configuration.peers[peer].autonomousSystem == configuration.autonomousSystem
    }

    /// The candidates in order of the peers and of their numbers, the own one last.
    private func candidates(_ prefix: IPPrefix) -> [Candidate] {
        var result: [Candidate] = []
        for peer in heard.indices {
            for (number, received) in (heard[peer][prefix] ?? [:]).sorted(by: { $0.key < $1.key }) {
                guard !received.path.contains(configuration.autonomousSystem) else { continue }
                var accepted = received
                if let policy = configuration.peers[peer].importPolicy {
                    guard let changed = policy.apply(to: received, of: prefix) else { continue }
                    accepted = changed
                }
                guard !unreachable.contains(accepted.nextHop) else { continue }
                let rank = RouteCandidate(
                    DecisionKey(accepted), origin: isInternal(peer) ? .internal : .external,
                    peerIdentifier: identifier(peer), peerAddress: configuration.peers[peer].address)
                result.append(Candidate(peer: peer, number: number, attributes: accepted, rank: rank))
            }
        }
        if own.contains(prefix) {
            let attributes = PathAttributes(nextHop: prefix.isIPv4 ? .v4(.any) : .v6(.any))
            let rank = RouteCandidate(
                DecisionKey(attributes), origin: .local, peerIdentifier: configuration.routerID,
                peerAddress: .v4(.any))
            result.append(Candidate(peer: nil, number: 0, attributes: attributes, rank: rank))
        }
        return result
    }

    var prefixes: [IPPrefix] { Set(heard.flatMap(\.keys)).union(own).sorted() }

    func best(_ prefix: IPPrefix) -> Route? {
        let all = candidates(prefix)
        guard let index = DecisionProcess.best(of: ContiguousArray(all.map(\.rank)))?.index else { return nil }
        return Route(
            prefix: prefix, peer: all[index].peer, attributes: all[index].attributes,
            pathIdentifier: all[index].number)
    }

    /// Over which next hops packets to a prefix are spread.
    func hops(_ prefix: IPPrefix) -> [IPAddress] {
        let all = candidates(prefix)
        guard let place = DecisionProcess.best(of: ContiguousArray(all.map(\.rank)))?.index, all[place].peer != nil
        else {
            return []
        }
        let best = all[place]
        // As good as the best before discriminators are looked at.
        let equals = all.filter {
            let (left, right) = ($0.rank.key, best.rank.key)
            return left.localPreference == right.localPreference && left.pathLength == right.pathLength
                && left.origin == right.origin
        }
        let chosen = equals.filter { path in
            path.rank.origin == best.rank.origin
                && (configuration.spreadsOverNeighbors || path.rank.key.neighborAS == best.rank.key.neighborAS)
                && !equals.contains {
                    $0.rank.key.neighborAS == path.rank.key.neighborAS
                        && $0.rank.key.multiExitDiscriminator < path.rank.key.multiExitDiscriminator
                }
        }
        var hops = [best.attributes.nextHop]
        for path in chosen where !hops.contains(path.attributes.nextHop) { hops.append(path.attributes.nextHop) }
        return hops.prefix(configuration.maximumPaths).sorted()
    }

    /// What a peer has been told of a prefix, in order of the tellers: one path, or as many as it is to have.
    func told(_ prefix: IPPrefix, to peer: Int) -> [(candidate: Candidate, attributes: PathAttributes)] {
        var all = candidates(prefix)
        let isNumbered = configuration.peers[peer].session.capabilities.numberedFamiliesTold
            .contains(prefix.isIPv4 ? .ipv4Unicast : .ipv6Unicast)
        if isNumbered { all.removeAll { $0.peer == peer } }
        var limit = isNumbered ? all.count : 1
        if isNumbered, case .best(let count) = configuration.peers[peer].additionalPaths { limit = count }
        var chosen: [Candidate] = []
        while chosen.count < limit, let best = DecisionProcess.best(of: ContiguousArray(all.map(\.rank))) {
            chosen.append(all.remove(at: best.index))
        }
        chosen.sort { ($0.peer ?? .max, $0.number) < ($1.peer ?? .max, $1.number) }
        return chosen.compactMap { candidate in
            told(candidate, of: prefix, to: peer).map { (candidate, $0) }
        }
    }

    private func told(_ best: Candidate, of prefix: IPPrefix, to peer: Int) -> PathAttributes? {
        guard best.peer != peer else { return nil }
        let fromInternal = best.peer.map { isInternal($0) } ?? false
        guard !(fromInternal && isInternal(peer)), !best.attributes.communities.contains(.noAdvertise) else {
            return nil
        }
        let settings = configuration.peers[peer]
        var sent = best.attributes
        let ownNextHop = prefix.isIPv4 ? settings.localAddress : IPAddress("::ffff:\(settings.localAddress)")
        if isInternal(peer) {
            sent.localPreference = sent.localPreference ?? 100
            if best.peer == nil, let ownNextHop { sent.nextHop = ownNextHop }
        } else {
            guard !best.attributes.communities.contains(.noExport) else { return nil }
            sent.path.prepend(configuration.autonomousSystem)
            if let ownNextHop { sent.nextHop = ownNextHop }
            sent.multiExitDiscriminator = nil
        }
        if let policy = settings.exportPolicy {
            guard let changed = policy.apply(to: sent, of: prefix) else { return nil }
            sent = changed
        }
        if !isInternal(peer) { sent.localPreference = nil }
        // Nobody is told to reach something by way of itself.
        guard sent.nextHop != settings.address else { return nil }
        return sent
    }

    func identifier(_ peer: Int) -> IPv4Address { IPv4Address(10, 0, 1, UInt8(peer + 1)) }
}
