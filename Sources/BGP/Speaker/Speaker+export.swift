import Basics
import Wire

/// The way of a route from the Loc-RIB to a peer (RFC 4271 §9.1.3, §9.2).
extension Speaker {
    /// Queues everything for a peer whose session has come up.
    mutating func greetPeer(_ peer: Int) {
        for index in table.prefixes.inOrder() where table.best(index) != nil {
            outs[peer].enqueue(index)
        }
    }

    /// Queues all routes of a family again, as if the peer had not heard them (RFC 2918 §4).
    mutating func repeatRoutes(of family: AddressFamily, to peer: Int) {
        guard sessions[peer].established != nil else { return }
        for index in table.prefixes.inOrder() where AddressFamily(of: table.prefixes[index]) == family {
            guard outs[peer][index] != .none else { continue }
            attributes.release(outs[peer][index])
            outs[peer][index] = .none
            outs[peer].enqueue(index)
        }
    }

    /// Brings a peer up to date: withdrawals first, then each set of attributes with all its prefixes.
    mutating func flush(_ peer: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        let pending = outs[peer].takePending()
        guard let (side, id, negotiated) = sessions[peer].established else { return }
        var withdrawn: ContiguousArray<IPPrefix> = []
        var groups = AnnouncementGroups()
        var memo = IndexTable()
        for index in pending {
            let told = outs[peer][index]
            let wanted = exported(index, to: peer, negotiated, &memo)
            guard wanted != told else {
                attributes.release(wanted)
                continue
            }
            outs[peer][index] = wanted
            attributes.release(told)
            let prefix = table.prefixes[index]
            if wanted == .none {
                withdrawn.append(prefix)
            } else {
                groups.add(prefix, to: wanted)
            }
        }
        let start = outbox.arena.count
        var encoder = UpdateEncoder(negotiated.format)
        var messages = 0
        var unsendable: ContiguousArray<IPPrefix> = []
        withdraw(withdrawn, encoder, messages: &messages, to: &outbox.arena)
        for group in groups.all {
            let count = encoder.announce(group.prefixes, with: attributes[group.attributes], to: &outbox.arena)
            if count == 0 { unsendable += group.prefixes }
            messages += count
        }
        giveUp(unsendable, peer)
        withdraw(unsendable, encoder, messages: &messages, to: &outbox.arena)
        guard messages > 0 else { return }
        outbox.write(id, from: start)
        sessions[peer].counters.sent.count(.update, messages)
        sessions[peer].restartKeepaliveTimer(side, at: now)
    }

    private func withdraw(
        _ prefixes: ContiguousArray<IPPrefix>, _ encoder: UpdateEncoder, messages: inout Int,
        to arena: inout ByteArena
    ) {
        messages += encoder.withdraw(prefixes.filter(\.isIPv4), to: &arena)
        messages += encoder.withdraw(prefixes.filter { !$0.isIPv4 }, to: &arena)
    }

    /// RFC 4271 §9.2: what does not fit a message is not announced; an older announcement must not stay.
    private mutating func giveUp(_ prefixes: ContiguousArray<IPPrefix>, _ peer: Int) {
        for prefix in prefixes {
            guard let index = table.prefixes.find(prefix) else { continue }
            attributes.release(outs[peer][index])
            outs[peer][index] = .none
            sessions[peer].counters.unsendableRoutes += 1
        }
    }

    /// The attributes with which a peer is told the best route, held for the caller; none if it is not told.
    private mutating func exported(
        _ index: PrefixIndex, to peer: Int, _ negotiated: Negotiated, _ memo: inout IndexTable
    ) -> AttributeIndex {
        let prefix = table.prefixes[index]
        guard let best = table.best(index), best.source != PathSource(peer),
            negotiated.context.families.contains(AddressFamily(of: prefix))
        else { return .none }
        let isOwn = best.source == .local
        let fromInternal = !isOwn && sessions[Int(best.source)].isInternal
        // RFC 4271 §9.2.1: what one peer of the AS has said, it has said to all of them itself.
        if fromInternal, sessions[peer].isInternal, !sessions[peer].isReflected(from: sessions[Int(best.source)]) {
            return .none
        }

        // Without a policy the prefix itself has no say, and a set is worked out once for all of its prefixes.
        let hasPolicy = sessions[peer].configuration.exportPolicy != nil
        let key = UInt64(best.attributes) << 2 | (isOwn ? 2 : 0) | (prefix.isIPv4 ? 1 : 0)
        if !hasPolicy, let known = memo[key] {
            if known != .none { attributes.retain(known) }
            return known
        }
        let sent = exportedAttributes(attributes[best.attributes], isOwn: isOwn, prefix, to: sessions[peer])
        let result = sent.map { attributes.intern($0) } ?? .none
        if !hasPolicy { memo[key] = result }
        return result
    }

    private func exportedAttributes(
        _ kept: PathAttributes, isOwn: Bool, _ prefix: IPPrefix, to session: Session
    ) -> PathAttributes? {
        guard isExportable(kept, to: session.kind) else { return nil }
        var sent = kept
        session.extend(&sent.path)
        if session.kind != .external {
            sent.localPreference = kept.localPreference ?? PathAttributes.defaultLocalPreference
            if isOwn || session.configuration.nextHopSelf { sent.nextHop = ownNextHop(prefix, session) }
        } else {
            sent.nextHop = ownNextHop(prefix, session)
            // RFC 4271 §5.1.4: a discriminator that was heard goes no further than this AS.
            sent.multiExitDiscriminator = nil
        }
        if !session.isInternal {
            sent.originatorID = nil
            sent.clusterList = []
        }
        if let policy = session.configuration.exportPolicy {
            guard let changed = policy.apply(to: sent, of: prefix) else { return nil }
            sent = changed
        } else if session.kind == .external, configuration.requiresExternalPolicy {
            return nil
        }
        if session.kind == .external { sent.localPreference = nil }
        guard session.dress(&sent) else { return nil }
        // RFC 4271 §5.1.3: nobody is told to reach something by way of itself.
        guard sent.nextHop.withoutMapping != session.configuration.address else { return nil }
        guard !prefix.isIPv4 || sent.nextHop.isIPv4 || negotiatedExtendedNextHop(session) else { return nil }
        return sent
    }

    /// RFC 1997: what the well-known communities allow.
    private func isExportable(_ attributes: PathAttributes, to kind: PeerKind) -> Bool {
        for community in attributes.communities {
            if community == .noAdvertise { return false }
            if kind == .external, community == .noExport { return false }
            if kind != .internal, community == .noExportSubconfederation { return false }
        }
        return true
    }

    private func negotiatedExtendedNextHop(_ session: Session) -> Bool {
        session.established?.negotiated.format.hasExtendedNextHop ?? false
    }

    private func ownNextHop(_ prefix: IPPrefix, _ session: Session) -> IPAddress {
        let address = session.configuration.localAddress
        if address.isIPv4 == prefix.isIPv4 { return address }
        if let other = session.configuration.otherFamilyNextHop, other.isIPv4 == prefix.isIPv4 { return other }
        return prefix.isIPv4 ? .v4(configuration.routerID) : .v6(address.asIPv6)
    }
}

/// Prefixes to be announced, by their attributes, in the order in which each set was first met.
private struct AnnouncementGroups {
    private(set) var all: ContiguousArray<(attributes: AttributeIndex, prefixes: ContiguousArray<IPPrefix>)> = []
    private var places = IndexTable()

    mutating func add(_ prefix: IPPrefix, to attributes: AttributeIndex) {
        // Two families may share a set, but never a message.
        let key = UInt64(attributes) << 1 | (prefix.isIPv4 ? 0 : 1)
        if let place = places[key] {
            all[Int(place)].prefixes.append(prefix)
        } else {
            places[key] = UInt32(all.count)
            all.append((attributes, [prefix]))
        }
    }
}
