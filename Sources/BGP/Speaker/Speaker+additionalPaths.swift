import Basics
import Wire

/// Several paths to a prefix, told to peers that take them (RFC 7911).
extension Speaker {
    /// Whether a peer is told several paths to a prefix, of whichever family.
    func numbersPaths(to peer: Int) -> Bool {
        sessions[peer].established?.negotiated.format.numberedFamilies.isEmpty == false
    }

    /// Looks at what is pending, and puts every path that has changed to its set.
    mutating func gatherPaths(_ peer: Int, _ negotiated: Negotiated, limit: inout Int) {
        while limit > 0, let index = outs[peer].takePending() {
            let isRepeated = outs[peer].takeRepeated(index)
            let wanted = exportedPaths(index, to: peer, negotiated)
            limit -= 1 + wanted.count
            withdrawPaths(index, except: wanted, from: peer)
            let isIPv4 = table.isIPv4(index)
            for path in wanted {
                guard let slot = outs[peer].slots?.add(index, path.identifier) else { return }
                let told = outs[peer].told[slot]
                guard path.attributes != told || isRepeated else {
                    attributes.release(path.attributes)
                    continue
                }
                outs[peer].told[slot] = path.attributes
                attributes.release(told)
                outs[peer].gather(slot, path.attributes, isIPv4: isIPv4)
            }
        }
    }

    private mutating func withdrawPaths(
        _ index: PrefixIndex, except wanted: ContiguousArray<ExportedPath>, from peer: Int
    ) {
        var slot = outs[peer].slots?.first(of: index) ?? endOfLinks
        while slot != endOfLinks, let record = outs[peer].slots?[slot] {
            let told = outs[peer].told[slot]
            if told != .none, !wanted.contains(where: { $0.identifier == record.identifier }) {
                outs[peer].told[slot] = .none
                attributes.release(told)
                outs[peer].gather(slot, .none, isIPv4: table.isIPv4(index))
                outs[peer].empty(slot)
            }
            slot = record.link
        }
    }

    /// The paths to a prefix that a peer is told, their sets held for the caller.
    private mutating func exportedPaths(
        _ index: PrefixIndex, to peer: Int, _ negotiated: Negotiated
    ) -> ContiguousArray<ExportedPath> {
        var result: ContiguousArray<ExportedPath> = []
        let isIPv4 = table.isIPv4(index)
        guard negotiated.format.numberedFamilies.contains(isIPv4 ? .ipv4Unicast : .ipv6Unicast) else {
            let set = exportedBest(index, to: peer, negotiated)
            if set != .none { result.append(ExportedPath(identifier: 0, attributes: set)) }
            return result
        }
        table.settleToldNumbers(index)
        for path in pathsToTell(index, to: peer) {
            let route = RoutingTable.Best(source: path.source, attributes: path.accepted)
            let set = exported(route, index, to: peer, negotiated)
            if set != .none { result.append(ExportedPath(identifier: path.toldNumber, attributes: set)) }
        }
        return result
    }

    /// The paths among which the peer's are to be found: all of others that take part, or the best of them.
    private func pathsToTell(_ index: PrefixIndex, to peer: Int) -> ContiguousArray<RoutingTable.Path> {
        var paths = participants(index)
        paths.removeAll { $0.source == PathSource(peer) }
        guard case .best(let count) = sessions[peer].configuration.additionalPaths, paths.count > count else {
            return paths
        }
        // Discriminators make the process one of sets: there is no order to sort by.
        var best: ContiguousArray<RoutingTable.Path> = []
        var candidates = ContiguousArray(paths.map { candidate($0) })
        while best.count < count, let choice = DecisionProcess.best(of: candidates) {
            best.append(paths.remove(at: choice.index))
            candidates.remove(at: choice.index)
        }
        return best
    }

    /// The prefix of what an ``AdjacencyOut`` holds by a number: of a slot, where the peer has some.
    func prefix(_ place: UInt32, to peer: Int) -> IPPrefix {
        guard let slots = outs[peer].slots else { return table[place] }
        return table[slots[place].prefix]
    }

    /// What the peer knows such paths by; nothing for a peer that knows one path to a prefix.
    func identifiers(_ places: ContiguousArray<UInt32>, to peer: Int) -> ContiguousArray<UInt32> {
        guard let slots = outs[peer].slots else { return [] }
        return ContiguousArray(places.map { slots[$0].identifier })
    }
}

/// A path as a peer is to be told it.
private struct ExportedPath: BitwiseCopyable {
    let identifier: UInt32
    let attributes: AttributeIndex
}
