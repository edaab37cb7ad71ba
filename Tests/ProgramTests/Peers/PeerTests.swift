import Foundation
import Glibc
import TestKit
import Testing

/// The node among other people's speakers, on the kernel's TCP.
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(
        if: PeerLab.programs.allSatisfy { access($0, X_OK) == 0 },
        "FRR, BIRD, GoBGP and ExaBGP are not all installed: scripts/bootstrap.sh"))
struct PeerTests {
    typealias Answer = InteroperationMatrix.Answer

    /// Long enough for a daemon on a machine that does other work as well.
    private static let patience = 30.0

    private let lab: PeerLab

    init() throws {
        lab = try PeerLab()
    }

    @Test func `the page on BGP says what FRR, BIRD, GoBGP and ExaBGP do with the node`() throws {
        var matrix = InteroperationMatrix(columns: lab.daemons.map(\.title))
        try #require(try lab.run("lab", "up", "peers.json").status == 0)
        let up = try each { try lab.isUp($0) }
        matrix.add("session comes up", up)
        try matrix.add("its IPv4 and IPv6 routes, at the node and across the overlay", exchange())
        try matrix.add("the node's IPv4 and IPv6 routes, at the daemon", each { try hearsSites($0) })
        try matrix.add("a ping from across the overlay to a host behind it", each { try lab.answers($0.place.hosts) })
        try matrix.add("communities, large communities and MED from it", each { try isKept($0) })
        try matrix.add("communities, large communities and MED to it", each { try isTold($0) })
        try matrix.add("several paths to a prefix, to the node (ADD-PATH)", tellsSeveralPaths())
        try matrix.add("several paths to a prefix, from the node (ADD-PATH)", each { try hearsSeveralPaths($0) })
        try matrix.add("route refresh, when it asks", refresh())
        try matrix.add("graceful restart: the node keeps its routes", keepWhileAway())
        let (keys, hops) = (try refusing(PeerTerms(password: "wrong")), try refusing(PeerTerms(securesHops: false)))
        let again = try restart(PeerTerms())
        _ = try lab.run("lab", "down")
        try matrix.add("graceful restart: it keeps the node's routes", keepAtDaemons())
        matrix.add("TCP MD5: the right key is taken, a wrong one is not", both(keys, again))
        matrix.add("GTSM: what comes from farther away is not taken", both(hops, again))
        try matrix.expectDocumented()
    }

    /// Asks for each daemon until it is so.
    private func each(_ condition: (any PeerDaemon) throws -> Bool) throws -> [Answer] {
        try lab.daemons.map { daemon in
            try eventually(within: Self.patience, every: 0.1) { try condition(daemon) } ? .yes : .no
        }
    }

    private func both(_ first: [Answer], _ second: [Answer]) -> [Answer] {
        zip(first, second).map { $0 == .yes ? $1 : $0 }
    }

    private func announce(_ daemon: any PeerDaemon) throws {
        _ = try eventually(within: Self.patience, every: 0.1) { try daemon.announce(in: lab) }
    }

    private func exchange() throws -> [Answer] {
        for daemon in lab.daemons { try announce(daemon) }
        return try each { daemon in
            try ["hq", "branch"].allSatisfy { try lab.routes(daemon.place.prefixes, at: $0) }
        }
    }

    private func hearsSites(_ daemon: any PeerDaemon) throws -> Bool {
        try ["10.1.0.0/16", "10.2.0.0/16", "2001:db8:1::/48", "2001:db8:2::/48"].allSatisfy {
            try daemon.route(to: $0, in: lab) != nil
        }
    }

    /// Whether a speaker of the node's own AS hears all that the daemon says.
    private func isKept(_ daemon: any PeerDaemon) throws -> Bool {
        let expected = HeardRoute(
            discriminator: PeerPlace.discriminator, communities: [daemon.place.community],
            largeCommunities: [daemon.place.largeCommunity])
        return try daemon.place.prefixes.allSatisfy { try lab.collector.route(to: $0, in: lab) == expected }
    }

    /// Whether a daemon hears what the node and the collector have put on the collector's routes.
    private func isTold(_ daemon: any PeerDaemon) throws -> Bool {
        let place = lab.collector.place
        let expected = HeardRoute(
            discriminator: 70, communities: ["65001:100", place.community], largeCommunities: [place.largeCommunity])
        return try place.prefixes.allSatisfy { try daemon.route(to: $0, in: lab) == expected }
    }

    /// Whether the node has all of a daemon's paths to what all daemons announce.
    private func tellsSeveralPaths() throws -> [Answer] {
        let there = try each { daemon in
            let shown = try lab.run("lab", "inspect", "hq", "bgp", PeerPlace.sharedPrefix).output
            // FRR says what it has heard as well, which the node knows to be its own words.
            let own = shown.split(separator: "\n").filter {
                $0.contains("from \(daemon.place.node),") && $0.contains("AS path \(daemon.place.autonomousSystem),")
            }
            return own.count == daemon.sharedPathCount
        }
        return zip(lab.daemons, there).map { daemon, answer in
            answer == .yes && daemon.sharedPathCount == 1 ? .absent("it has one path of its own to a prefix") : answer
        }
    }

    /// Whether a daemon has all paths of the others to what all of them announce.
    private func hearsSeveralPaths(_ daemon: any PeerDaemon) throws -> Bool {
        let others = lab.daemons.filter { $0.place.node != daemon.place.node }
        return try daemon.pathCount(to: PeerPlace.sharedPrefix, in: lab)
            == others.map(\.sharedPathCount).reduce(0, +)
    }

    private func refresh() throws -> [Answer] {
        try lab.daemons.map { daemon in
            let before = try daemon.updatesHeard(in: lab)
            guard try daemon.askAgain(in: lab) else {
                return .absent("it keeps what it hears, and never asks")
            }
            return try eventually(within: Self.patience, every: 0.1) {
                try daemon.updatesHeard(in: lab) >= before + 2 && daemon.route(to: "10.1.0.0/16", in: lab) != nil
            } ? .yes : .no
        }
    }

    /// Kills all daemons, and waits until the node has noticed.
    private func killAll() throws -> Bool {
        for daemon in lab.daemons { try lab.kill(daemon) }
        return try eventually(within: Self.patience, every: 0.1) {
            let sessions = try lab.sessions()
            return lab.daemons.allSatisfy { sessions[$0.place.node] != "established" }
        }
    }

    /// The daemons are killed: whether their routes stay, and are there when they are back.
    private func keepWhileAway() throws -> [Answer] {
        let areGone = try killAll()
        let stay = try lab.daemons.map { daemon -> Answer in
            let stays = try ["hq", "branch"].allSatisfy { try lab.routes(daemon.place.prefixes, at: $0) }
            return areGone && stays ? .yes : .no
        }
        for daemon in lab.daemons { try lab.letGoOn(daemon) }
        let up = try each { try lab.isUp($0) }
        for daemon in lab.daemons { try announce(daemon) }
        let back = try each { daemon in
            try hearsSites(daemon)
                && ["hq", "branch"].allSatisfy { try lab.routes(daemon.place.prefixes, at: $0) }
        }
        return both(both(stay, up), back)
    }

    /// Starts all daemons anew, on other terms, and sees whether their sessions come up.
    private func restart(_ terms: PeerTerms) throws -> [Answer] {
        for daemon in lab.daemons { try lab.kill(daemon) }
        for daemon in lab.daemons { try lab.letGoOn(daemon, terms) }
        return try each { lab.runs($0) ? try lab.isUp($0) : false }
    }

    /// Starts all daemons anew, on terms that the node does not share, and sees to it that no session comes up.
    private func refusing(_ terms: PeerTerms) throws -> [Answer] {
        let counter = terms.securesHops ? "TCPMD5Failure" : "TCPMinTTLDrop"
        let areGone = try killAll()
        let before = try lab.counter(counter)
        for daemon in lab.daemons { try lab.letGoOn(daemon, terms) }
        let run = try eventually(within: Self.patience, every: 0.1) {
            try lab.daemons.allSatisfy { lab.runs($0) } && lab.counter(counter) > before
        }
        // Both ends try again each second.
        var seen: Set<String> = []
        _ = try eventually(within: 4, every: 0.2) {
            for (peer, state) in try lab.sessions() where state == "established" { seen.insert(peer) }
            return false
        }
        return lab.daemons.map { areGone && run && !seen.contains($0.place.node) ? .yes : .no }
    }

    /// The node is killed and starts again: whether the daemons' routes to it stay meanwhile.
    private func keepAtDaemons() throws -> [Answer] {
        let scenario = """
            { "name": "restart", "topology": "watched.json", "seed": 1, "duration": "16s", "warmup": "1s",
              "traffic": [ { "name": "calls", "application": "voip", "from": "laptop", "to": "server", "flows": 1,
                "start": "1s" } ],
              "events": [ { "at": "8s", "node": "hq", "restart": true, "after": "2s" } ],
              "expect": [ { "metric": "invariants.violations", "equals": 0 } ] }
            """
        try lab.workspace.write(lab.topology(watched: true), to: "watched.json")
        try lab.workspace.write(scenario, to: "restart.json")
        // What it measures does not matter here, nor whether the machine was too busy for that.
        let outcome = try lab.run("run", "restart.json", "--backend", "netns", "--quiet")
        try #require([0, 1, 3].contains(outcome.status), "\(outcome.errors)")
        return try lab.daemons.map { daemon in
            guard let watch = daemon.watch else { return .absent("it has no table of routes") }
            // The last look may have come when the lab went.
            let looks = try lab.workspace.text("\(daemon.place.node).watch").split(separator: "\n").dropLast()
                .drop { !$0.contains(watch.whenKept) }
            let isKept = looks.allSatisfy { $0.contains(watch.whenKept) }
            let wasAway = looks.contains { !$0.contains(watch.whenUp) }
            return isKept && wasAway && looks.last?.contains(watch.whenUp) == true ? .yes : .no
        }
    }
}
