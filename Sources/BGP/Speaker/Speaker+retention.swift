import Wire

/// What of a peer's routes outlives its session (RFC 4724 §4.2, RFC 7313 §4, RFC 9494 §4.2).
extension Speaker {
    /// Forgets all that a peer was told.
    mutating func forgetTold(_ peer: Int) {
        discarded.append(outs[peer].told)
        for index in outs[peer].exports.takeAll() { attributes.release(index) }
        outs[peer] = AdjacencyOut()
    }

    /// Forgets all that a peer has told of a family.
    mutating func forgetHeard(_ peer: Int, _ family: AddressFamily) {
        end(peer, family, keepingStale: false)
    }

    /// Marks what a peer has told of a family, so that what it does not tell again can be found.
    ///
    /// What bears the mark already has outlived its session once, and does not do so
    /// twice (RFC 4724 §4.2).
    mutating func markStale(_ peer: Int, _ family: AddressFamily) {
        end(peer, family, keepingStale: true)
    }

    private mutating func end(_ peer: Int, _ family: AddressFamily, keepingStale: Bool) {
        let isIPv4 = family == .ipv4Unicast
        let before = epochs[peer].received(isIPv4: isIPv4)
        epochs[peer].end(isIPv4: isIPv4, keepingStale: keepingStale)
        if epochs[peer].received(isIPv4: isIPv4) < before { walk(.purge(peer: peer)) }
    }

    /// Forgets what still bears the mark.
    mutating func sweepStale(_ peer: Int, _ family: AddressFamily) {
        let isIPv4 = family == .ipv4Unicast
        let before = epochs[peer].received(isIPv4: isIPv4)
        epochs[peer].endStale(isIPv4: isIPv4)
        if epochs[peer].received(isIPv4: isIPv4) < before { walk(.purge(peer: peer)) }
    }

    /// Makes what bears the mark the last choice, and forgets what must not be kept for long (RFC 9494 §4.2).
    mutating func demoteStale(_ peer: Int, _ family: AddressFamily) {
        walk(.demote(peer: peer, family))
    }

    /// How many routes a peer has told, of all families.
    func receivedCount(of peer: Int) -> Int { epochs[peer].received }

    /// Takes those of a peer's paths out that do not count any more.
    mutating func purge(_ index: PrefixIndex, _ peer: Int) {
        var next = table.firstPath(of: PathSource(peer), index)
        while let path = next {
            if !epochs[peer].counts(path, isIPv4: table.isIPv4(index)) { removePath(index, path.id) }
            next = table.nextPath(ofSourceOf: path, index)
        }
    }

    /// Makes those of a peer's paths the last choice that have outlived its session.
    mutating func demote(_ index: PrefixIndex, _ peer: Int) {
        var next = table.firstPath(of: PathSource(peer), index)
        while let path = next {
            if epochs[peer].isStale(path, isIPv4: table.isIPv4(index)) { demote(index, path) }
            next = table.nextPath(ofSourceOf: path, index)
        }
    }

    private mutating func demote(_ index: PrefixIndex, _ path: RoutingTable.Path) {
        guard !attributes[path.received].communities.contains(.noLongLived) else {
            return removePath(index, path.id)
        }
        guard path.accepted != .none else { return }
        var demoted = attributes[path.accepted]
        guard !demoted.communities.contains(.longLivedStale) else { return }
        demoted.communities.append(.longLivedStale)
        let accepted = attributes.intern(demoted)
        attributes.release(path.accepted)
        table.setAccepted(index, path.id, accepted)
    }
}
