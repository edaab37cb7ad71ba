import Wire

/// What of a peer's routes outlives its session (RFC 4724 §4.2, RFC 7313 §4, RFC 9494 §4.2).
extension Speaker {
    /// Forgets all that a peer was told.
    mutating func forgetTold(_ peer: Int) {
        for index in outs[peer].removeAll() { attributes.release(index) }
    }

    /// Forgets all that a peer has told of a family.
    mutating func forgetHeard(_ peer: Int, _ family: AddressFamily) {
        removePaths(of: peer, family) { _ in true }
    }

    /// Marks what a peer has told of a family, so that what it does not tell again can be found.
    ///
    /// What bears the mark already has outlived its session once, and does not do so
    /// twice (RFC 4724 §4.2).
    mutating func markStale(_ peer: Int, _ family: AddressFamily) {
        sweepStale(peer, family)
        guard routeCounts[peer].received > 0 else { return }
        for index in table.prefixes.inOrder() where AddressFamily(of: table.prefixes[index]) == family {
            table.markStale(index, source: PathSource(peer))
        }
    }

    /// Forgets what still bears the mark.
    mutating func sweepStale(_ peer: Int, _ family: AddressFamily) {
        removePaths(of: peer, family) { $0.isStale }
    }

    /// Makes what bears the mark the last choice, and forgets what must not be kept for long (RFC 9494 §4.2).
    mutating func demoteStale(_ peer: Int, _ family: AddressFamily) {
        let known = attributes
        removePaths(of: peer, family) { $0.isStale && known[$0.received].communities.contains(.noLongLived) }
        let source = PathSource(peer)
        for index in table.prefixes.inOrder() where AddressFamily(of: table.prefixes[index]) == family {
            guard let path = table.path(of: source, index), path.isStale, path.accepted != .none else { continue }
            var demoted = attributes[path.accepted]
            guard !demoted.communities.contains(.longLivedStale) else { continue }
            demoted.communities.append(.longLivedStale)
            let accepted = attributes.intern(demoted)
            attributes.release(path.accepted)
            table.setAccepted(index, source: source, accepted)
        }
    }

    /// How many routes a peer has told, of all families.
    func receivedCount(of peer: Int) -> Int { routeCounts[peer].received }

    private mutating func removePaths(
        of peer: Int, _ family: AddressFamily, where isDoomed: (RoutingTable.Path) -> Bool
    ) {
        let source = PathSource(peer)
        guard routeCounts[peer].received > 0 else { return }
        for index in table.prefixes.inOrder() where AddressFamily(of: table.prefixes[index]) == family {
            guard let path = table.path(of: source, index), isDoomed(path) else { continue }
            removePath(table.prefixes[index], source: source)
        }
    }
}
