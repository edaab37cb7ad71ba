import Basics
import Wire

/// What several peers are told together (``UpdateGroup``).
extension Speaker {
    /// How many groups of peers are told together what is the same for all of them (`groupsPeers`).
    public var updateGroupCount: Int { groups.count }

    /// Takes a peer in or out of its group, as its session has come up or gone.
    mutating func regroup(_ peer: Int) {
        leaveGroup(peer)
        terms[peer] = configuration.groupsPeers ? UpdateGroup.Terms(sessions[peer]) : nil
        joinGroup(peer)
    }

    /// Has a peer told alone from now on; what it is told together with others must have been told to the end.
    mutating func leaveGroup(_ peer: Int) {
        terms[peer] = nil
        if let group = groupNumbers[peer] {
            groups[group].members.removeAll { $0 == peer }
            if groups[group].members.isEmpty { groups.remove(at: group) }
        }
        renumberGroups()
    }

    /// Tells the round to its end that a peer's group is in, and has the peer told alone from then on.
    mutating func finishGroup(of peer: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard let group = groupNumbers[peer] else { return }
        var limit = Int.max
        if groups[group].isInRound { flushGroup(group, limit: &limit, at: now, into: &outbox) }
        for index in groups[group].out.pendingPrefixes { outs[peer].enqueue(index) }
        leaveGroup(peer)
    }

    /// Takes a peer in where it can be: in a group that is between rounds, or in a new one with another peer.
    private mutating func joinGroup(_ peer: Int) {
        guard let wanted = terms[peer], groupNumbers[peer] == nil else { return }
        if let group = groups.firstIndex(where: { $0.terms == wanted }) {
            guard !groups[group].isInRound else { return }
            groups[group].members.append(peer)
            groups[group].members.sort()
        } else if let other = privatePeers.first(where: { $0 != peer && terms[$0] == wanted }) {
            groups.append(UpdateGroup(terms: wanted, members: [min(peer, other), max(peer, other)]))
        }
        renumberGroups()
    }

    private mutating func renumberGroups() {
        for peer in groupNumbers.indices { groupNumbers[peer] = nil }
        for group in groups.indices {
            for peer in groups[group].members { groupNumbers[peer] = group }
        }
        privatePeers = establishedPeers.filter { groupNumbers[$0] == nil }
    }

    /// Whether a peer's group is in the middle of a round, which what the peer is told alone must not overtake.
    func isToldTogether(_ peer: Int) -> Bool {
        groupNumbers[peer].map { groups[$0].isInRound } ?? false
    }

    /// Whether a peer has been told everything, with others and alone.
    func isToldAll(_ peer: Int) -> Bool {
        outs[peer].isIdle && (groupNumbers[peer].map { groups[$0].isIdle } ?? true)
    }

    /// Brings all members of a group up to date, but for what concerns one of them alone.
    mutating func flushGroup(_ group: Int, limit: inout Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        if !groups[group].isInRound {
            guard !groups[group].members.contains(where: { outs[$0].isInRound }) else { return }
            groups[group].beginRound()
        }
        if !groups[group].out.isTelling {
            gatherTogether(group, limit: &limit)
            guard groups[group].left == 0 else { return }
            for member in groups[group].members {
                for index in outs[member].exports.takeAll() { attributes.release(index) }
            }
            groups[group].out.beginTelling()
        }
        tellTogether(group, limit: &limit, at: now, into: &outbox)
        guard !groups[group].isInRound else { return }
        let wanted = groups[group].terms
        for peer in privatePeers where terms[peer] == wanted { joinGroup(peer) }
    }

    /// Looks at what is pending, and puts to its set what all members are to be told, or all but one.
    private mutating func gatherTogether(_ group: Int, limit: inout Int) {
        let members = groups[group].members
        guard let first = members.first, let negotiated = sessions[first].established?.negotiated else { return }
        while limit > 0, groups[group].left > 0, let index = groups[group].out.takePending() {
            groups[group].left -= 1
            limit -= 1 + members.count / 16
            let best = table.best(index)
            let source = best?.source ?? .none
            guard let best, !leadsToMember(best, of: group) else {
                if best == nil { share(index, .none, source, group) } else { tellAlone(index, members) }
                continue
            }
            let speaker = groups[group].member(otherThan: source) ?? first
            share(index, exported(best, index, to: speaker, negotiated), source, group)
        }
    }

    /// Whether a route that keeps its next hop leads to a member that has not told it.
    private func leadsToMember(_ best: RoutingTable.Best, of group: Int) -> Bool {
        guard groups[group].terms.kind != .external, !groups[group].terms.nextHopSelf, best.source != .local else {
            return false
        }
        let nextHop = attributes.key(best.attributes).nextHop.withoutMapping
        return groups[group].members.contains {
            PathSource($0) != best.source && sessions[$0].configuration.address == nextHop
        }
    }

    private mutating func tellAlone(_ index: PrefixIndex, _ members: ContiguousArray<Int>) {
        for member in members { outs[member].enqueue(index) }
    }

    /// Puts a prefix to a set whose hold it takes over; the teller of the route is told nothing.
    ///
    /// A message may leave one member out. Where several are up to date already, or
    /// something is to be taken back from the teller, each is told alone.
    private mutating func share(
        _ index: PrefixIndex, _ wanted: AttributeIndex, _ source: PathSource, _ group: Int
    ) {
        let members = groups[group].members
        var exceptions = 0
        var exception = PathSource.none
        for member in members {
            let told = outs[member].told[index]
            let isTeller = PathSource(member) == source
            if isTeller, told != .none { outs[member].enqueue(index) }
            guard isTeller || told == wanted else { continue }
            exceptions += 1
            exception = PathSource(member)
        }
        guard exceptions <= 1, exceptions < members.count else {
            for member in members where PathSource(member) != source && outs[member].told[index] != wanted {
                outs[member].enqueue(index)
            }
            return attributes.release(wanted)
        }
        if wanted != .none { attributes.retain(wanted, UInt32(members.count - exceptions - 1)) }
        for member in members where PathSource(member) != exception {
            attributes.release(outs[member].told[index])
            outs[member].told[index] = wanted
        }
        groups[group].out.gather(index, wanted, isIPv4: table.isIPv4(index), except: exception)
    }

    /// Writes the next messages of a round once, for all members or for all but one.
    private mutating func tellTogether(
        _ group: Int, limit: inout Int, at now: Instant, into outbox: inout SpeakerOutbox
    ) {
        guard let first = groups[group].members.first, let negotiated = sessions[first].established?.negotiated else {
            return groups[group].endRound()
        }
        var run = GroupRun(start: outbox.arena.count)
        var encoder = UpdateEncoder(negotiated.format)
        let withdrawn = groups[group].out.takeWithdrawn(limit: limit, told: outs[first].told)
        withdraw(withdrawn, first, encoder, messages: &run.messages, to: &outbox.arena)
        limit -= withdrawn.count
        while limit > 0, !groups[group].out.hasWithdrawn, let bundle = groups[group].out.takeBundle() {
            guard let member = groups[group].member(otherThan: bundle.exception) else { continue }
            var prefixes: ContiguousArray<PrefixIndex> = []
            groups[group].out.prefixes(of: bundle, told: outs[member].told, into: &prefixes)
            guard !prefixes.isEmpty else { continue }
            limit -= prefixes.count
            if bundle.exception != run.exception {
                finish(run, group, at: now, into: &outbox)
                run = GroupRun(start: outbox.arena.count, exception: bundle.exception)
            }
            tell(bundle, prefixes, to: member, group, &encoder, &run, &outbox.arena)
        }
        finish(run, group, at: now, into: &outbox)
        if limit > 0 { groups[group].endRound() }
    }

    private mutating func tell(
        _ bundle: AdjacencyOut.Bundle, _ prefixes: ContiguousArray<PrefixIndex>, to member: Int, _ group: Int,
        _ encoder: inout UpdateEncoder, _ run: inout GroupRun, _ arena: inout ByteArena
    ) {
        guard bundle.attributes != .none else {
            return withdraw(prefixes, member, encoder, messages: &run.messages, to: &arena)
        }
        let count =
            announcePlain(prefixes, bundle, encoder.format, member, to: &arena)
            ?? encoder.announce(
                ContiguousArray(prefixes.map { table[$0] }), with: attributes[bundle.attributes], to: &arena)
        run.messages += count
        guard count == 0 else { return }
        for member in groups[group].members where PathSource(member) != bundle.exception { giveUp(prefixes, member) }
        withdraw(prefixes, member, encoder, messages: &run.messages, to: &arena)
    }

    /// Has all octets since the beginning of a run sent to those whom they are for.
    private mutating func finish(_ run: GroupRun, _ group: Int, at now: Instant, into outbox: inout SpeakerOutbox) {
        guard run.messages > 0 else { return }
        for member in groups[group].members where PathSource(member) != run.exception {
            guard let (side, id, _) = sessions[member].established else { continue }
            outbox.write(id, from: run.start)
            sessions[member].counters.sent.count(.update, run.messages)
            sessions[member].restartKeepaliveTimer(side, at: now)
            deadlines[member] = sessions[member].timers.next?.at ?? .never
        }
    }
}

/// Messages that follow each other and are for the same peers.
private struct GroupRun {
    let start: Int
    var exception = PathSource.none
    var messages = 0
}
