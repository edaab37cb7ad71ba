public import Basics
import Wire

/// Routes that come and go, kept out of the decision for a while (RFC 2439).
extension Speaker {
    /// The routes of a peer whose flaps are remembered, in order of prefix; none where it is not damped.
    public func dampedRoutes(of peer: Int, at now: Instant) -> [DampedRoute] {
        dampers[peer]?.routes(at: now) ?? []
    }

    /// Forgets all flaps of a peer, and uses what was suppressed.
    public mutating func clearDamping(of peer: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard sessions.indices.contains(peer), let known = dampers[peer] else { return }
        dampers[peer] = sessions[peer].configuration.damping.map { DampingTable($0) }
        for route in known.routes(at: now) where route.suppressedUntil != nil {
            readmit(DampingTable.Key(prefix: route.prefix, number: route.pathIdentifier), of: peer)
        }
        settle(at: now, into: &outbox)
    }

    /// Counts what an announcement is after what was there before, and says whether the route is suppressed.
    mutating func dampAnnouncement(_ path: RoutingTable.Path, _ index: PrefixIndex, at now: Instant) -> Bool {
        let peer = Int(path.source)
        let key = DampingTable.Key(prefix: table[index], number: path.numbers.heard)
        if let old = table.path(path.id, index), epochs[peer].counts(old, isIPv4: key.prefix.isIPv4) {
            // What is told again after a restart has not flapped.
            let isStale = epochs[peer].isStale(old, isIPv4: key.prefix.isIPv4)
            if old.received != path.received, !isStale { dampers[peer]?.count(.change, of: key, at: now) }
        } else if dampers[peer]?.isWithdrawn(key) == true {
            dampers[peer]?.count(.readvertisement, of: key, at: now)
        }
        return dampers[peer]?.isSuppressed(key) ?? false
    }

    /// Counts a withdrawal, where there is anything to be withdrawn.
    mutating func dampWithdrawal(_ index: PrefixIndex, _ id: PathID, at now: Instant) {
        let peer = Int(id.source)
        guard dampers[peer] != nil, let old = table.path(id, index),
            epochs[peer].counts(old, isIPv4: table.isIPv4(index))
        else { return }
        dampers[peer]?.count(.withdrawal, of: DampingTable.Key(prefix: table[index], number: id.number), at: now)
    }

    /// Lets routes in again whose time has come; returns how many were looked at.
    mutating func readmitRoutes(limit: Int, at now: Instant) -> Int {
        var count = 0
        for peer in dampedPeers {
            while count < limit, let key = dampers[peer]?.takeReusable(at: now) {
                readmit(key, of: peer)
                count += 1
            }
        }
        return count
    }

    private mutating func readmit(_ key: DampingTable.Key, of peer: Int) {
        let id = PathID(PathSource(peer), key.number)
        guard let index = table.find(key.prefix), let path = table.path(id, index), path.isSuppressed else { return }
        table.setUsed(index, id)
        if path.accepted != .none { epochs[peer].accept(path, isIPv4: key.prefix.isIPv4) }
    }

    /// When routes are let in again, at the earliest.
    func nextReadmission(after now: Instant) -> Instant {
        var next = Instant.never
        for peer in dampedPeers { next = min(next, dampers[peer]?.nextDeadline ?? .never) }
        return next == .never ? next : max(next, now)
    }
}
