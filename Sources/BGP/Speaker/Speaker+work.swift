import Basics
import Wire

/// Something to be done with every prefix in the table.
struct TableWalk: Sendable {
    enum Purpose: Sendable {
        /// Take away what a peer has left behind.
        case purge(peer: Int)
        /// Tell a peer everything.
        case greet(peer: Int)
        /// Tell a peer all of a family again, as if it had not heard it (RFC 2918 §4).
        case repeatTold(peer: Int, AddressFamily)
        /// Make what a peer has left behind the last choice (RFC 9494 §4.2).
        case demote(peer: Int, AddressFamily)
        /// Decide anew what leads over the next hops in these prefixes.
        case reconsider(nextHops: [IPPrefix])
    }

    let purpose: Purpose
    var page: UInt32 = 0
}

// What the speaker has to do may be much: a million routes to be switched when a session
// is lost. Every call does so much of it that nobody waits, counted in prefixes, and
// leaves a deadline that is now for the rest. Walks come first, then decisions, then
// telling: what is told has been decided to the end, so that nothing is told twice.

extension Speaker {
    /// How many prefixes are looked at in one call, for each kind of work; some milliseconds.
    static let workLimit = 16_384

    mutating func walk(_ purpose: TableWalk.Purpose) {
        guard table.count > 0 else { return }
        walks.append(TableWalk(purpose: purpose))
    }

    /// Whether anything is left that could be done now.
    func hasWork(at now: Instant) -> Bool {
        !walks.isEmpty || table.hasDirty || !discarded.isEmpty || (table.hasLeaving && outs.allSatisfy(\.isIdle))
            || groups.contains { !$0.isIdle }
            || establishedPeers.contains { outs[$0].isInRound || (outs[$0].hasPending && outs[$0].notBefore <= now) }
    }

    /// When the next round begins that has to wait.
    func nextRound(after now: Instant) -> Instant {
        var next = Instant.never
        for peer in establishedPeers where outs[peer].hasPending { next = min(next, outs[peer].notBefore) }
        return next
    }

    mutating func work(at now: Instant, into outbox: inout SpeakerOutbox) {
        var rest = Self.workLimit
        if !dampedPeers.isEmpty { rest -= readmitRoutes(limit: rest, at: now) }
        while rest > 0, !walks.isEmpty { rest -= advanceWalk() }
        while rest > 0, let index = table.takeDirty() {
            decide(index, into: &outbox)
            rest -= 1
        }
        guard walks.isEmpty, !table.hasDirty else { return }
        for group in groups.indices where !groups[group].isIdle {
            guard rest > 0 else { return }
            flushGroup(group, limit: &rest, at: now, into: &outbox)
        }
        for peer in sessions.indices {
            if !outs[peer].isIdle, !isToldTogether(peer) {
                guard rest > 0 else { return }
                flush(peer, limit: &rest, at: now, into: &outbox)
            }
            if sessions[peer].owesMarks, isToldAll(peer) {
                sessions[peer].finishTelling(at: now, into: &outbox)
                deadlines[peer] = sessions[peer].timers.next?.at ?? .never
            }
        }
        while rest > 0, !discarded.isEmpty { rest -= discardPage() }
        releasePrefixes(limit: rest)
    }

    /// Gives up the next page of what was told over a session that is gone.
    private mutating func discardPage() -> Int {
        guard let page = discarded[discarded.count - 1].takePage() else {
            discarded.removeLast()
            return 1
        }
        for index in page { attributes.release(index) }
        return page.count
    }

    /// Gives the numbers back of prefixes that are gone and that no peer has still to be told of.
    private mutating func releasePrefixes(limit: Int) {
        guard table.hasLeaving, !outs.contains(where: \.isInRound), groups.allSatisfy(\.isIdle) else { return }
        let outs = outs
        table.release(limit: max(limit, 256)) { index in
            outs.allSatisfy { !$0.isTold(index) && !$0.contains(pending: index) }
        }
    }

    /// Takes the first walk one page on and returns how many prefixes it met.
    private mutating func advanceWalk() -> Int {
        let purpose = walks[0].purpose
        let page = walks[0].page
        guard page < table.pageCount else {
            walks.removeFirst()
            return 1
        }
        walks[0].page += 1
        let indices = table.numbers(inPage: page)
        switch purpose {
        case .purge(let peer):
            for index in indices { purge(index, peer) }
        case .greet(let peer):
            for index in indices where table.best(index) != nil { outs[peer].enqueue(index) }
        case .repeatTold(let peer, let family):
            repeatTold(indices, peer, family)
        case .demote(let peer, let family):
            for index in indices where table.isIPv4(index) == (family == .ipv4Unicast) { demote(index, peer) }
        case .reconsider(let nextHops):
            for index in indices where leads(index, over: nextHops) { reconsider(index) }
        }
        return indices.count + 1
    }

    private mutating func repeatTold(_ indices: ContiguousArray<PrefixIndex>, _ peer: Int, _ family: AddressFamily) {
        for index in indices where table.isIPv4(index) == (family == .ipv4Unicast) {
            if outs[peer].isTold(index) { outs[peer].enqueueAgain(index) }
        }
    }

    /// Decides a prefix anew as the cost of its way has changed, which others may have been told as part of a metric.
    private mutating func reconsider(_ index: PrefixIndex) {
        table.markDirty(index)
        guard attributes.hasAccumulatedMetrics else { return }
        for peer in establishedPeers { outs[peer].enqueue(index) }
    }

    private func leads(_ index: PrefixIndex, over nextHops: [IPPrefix]) -> Bool {
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            guard path.accepted != .none else { continue }
            let nextHop = attributes.key(path.accepted).nextHop.withoutMapping
            if nextHops.contains(where: { $0.contains(nextHop) }) { return true }
        }
        return false
    }
}
