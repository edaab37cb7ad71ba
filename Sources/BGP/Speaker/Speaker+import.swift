import Basics
import Wire

/// The way of a route from a peer into the Adj-RIB-In (RFC 4271 §9.1.1).
extension Speaker {
    mutating func originate(_ prefix: IPPrefix) {
        aggregates.setAnnounced(prefix, true)
        guard !aggregates.stands(prefix) else { return }
        originate(prefix, PathAttributes(nextHop: prefix.isIPv4 ? .v4(.any) : .v6(.any)))
    }

    mutating func originateNoMore(_ prefix: IPPrefix) {
        aggregates.setAnnounced(prefix, false)
        guard !aggregates.stands(prefix) else { return }
        removePath(prefix, PathID(.local))
    }

    mutating func originate(_ prefix: IPPrefix, _ made: PathAttributes) {
        let index = attributes.intern(made)
        attributes.retain(index)
        setPath(prefix, RoutingTable.Path(PathID(.local), received: index, accepted: index), dampedAt: nil)
    }

    /// Takes an UPDATE's routes into the peer's Adj-RIB-In.
    mutating func apply(_ message: UpdateMessage, from peer: Int, at now: Instant) {
        for fault in message.faults {
            switch fault {
            case .treatAsWithdraw: sessions[peer].counters.treatedAsWithdraw += 1
            case .attributeDiscard: sessions[peer].counters.discardedAttributes += 1
            case .sessionReset: break
            }
        }
        for (place, prefix) in message.withdrawn.enumerated() {
            guard let index = table.find(prefix) else { continue }
            withdrawPath(index, PathID(PathSource(peer), message.withdrawnIdentifiers.number(at: place)), at: now)
        }
        for announcement in message.announcements {
            var kept = announcement.attributes
            let isUsable = sessions[peer].admit(&kept) && !isLooping(kept, from: peer)
            var entry = begin(
                attributes.intern(kept), isUsable: isUsable, count: announcement.prefixes.count, from: peer)
            entry.dampedAt = dampers[peer] == nil ? nil : now
            for (place, prefix) in announcement.prefixes.enumerated() where prefix.isRoutable {
                take(prefix, PathID(PathSource(peer), announcement.identifiers.number(at: place)), &entry)
            }
            finish(entry)
        }
    }

    /// Takes the routes of an UPDATE that is like most others; false if it is not, and nothing has been done.
    mutating func applyPlain(
        _ body: RawSpan, _ context: UpdateContext, from peer: Int, at now: Instant
    ) -> Bool {
        let local = configuration.autonomousSystem
        guard sessions[peer].admitsAsIs,
            let update = PlainUpdate(
                body, context, ownNumber: local, otherOwnNumber: configuration.confederation?.identifier)
        else { return false }
        prepare(update, update.withdrawn, of: body)
        var offset = update.withdrawn.lowerBound
        while offset < update.withdrawn.upperBound {
            let id = PathID(PathSource(peer), update.takeIdentifier(body, &offset))
            let prefix = PlainUpdate.takePrefix(body, &offset)
            if let index = table.find(prefix) { withdrawPath(index, id, at: now) }
        }
        guard !update.reachable.isEmpty else { return true }
        let isUsable =
            !update.hasOwnNumber && update.key.nextHop != sessions[peer].configuration.localAddress
            && update.key.nextHop != sessions[peer].configuration.otherFamilyNextHop
        let received = attributes.intern(body.extracting(update.attributes), key: update.key)
        var entry = begin(received, isUsable: isUsable, count: update.reachable.count, from: peer)
        entry.dampedAt = dampers[peer] == nil ? nil : now
        prepare(update, update.reachable, of: body)
        offset = update.reachable.lowerBound
        while offset < update.reachable.upperBound {
            let id = PathID(PathSource(peer), update.takeIdentifier(body, &offset))
            let prefix = PlainUpdate.takePrefix(body, &offset)
            if prefix.isRoutable { take(.v4(prefix), id, &entry) }
        }
        finish(entry)
        return true
    }

    /// Has fetched what the prefixes of an UPDATE are found by, all at once instead of one after the other.
    private func prepare(_ update: borrowing PlainUpdate, _ prefixes: Range<Int>, of body: RawSpan) {
        var offset = prefixes.lowerBound
        while offset < prefixes.upperBound {
            _ = update.takeIdentifier(body, &offset)
            table.prepare(PlainUpdate.takePrefix(body, &offset))
        }
    }

    /// Sets a peer's path to one of the prefixes of an announcement.
    private mutating func take(_ prefix: IPPrefix, _ id: PathID, _ entry: inout ImportEntry) {
        let accepted =
            !entry.isUsable
            ? .none : entry.isAccepted ? entry.received : accept(&entry, of: prefix, from: Int(id.source))
        entry.users += 1
        if accepted == entry.received {
            entry.users += 1
        } else if accepted != .none {
            attributes.retain(accepted)
        }
        setPath(
            prefix, RoutingTable.Path(id, received: entry.received, accepted: accepted), dampedAt: entry.dampedAt)
    }

    /// Begins with an announcement of so many prefixes at most, whose set the caller holds.
    ///
    /// All holds that its routes may come to have are taken at once, ahead of them: a
    /// prefix that stands in it twice gives up what it has just been given.
    private mutating func begin(
        _ received: AttributeIndex, isUsable: Bool, count: Int, from peer: Int
    ) -> ImportEntry {
        let reserve = UInt32(count) * 2
        attributes.retain(received, reserve)
        return ImportEntry(
            received: received, isUsable: isUsable, isAccepted: acceptsEverything(from: peer), reserve: reserve)
    }

    /// Gives up what was held ahead and not used, and the caller's own hold.
    private mutating func finish(_ entry: ImportEntry) {
        attributes.release(entry.received, entry.reserve - entry.users + 1)
        for result in entry.results { attributes.release(result.accepted) }
    }

    /// Takes a path out at its teller's word.
    private mutating func withdrawPath(_ index: PrefixIndex, _ id: PathID, at now: Instant) {
        if !dampedPeers.isEmpty { dampWithdrawal(index, id, at: now) }
        removePath(index, id)
    }

    mutating func removePath(_ index: PrefixIndex, _ id: PathID) {
        let isIPv4 = table.isIPv4(index)
        drop(table.remove(index, id), isIPv4: isIPv4)
    }

    mutating func removePath(_ prefix: IPPrefix, _ id: PathID) {
        if let index = table.find(prefix) { removePath(index, id) }
    }

    /// Sets a path and takes over the caller's hold on both sets of attributes.
    private mutating func setPath(_ prefix: IPPrefix, _ path: RoutingTable.Path, dampedAt now: Instant?) {
        let index = table.add(prefix)
        let isIPv4 = prefix.isIPv4
        var path = path
        if path.source != .local {
            path.epoch = epochs[Int(path.source)].epoch(isIPv4: isIPv4)
            if let now { path.isSuppressed = dampAnnouncement(path, index, at: now) }
            epochs[Int(path.source)].add(isAccepted: path.isUsable, isIPv4: isIPv4)
        }
        drop(table.set(index, path), isIPv4: isIPv4)
    }

    private mutating func drop(_ path: RoutingTable.Path?, isIPv4: Bool) {
        guard let path else { return }
        attributes.release(path.received)
        attributes.release(path.accepted)
        if path.source != .local { epochs[Int(path.source)].remove(path, isIPv4: isIPv4) }
    }

    /// Whether a peer's routes are let in unchanged; without a policy, an external peer's may not be (RFC 8212 §2).
    private func acceptsEverything(from peer: Int) -> Bool {
        if let policy = sessions[peer].configuration.importPolicy {
            return policy.rules.isEmpty && policy.otherwise == .permit
        }
        return sessions[peer].kind != .external || !configuration.requiresExternalPolicy
    }

    /// The attributes with which a route takes part in the decision; none if it does not.
    private mutating func accept(
        _ entry: inout ImportEntry, of prefix: IPPrefix, from peer: Int
    ) -> AttributeIndex {
        guard let policy = sessions[peer].configuration.importPolicy else { return .none }
        let value = entry.value ?? attributes[entry.received]
        entry.value = value
        guard let rule = policy.rule(for: value, of: prefix, origins: configuration.origins) else { return .none }
        if let known = entry.results.first(where: { $0.rule == rule }) { return known.accepted }
        let accepted = attributes.intern(policy.changed(value, by: rule))
        entry.results.append((rule, accepted))
        return accepted
    }

    /// Whether a route has been here before (RFC 4271 §9.1.2, RFC 4456 §8) or leads here (RFC 4271 §6.3).
    private func isLooping(_ attributes: PathAttributes, from peer: Int) -> Bool {
        sessions[peer].isLooping(attributes.path)
            || attributes.originatorID == configuration.routerID
            || attributes.nextHop.withoutMapping == sessions[peer].configuration.localAddress
            || attributes.nextHop == sessions[peer].configuration.otherFamilyNextHop
    }
}

/// The attributes of one announcement, while its prefixes are gone through.
private struct ImportEntry {
    let received: AttributeIndex
    let isUsable: Bool
    /// Whether every prefix is let in as it is.
    let isAccepted: Bool
    /// How many holds on ``received`` were taken ahead.
    let reserve: UInt32
    /// When it was heard, where its teller's flaps are counted.
    var dampedAt: Instant?
    /// How many of them its routes have.
    var users: UInt32 = 0
    /// Made when a policy wants to look at it.
    var value: PathAttributes?
    /// What the rules of the policy that have matched made of it, held here.
    var results: ContiguousArray<(rule: Int, accepted: AttributeIndex)> = []
}

extension [UInt32] {
    /// The number of a path; 0 where its family has none (RFC 7911 §3).
    fileprivate func number(at place: Int) -> UInt32 { place < count ? self[place] : 0 }
}

extension IPv4Prefix {
    /// Whether packets for the prefix may be routed at all (RFC 4271 §6.3, on semantic errors).
    fileprivate var isRoutable: Bool {
        length == 0 || (address.bits >> 24 != 127 && address.bits >> 28 < 14)
    }
}

extension IPPrefix {
    /// Whether packets for the prefix may be routed at all (RFC 4271 §6.3, on semantic errors).
    fileprivate var isRoutable: Bool {
        switch self {
        case .v4(let prefix):
            prefix.isRoutable
        case .v6(let prefix):
            !prefix.address.isMulticast && !prefix.address.isLinkLocal
                && !(prefix.length == 128 && prefix.address.bits <= 1)
        }
    }
}
