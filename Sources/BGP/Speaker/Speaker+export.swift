import Basics
import Wire

/// The way of a route from the Loc-RIB to a peer (RFC 4271 §9.1.3, §9.2).
extension Speaker {
    /// Queues everything for a peer whose session has come up.
    mutating func greetPeer(_ peer: Int) {
        if numbersPaths(to: peer) { outs[peer].slots = PathSlots() }
        walk(.greet(peer: peer))
    }

    /// Queues all routes of a family again, as if the peer had not heard them (RFC 2918 §4).
    mutating func repeatRoutes(of family: AddressFamily, to peer: Int) {
        guard sessions[peer].established != nil else { return }
        // What a round has worked out may be what has changed.
        for index in outs[peer].exports.takeAll() { attributes.release(index) }
        walk(.repeatTold(peer: peer, family))
    }

    /// Has what sets become on their way out worked out anew.
    mutating func forgetExports() {
        for peer in establishedPeers {
            for index in outs[peer].exports.takeAll() { attributes.release(index) }
        }
    }

    /// Brings a peer up to date: withdrawals first, then each set of attributes with all its prefixes.
    mutating func flush(_ peer: Int, limit: inout Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard let (side, id, negotiated) = sessions[peer].established else {
            outs[peer] = AdjacencyOut()
            return
        }
        if !outs[peer].isTelling {
            guard outs[peer].isInRound || outs[peer].notBefore <= now else { return }
            if outs[peer].slots == nil {
                gather(peer, negotiated, limit: &limit)
            } else {
                gatherPaths(peer, negotiated, limit: &limit)
            }
            guard !outs[peer].hasPending else { return }
            for index in outs[peer].exports.takeAll() { attributes.release(index) }
            outs[peer].beginTelling()
        }
        let start = outbox.arena.count
        let messages = tell(peer, negotiated, limit: &limit, to: &outbox.arena)
        guard messages > 0 else { return }
        outbox.write(id, from: start)
        sessions[peer].counters.sent.count(.update, messages)
        sessions[peer].restartKeepaliveTimer(side, at: now)
        deadlines[peer] = sessions[peer].timers.next?.at ?? .never
        let interval = sessions[peer].configuration.advertisementInterval
        if interval > .zero { outs[peer].notBefore = now + interval }
    }

    /// Looks at what is pending, and puts what has changed to its set.
    private mutating func gather(_ peer: Int, _ negotiated: Negotiated, limit: inout Int) {
        while limit > 0, let index = outs[peer].takePending() {
            limit -= 1
            let told = outs[peer].told[index]
            let wanted = exportedBest(index, to: peer, negotiated)
            let isRepeated = outs[peer].takeRepeated(index)
            guard wanted != told || (isRepeated && wanted != .none) else {
                attributes.release(wanted)
                continue
            }
            outs[peer].told[index] = wanted
            attributes.release(told)
            outs[peer].gather(index, wanted, isIPv4: table.isIPv4(index))
        }
    }

    /// Writes the next messages of a round and returns how many they are.
    private mutating func tell(
        _ peer: Int, _ negotiated: Negotiated, limit: inout Int, to arena: inout ByteArena
    ) -> Int {
        var encoder = UpdateEncoder(negotiated.format)
        var messages = 0
        let withdrawn = outs[peer].takeWithdrawn(limit: limit)
        withdraw(withdrawn, peer, encoder, messages: &messages, to: &arena)
        limit -= withdrawn.count
        guard !outs[peer].hasWithdrawn else { return messages }
        var unsendable: ContiguousArray<PrefixIndex> = []
        var prefixes: ContiguousArray<PrefixIndex> = []
        swap(&prefixes, &prefixScratch)
        while limit > 0, let bundle = outs[peer].takeBundle() {
            outs[peer].prefixes(of: bundle, into: &prefixes)
            guard !prefixes.isEmpty else { continue }
            limit -= prefixes.count
            let count =
                announcePlain(prefixes, bundle, negotiated.format, peer, to: &arena)
                ?? encoder.announce(
                    ContiguousArray(prefixes.map { prefix($0, to: peer) }),
                    identifiers: identifiers(prefixes, to: peer),
                    with: attributes[bundle.attributes], to: &arena)
            if count == 0 { unsendable += prefixes }
            messages += count
        }
        swap(&prefixes, &prefixScratch)
        giveUp(unsendable, peer)
        withdraw(unsendable, peer, encoder, messages: &messages, to: &arena)
        // A round that has come to its end by using its share up ends with the next call.
        if limit > 0 { outs[peer].endRound() }
        return messages
    }

    /// Writes IPv4 routes from their packed attributes as they lie; nil where the general way must be gone.
    func announcePlain(
        _ prefixes: ContiguousArray<PrefixIndex>, _ bundle: AdjacencyOut.Bundle, _ format: UpdateFormat, _ peer: Int,
        to arena: inout ByteArena
    ) -> Int? {
        guard bundle.isIPv4, format.isFourOctet, format.numberedFamilies.isEmpty, outs[peer].slots == nil,
            attributes.key(bundle.attributes).nextHop.isIPv4, let packed = attributes.packed(bundle.attributes)
        else { return nil }
        let end = format.maximumLength
        guard 23 + packed.count + 5 <= end else { return nil }
        var place = 0
        var messages = 0
        while place < prefixes.count {
            let start = arena.beginMessage(.update)
            arena.append(UInt16(0))
            arena.append(UInt16(packed.count))
            arena.append(packed.span.bytes)
            while place < prefixes.count {
                let (address, length) = table.plain(prefixes[place])
                let size = (Int(length) + 7) / 8
                guard arena.count - start + 1 + size <= end else { break }
                arena.append(length)
                for octet in 0..<size { arena.append(UInt8(truncatingIfNeeded: address >> UInt32(24 - octet * 8))) }
                place += 1
            }
            arena.endMessage(start)
            messages += 1
        }
        return messages
    }

    func withdraw(
        _ places: ContiguousArray<UInt32>, _ peer: Int, _ encoder: UpdateEncoder, messages: inout Int,
        to arena: inout ByteArena
    ) {
        guard !places.isEmpty else { return }
        for isIPv4 in [true, false] {
            let some = ContiguousArray(places.filter { prefix($0, to: peer).isIPv4 == isIPv4 })
            messages += encoder.withdraw(
                ContiguousArray(some.map { prefix($0, to: peer) }), identifiers: identifiers(some, to: peer), to: &arena
            )
        }
    }

    /// RFC 4271 §9.2: what does not fit a message is not announced; an older announcement must not stay.
    mutating func giveUp(_ indices: ContiguousArray<PrefixIndex>, _ peer: Int) {
        for index in indices {
            attributes.release(outs[peer].told[index])
            outs[peer].told[index] = .none
            outs[peer].empty(index)
            sessions[peer].counters.unsendableRoutes += 1
        }
    }
}

/// What a route becomes on its way out.
extension Speaker {
    /// The attributes with which a peer is told the best route, held for the caller; none if it is not told.
    mutating func exportedBest(_ index: PrefixIndex, to peer: Int, _ negotiated: Negotiated) -> AttributeIndex {
        guard let best = table.best(index) else { return .none }
        return exported(best, index, to: peer, negotiated)
    }

    /// The same for any route to the prefix.
    mutating func exported(
        _ route: RoutingTable.Best, _ index: PrefixIndex, to peer: Int, _ negotiated: Negotiated
    ) -> AttributeIndex {
        let isIPv4 = table.isIPv4(index)
        let policy = sessions[peer].configuration.exportPolicy
        guard route.source != PathSource(peer), policy?.deniesEverything != true,
            aggregates.isEmpty || !aggregates.isSummarized(table[index]),
            negotiated.context.families.contains(isIPv4 ? .ipv4Unicast : .ipv6Unicast)
        else { return .none }
        let isOwn = route.source == .local
        let fromInternal = !isOwn && sessions[Int(route.source)].isInternal
        // RFC 4271 §9.2.1: what one peer of the AS has said, it has said to all of them itself.
        if fromInternal, sessions[peer].isInternal, !sessions[peer].isReflected(from: sessions[Int(route.source)]) {
            return .none
        }

        // Without rules the prefix itself has no say, and a set is worked out once for all of its prefixes.
        guard policy?.rules.isEmpty ?? true else {
            let sent = exportedAttributes(attributes[route.attributes], isOwn: isOwn, table[index], to: sessions[peer])
            return sent.map { attributes.intern($0) } ?? .none
        }
        let key = UInt64(route.attributes) << 2 | (isOwn ? 2 : 0) | (isIPv4 ? 1 : 0)
        if let known = outs[peer].exports.find(key) {
            if known != .none { attributes.retain(known) }
            return known
        }
        let result = exportedSet(route.attributes, isOwn: isOwn, index, to: peer)
        attributes.retain(route.attributes)
        if result != .none { attributes.retain(result) }
        outs[peer].exports.add(key, result, holding: route.attributes, result)
        return result
    }

    /// Works out what becomes of a set where there is no policy, held for the caller.
    private mutating func exportedSet(
        _ set: AttributeIndex, isOwn: Bool, _ index: PrefixIndex, to peer: Int
    ) -> AttributeIndex {
        if let plain = exportedPlain(set, isIPv4: table.isIPv4(index), to: peer) { return plain }
        let sent = exportedAttributes(attributes[set], isOwn: isOwn, table[index], to: sessions[peer])
        return sent.map { attributes.intern($0) } ?? .none
    }

    /// The same on packed octets, for IPv4 routes to an external peer; nil where the general way must be gone.
    private mutating func exportedPlain(_ set: AttributeIndex, isIPv4: Bool, to peer: Int) -> AttributeIndex? {
        let settings = sessions[peer].settings
        guard isIPv4, sessions[peer].kind == .external, configuration.confederation == nil, settings.role == nil,
            !configuration.requiresExternalPolicy || sessions[peer].configuration.exportPolicy != nil,
            !sessions[peer].isDraining,
            case .v4(let nextHop) = sessions[peer].configuration.localAddress,
            sessions[peer].configuration.address != .v4(nextHop), let packed = attributes.packed(set)
        else { return nil }
        octetScratch.removeAll(keepingCapacity: true)
        let number = sessions[peer].ownAutonomousSystem
        guard PackedExport.append(packed.span.bytes, prepending: number, nextHop: nextHop, to: &octetScratch) else {
            return nil
        }
        var key = attributes.key(set)
        key.localPreference = PathAttributes.defaultLocalPreference
        key.pathLength += 1
        key.neighborAS = number
        key.multiExitDiscriminator = 0
        key.originatorID = nil
        key.clusterListLength = 0
        key.nextHop = .v4(nextHop)
        let octets = octetScratch
        return attributes.intern(octets.span.bytes, key: key)
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
        if !isOwn, sent.nextHop != kept.nextHop { addCost(of: kept.nextHop, to: &sent) }
        if !session.isInternal {
            sent.originatorID = nil
            sent.clusterList = []
        }
        if let policy = session.configuration.exportPolicy {
            guard let changed = policy.apply(to: sent, of: prefix, origins: configuration.origins) else { return nil }
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

    /// RFC 7311 §3.4: whoever puts itself in place of the next hop adds what the way there costs.
    private func addCost(of nextHop: IPAddress, to attributes: inout PathAttributes) {
        guard let metric = attributes.accumulatedMetric else { return }
        let (sum, isTooGreat) = metric.addingReportingOverflow(
            UInt64(nextHops.cost(of: nextHop.withoutMapping) ?? 0))
        attributes.accumulatedMetric = isTooGreat ? .max : sum
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
