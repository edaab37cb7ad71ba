import BGP
import Basics
import CHeap
import Wire

// Whole tables through one speaker with no socket in between: the octets of UPDATEs go in, those that come out are
// counted. What BIRD 2 takes for the same on the machine that the bars were set on stands beside each row.

/// One speaker whose peers are played by the benchmark.
private struct SpeakerRun: ~Copyable {
    var speaker: Speaker
    var outbox = SpeakerOutbox(byteCapacity: 1 << 20)
    var now = Instant.zero
    var updatesOut = 0
    var octetsOut = 0
    /// The longest that one call kept the speaker busy, in CPU seconds: what others have of the core is not its fault.
    var longestCall = 0.0

    static func address(_ peer: Int) -> IPv4Address { IPv4Address(10, 255, UInt8(peer + 1), 1) }

    /// Peers from 0 on tell and are told nothing; the last one is told everything, where it is a listener.
    init(peers: Int, hasListener: Bool = false) {
        var configuration = SpeakerConfiguration(autonomousSystem: 65000, routerID: IPv4Address(10, 255, 0, 1))
        configuration.holdTime = .zero
        for peer in 0..<peers {
            var settings = PeerConfiguration(
                address: .v4(Self.address(peer)), autonomousSystem: 65001 + UInt32(peer),
                localAddress: .v4(IPv4Address(10, 255, UInt8(peer + 1), 2)))
            if !hasListener || peer < peers - 1 { settings.exportPolicy = .denyAll }
            configuration.peers.append(settings)
        }
        speaker = Speaker(configuration, random: SeededRandom(seed: 1))
        speaker.start(at: now, into: &outbox)
        outbox.removeAll()
    }

    mutating func establish(_ peer: Int) {
        speaker.connected(
            peer: peer, connection: ConnectionID(UInt32(peer)), isIncoming: false, at: now, into: &outbox)
        var arena = ByteArena(capacity: 256)
        OpenMessage(
            autonomousSystem: 65001 + UInt32(peer), holdTime: 0, identifier: Self.address(peer),
            capabilities: [.multiprotocol(.ipv4Unicast), .fourOctetAS(65001 + UInt32(peer))]
        ).append(to: &arena)
        arena.appendKeepalive()
        speaker.received(
            arena.bytes(ByteRange(start: 0, count: arena.count)), on: ConnectionID(UInt32(peer)), at: now,
            into: &outbox)
        drain()
    }

    /// Feeds a stream in the pieces that a socket would give.
    mutating func feed(_ octets: [UInt8], from peer: Int) {
        var offset = 0
        while offset < octets.count {
            let end = min(offset + 65_536, octets.count)
            timed { run in
                run.speaker.received(
                    octets.span.bytes.extracting(offset..<end), on: ConnectionID(UInt32(peer)), at: run.now,
                    into: &run.outbox)
            }
            drain()
            offset = end
        }
    }

    mutating func close(_ peer: Int) {
        timed { $0.speaker.closed(ConnectionID(UInt32(peer)), at: $0.now, into: &$0.outbox) }
        drain()
    }

    /// Has the speaker do all the work that it has put off.
    private mutating func drain() {
        collect()
        while let deadline = speaker.nextDeadline, deadline <= now {
            timed { $0.speaker.wake(at: $0.now, into: &$0.outbox) }
            collect()
        }
    }

    private mutating func timed(_ body: (inout SpeakerRun) -> Void) {
        let start = processSeconds()
        body(&self)
        longestCall = max(longestCall, processSeconds() - start)
    }

    private mutating func collect() {
        let (updates, octets) = Self.count(outbox)
        updatesOut += updates
        octetsOut += octets
        outbox.removeAll()
    }

    private static func count(_ outbox: borrowing SpeakerOutbox) -> (updates: Int, octets: Int) {
        var updates = 0
        var total = 0
        for action in outbox.actions {
            guard case .write(_, let range) = action else { continue }
            outbox.bytes(range).withUnsafeBytes { octets in
                var offset = 0
                while offset < octets.count {
                    if octets[offset + 18] == 2 { updates += 1 }
                    offset += Int(octets[offset + 16]) << 8 | Int(octets[offset + 17])
                }
                total += octets.count
            }
        }
        return (updates, total)
    }

    mutating func forgetMeasures() {
        updatesOut = 0
        octetsOut = 0
        longestCall = 0
    }
}

/// Octets of the heap that are in use.
private func octetsInUse() -> Double {
    Double(cheap_octets_in_use())
}

func bgpBenchmarks(routes: Int) -> [(name: String, run: () -> Measurement)] {
    let sets = routes * 6 / 100
    return [
        ("bgp-load", { benchmarkLoad(routes: routes, sets: sets) }),
        ("bgp-load-sets", { benchmarkLoad("bgp-load-sets", routes: routes / 10, sets: sets) }),
        ("bgp-propagate", { benchmarkPropagation(routes: routes, sets: sets) }),
        ("bgp-failover", { benchmarkFailover(routes: routes, sets: sets) }),
        ("bgp-late-peer", { benchmarkLatePeer(routes: routes, sets: sets) }),
        ("bgp-lookup", { benchmarkLookUp(routes: routes, sets: sets) }),
        ("bgp-network-1000", { benchmarkNetwork(speakers: 1_000) }),
    ]
}

/// A peer's table comes in, and is taken back; the bars are 1.3 M and 2.1 M routes a second, and 113 octets a route.
private func benchmarkLoad(_ name: String = "bgp-load", routes: Int, sets: Int) -> Measurement {
    let table = BGPTable(routes: routes, sets: sets, seed: 1)
    let announcement = table.announcement(autonomousSystem: 65001, nextHop: SpeakerRun.address(0).bits)
    let withdrawal = table.withdrawal
    let isHeavy = sets * 2 > routes
    var run = SpeakerRun(peers: 1)
    run.establish(0)
    let idle = octetsInUse()
    let load = measure { run.feed(announcement, from: 0) }
    let loaded = octetsInUse()
    precondition(run.speaker.status(of: 0).acceptedRoutes == table.routeCount)
    let withdraw = measure { run.feed(withdrawal, from: 0) }
    precondition(run.speaker.status(of: 0).acceptedRoutes == 0)
    let withdrawn = octetsInUse()
    run.feed(announcement, from: 0)
    let drop = measure { run.close(0) }
    return Measurement(
        name: name, unit: "routes", count: UInt64(table.routeCount), cpuSeconds: load,
        details: [
            ("limit_cpu_s", isHeavy ? 1.6e-6 * Double(routes) : Double(routes) / 1.3e6), ("withdraw_s", withdraw),
            ("limit_withdraw_s", 0.47e-6 * Double(routes)), ("drop_s", drop),
            ("octets_a_route", (loaded - idle) / Double(table.routeCount)),
            ("limit_octets_a_route", isHeavy ? 288 : 113),
            ("octets_kept", withdrawn - idle), ("octets_kept_after_drop", octetsInUse() - idle),
            ("longest_call_ms", run.longestCall * 1e3),
        ])
}

/// A table comes in and goes out to a second peer; the bar is 1.7 s for 1 M routes.
private func benchmarkPropagation(routes: Int, sets: Int) -> Measurement {
    let table = BGPTable(routes: routes, sets: sets, seed: 1)
    let announcement = table.announcement(autonomousSystem: 65001, nextHop: SpeakerRun.address(0).bits)
    let withdrawal = table.withdrawal
    var run = SpeakerRun(peers: 2, hasListener: true)
    run.establish(0)
    run.establish(1)
    run.forgetMeasures()
    let idle = octetsInUse()
    let propagate = measure { run.feed(announcement, from: 0) }
    precondition(run.speaker.status(of: 1).advertisedRoutes == table.routeCount)
    let loaded = octetsInUse()
    withExtendedLifetime(announcement) {}
    let updates = run.updatesOut
    let withdraw = measure { run.feed(withdrawal, from: 0) }
    precondition(run.speaker.status(of: 1).advertisedRoutes == 0)
    return Measurement(
        name: "bgp-propagate", unit: "routes", count: UInt64(table.routeCount), cpuSeconds: propagate,
        details: [
            ("limit_cpu_s", 1.7e-6 * Double(routes)), ("updates", Double(updates)),
            ("updates_a_set", Double(updates) / Double(table.setCount)),
            ("limit_updates_a_set", 1.05), ("withdraw_s", withdraw), ("limit_withdraw_s", 0.63e-6 * Double(routes)),
            ("octets_a_route", (loaded - idle) / Double(table.routeCount)),
            ("longest_call_ms", run.longestCall * 1e3), ("limit_longest_call_ms", 50),
        ])
}

/// The better of two peers with the same table is lost; bars 3.0 s, 1.05 UPDATEs a set, 190 octets a prefix.
private func benchmarkFailover(routes: Int, sets: Int) -> Measurement {
    let table = BGPTable(routes: routes, sets: sets, seed: 1)
    let first = table.announcement(autonomousSystem: 65001, nextHop: SpeakerRun.address(0).bits)
    let second = table.announcement(autonomousSystem: 65002, nextHop: SpeakerRun.address(1).bits)
    var run = SpeakerRun(peers: 3, hasListener: true)
    run.establish(0)
    run.establish(1)
    let idle = octetsInUse()
    run.feed(first, from: 0)
    let loadSecond = measure { run.feed(second, from: 1) }
    let perPrefix = (octetsInUse() - idle) / Double(table.routeCount)
    withExtendedLifetime((first, second)) {}
    run.establish(2)
    run.forgetMeasures()
    let failover = measure { run.close(0) }
    precondition(run.speaker.status(of: 2).advertisedRoutes == table.routeCount)
    precondition(run.speaker.status(of: 1).acceptedRoutes == table.routeCount)
    return Measurement(
        name: "bgp-failover", unit: "routes", count: UInt64(table.routeCount), cpuSeconds: failover,
        details: [
            ("updates", Double(run.updatesOut)), ("updates_a_set", Double(run.updatesOut) / Double(table.setCount)),
            ("limit_cpu_s", 3e-6 * Double(routes)), ("limit_updates_a_set", 1.05), ("second_table_s", loadSecond),
            ("octets_a_prefix", perPrefix), ("limit_octets_a_prefix", 190), ("limit_longest_call_ms", 50),
            ("longest_call_ms", run.longestCall * 1e3),
        ])
}

/// A peer comes up and is told a whole table.
private func benchmarkLatePeer(routes: Int, sets: Int) -> Measurement {
    let table = BGPTable(routes: routes, sets: sets, seed: 1)
    var run = SpeakerRun(peers: 2, hasListener: true)
    run.establish(0)
    run.feed(table.announcement(autonomousSystem: 65001, nextHop: SpeakerRun.address(0).bits), from: 0)
    run.forgetMeasures()
    let dump = measure { run.establish(1) }
    return Measurement(
        name: "bgp-late-peer", unit: "routes", count: UInt64(table.routeCount), cpuSeconds: dump,
        details: [
            ("updates", Double(run.updatesOut)), ("updates_a_set", Double(run.updatesOut) / Double(table.setCount)),
            ("longest_call_ms", run.longestCall * 1e3),
        ])
}

/// Longest-prefix match among all routes, for addresses of which most are inside one; the bar is 20 M a second.
private func benchmarkLookUp(routes: Int, sets: Int) -> Measurement {
    let prefixes = BGPTable(routes: routes, sets: sets, seed: 1).prefixes
    var table = StrideTable()
    let fill = measure {
        for (number, prefix) in prefixes.enumerated() {
            table.insert(prefix.address, length: prefix.length, value: UInt32(number))
        }
    }
    var random = SeededRandom(seed: 2)
    let keys = (0..<1 << 20).map { _ in
        prefixes[Int(random.below(UInt64(prefixes.count)))].address | UInt32(random.below(256))
    }
    var found: UInt64 = 0
    let rounds = 20
    let cpu = measure {
        for _ in 0..<rounds {
            for key in keys where table.longestMatch(key) != nil { found += 1 }
        }
    }
    precondition(found > 0)
    return Measurement(
        name: "bgp-lookup", unit: "lookups", count: UInt64(rounds * keys.count), cpuSeconds: cpu,
        details: [("least_per_cpu_s", 2e7), ("fill_s", fill)])
}
