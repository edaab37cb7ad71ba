import BGP
import Basics
import Machine
import Wire

// A node can be told to announce what is not its own. To its peers such a prefix looks
// like any other of the node's. Packets for it end here, as on a router that announces
// by a route to nowhere, unless peers tell the same prefix: then they are passed on,
// which makes a leak of what would be a hijack.

/// What a node has been told to announce beside its LANs, and where packets for it go.
struct Announcements: Sendable {
    /// A prefix that has a route of its own in the node for as long as it is announced.
    private struct Held: Sendable {
        let prefix: IPPrefix
        /// Nil where packets go nowhere.
        var nextHop: IPAddress?
        /// Whether the node's routes are not, or may not be, as is written here.
        var isStale = true
    }

    private var series: [PrefixSeries] = []
    private var held: [Held] = []

    var isEmpty: Bool { held.isEmpty }

    /// Whether that is news.
    mutating func insert(_ added: PrefixSeries) -> Bool {
        guard !series.contains(added) else { return false }
        series.append(added)
        // Of many prefixes what they come to together suffices; none of them is looked up one by one.
        for prefix in added.cover where !held.contains(where: { $0.prefix == prefix }) {
            held.append(Held(prefix: prefix))
        }
        return true
    }

    /// Forgets a series, and returns the prefixes that have no route of their own any more.
    mutating func remove(_ removed: PrefixSeries) -> [IPPrefix] {
        guard let place = series.firstIndex(of: removed) else { return [] }
        series.remove(at: place)
        let needed = series.flatMap(\.cover)
        let gone = held.map(\.prefix).filter { !needed.contains($0) }
        held.removeAll { gone.contains($0.prefix) }
        return gone
    }

    /// Notes that the node has changed its route to a prefix.
    mutating func noteChange(of prefix: IPPrefix) {
        for place in held.indices where held[place].prefix == prefix { held[place].isStale = true }
    }

    /// Tells `body` each prefix whose route has to be changed, with its next hop.
    mutating func update(
        _ nextHop: (IPPrefix) -> IPAddress?, _ body: (IPPrefix, IPAddress?) -> Void
    ) {
        for place in held.indices {
            let wanted = nextHop(held[place].prefix)
            guard held[place].isStale || wanted != held[place].nextHop else { continue }
            held[place].nextHop = wanted
            held[place].isStale = false
            body(held[place].prefix, wanted)
        }
    }
}

extension Node {
    mutating func announce(_ series: PrefixSeries, at now: Instant, into outbox: inout Outbox) {
        if !isOnLAN(series), !isNetwork(series) { _ = announcements.insert(series) }
        speaker.announce(series, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
    }

    mutating func withdraw(_ series: PrefixSeries, at now: Instant, into outbox: inout Outbox) {
        for prefix in announcements.remove(series) {
            withdraw(prefix, into: &outbox)
            guard let nextHop = speaker.learnedNextHop(to: prefix) else { continue }
            install(prefix, nextHop, into: &outbox)
        }
        speaker.withdraw(series, at: now, into: &routing)
        carryOutRouting(at: now, into: &outbox)
        takeBackRedirectedFlows(into: &outbox)
    }

    /// Whether the node announces it by itself, and has a route to nowhere for it no more than it had at first.
    private func isNetwork(_ series: PrefixSeries) -> Bool {
        series.count == 1 && configuration.networks.contains(series.first)
    }

    /// Packets for what lies inside a LAN go there by the host's own routes.
    func isOnLAN(_ series: PrefixSeries) -> Bool {
        configuration.lan.contains { lan in
            lan.length <= series.first.length && lan.contains(series.first.address)
                && lan.contains(series[series.count - 1].address)
        }
    }

    /// Has packets for announced prefixes go where peers know a way, or nowhere, and says whether that is news.
    mutating func routeAnnounced(into outbox: inout Outbox) -> Bool {
        guard !announcements.isEmpty else { return false }
        var changes: [(prefix: IPPrefix, nextHop: IPAddress?)] = []
        announcements.update {
            speaker.learnedNextHop(to: $0)
        } _: {
            changes.append(($0, $1))
        }
        for (prefix, nextHop) in changes {
            if let nextHop {
                install(prefix, nextHop, into: &outbox)
            } else {
                discard(prefix, into: &outbox)
            }
        }
        return !changes.isEmpty
    }
}
