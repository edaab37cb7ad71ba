import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// Changes that meet each other, and traffic and frames that fit badly.
@Suite struct RobustnessTests {
    private typealias Dual = Worlds.Dual

    @Test func `datagrams that are larger than the link's packets are dropped and accounted for`() throws {
        let pair = Worlds.pair(
            LinkSettings(), duration: .seconds(3),
            traffic: [
                Worlds.constantRate(BitRate(bitsPerSecond: 7_200_000), packetSize: 9_000, start: .seconds(1))
            ])
        var throughOverlay = Worlds.dualProvider(duration: .seconds(10), traffic: [])
        throughOverlay.traffic = [
            Worlds.constantRate(
                BitRate(bitsPerSecond: 7_200_000), packetSize: 9_000, from: Dual.left, to: Dual.right,
                start: .seconds(8))
        ]
        for scenario in [pair, throughOverlay] {
            let record = Worlds.record(scenario)
            let sent = try #require(record.report()?.sent).packets
            // One in 10 ms, for two seconds.
            #expect((199...201).contains(sent))
            #expect(record.dropped(.tooBig) == sent)
            #expect((record.report()?.received?.packets ?? 0) == 0)
            #expect(record.isBalanced)
            #expect(record.violations.isEmpty)
        }
    }

    @Test func `sixty browsers on a clean link are never silent for longer than a reader thinks`() throws {
        let link = Worlds.settings {
            $0.rate = .megabits(100)
            $0.delay = .milliseconds(10)
        }
        // Think times end at 60 s, so a run of 150 s tells one who thinks from one who is stuck.
        let record = Worlds.record(
            Worlds.pair(
                link, duration: .seconds(150),
                traffic: [
                    TrafficEntry(name: "pages", application: .web(bytes: nil), from: 0, to: 1, flows: 60)
                ]))
        let longest = Web().thinkTimeLimit + .seconds(2)
        for flow in 1...60 as ClosedRange<UInt32> {
            let report = try #require(record.report(flow, .backward)?.received)
            var last = Instant.zero
            for window in report.windows where window.bytes > 0 {
                #expect(window.start - last < longest, "flow \(flow) was silent from \(last) to \(window.start)")
                last = window.start
            }
            #expect(record.end - last < longest, "flow \(flow) was last heard at \(last)")
            #expect(report.completionTimes.count >= 10, "flow \(flow): \(report.completionTimes.count) pages")
        }
        #expect(record.isBalanced)
        #expect(record.violations.isEmpty)
    }

    @Test func `a killed router forwards nothing from that instant, and forwards again when restarted`() throws {
        let link = Worlds.settings { $0.delay = .milliseconds(10) }
        var scenario = Worlds.chain(
            routers: 1, link, duration: .seconds(8),
            traffic: [Worlds.constantRate(.megabits(1), from: 0, to: 2, start: .seconds(1))])
        scenario.events = [Worlds.event(.seconds(3), .nodeRestart(node: 1, after: .seconds(2)))]
        var simulation = Simulation(scenario)
        simulation.run(until: .zero + scenario.duration)
        let record = simulation.finish()
        let windows = try #require(record.report()).windows
        let killed = windows.filter { $0.start >= .zero + .milliseconds(3_100) && $0.start < .zero + .seconds(5) }
        #expect(killed.count == 19)
        #expect(killed.allSatisfy { $0.received == 0 })
        // One in 8 ms reached the router in those two seconds.
        #expect((249...251).contains(record.dropped(.nodeDown)), "\(record.dropped(.nodeDown))")
        let restarted = windows.filter { $0.start >= .zero + .milliseconds(5_200) && $0.start < .zero + .seconds(8) }
        #expect(restarted.count == 28)
        #expect(restarted.allSatisfy { (12...13).contains($0.received) })
        #expect(record.isBalanced)
    }

    @Test func `a link that comes up one way after the other carries traffic again`() throws {
        let link = Worlds.settings { $0.delay = .milliseconds(5) }
        let record = Worlds.record(
            Worlds.pair(
                link, duration: .seconds(10),
                traffic: [
                    Worlds.constantRate(.megabits(1), start: .seconds(1)),
                    Worlds.constantRate(.megabits(1), from: 1, to: 0, start: .seconds(1)),
                ],
                events: [
                    Worlds.event(.seconds(3), .linkDown(link: 0, directions: .both, lasting: nil)),
                    Worlds.event(.seconds(4), .linkUp(link: 0, directions: .forward, lasting: nil)),
                    Worlds.event(.seconds(5), .linkUp(link: 0, directions: .reverse, lasting: nil)),
                ]))
        for flow in [1, 2] as [UInt32] {
            let report = try #require(record.report(flow))
            #expect(record.arrivesToTheEnd(flow, .forward))
            let down = report.windows.filter {
                $0.start >= .zero + .milliseconds(3_100) && $0.start < .zero + .seconds(4)
            }
            #expect(down.count == 9 && down.allSatisfy { $0.received == 0 })
            let up = report.windows.filter { $0.start >= .zero + .seconds(7) && $0.start < .zero + .seconds(10) }
            #expect(up.count == 30 && up.allSatisfy { $0.received >= 12 })
        }
        #expect(record.isBalanced)
    }

    @Test func `a link that goes down one way after the other takes the carrier from both ends`() throws {
        let direct = Worlds.settings { $0.delay = .milliseconds(5) }
        let record = Worlds.record(
            Worlds.sites(
                between: [direct], duration: .seconds(12),
                events: [
                    Worlds.event(.seconds(10), .linkDown(link: 0, directions: .forward, lasting: nil)),
                    Worlds.event(.milliseconds(10_050), .linkDown(link: 0, directions: .reverse, lasting: nil)),
                ]))
        for node in [0, 1] {
            let verdict = try #require(record.verdicts(of: node, on: TunnelID(0)).last)
            #expect(verdict.at == .zero + .milliseconds(10_050), "\(verdict)")
            #expect(verdict.state == .down && verdict.cause == .portDown, "\(verdict)")
        }
    }

    @Test func `two changes of one link that overlap both hold in the end`() throws {
        let link = Worlds.settings { $0.delay = .milliseconds(10) }
        let slower = Worlds.settings { $0.delay = .milliseconds(110) }
        let lossy = Worlds.settings { $0.loss = .independent(Ratio(0.2)) }
        let record = Worlds.record(
            Worlds.pair(
                link, reverse: LinkSettings(), duration: .seconds(42),
                traffic: [Worlds.constantRate(.megabits(1), packetSize: 250, start: .seconds(1))],
                events: [
                    Worlds.event(
                        .seconds(2), .linkSet(link: 0, directions: .both, changes: slower, over: .seconds(10))),
                    Worlds.event(.seconds(7), .linkSet(link: 0, directions: .forward, changes: lossy, over: nil)),
                ]))
        let windows = try #require(record.report()).windows.filter {
            $0.start >= .zero + .seconds(13) && $0.start < .zero + .seconds(41)
        }
        #expect(windows.count == 280)
        #expect(windows.allSatisfy { $0.latencyMean == .milliseconds(110) })
        let sent = Double(windows.reduce(0) { $0 + $1.sent })
        let received = Double(windows.reduce(0) { $0 + $1.received })
        let deviation = (sent * 0.2 * 0.8).squareRoot()
        #expect(abs(sent - received - sent * 0.2) <= 3.3 * deviation, "\(received) of \(sent)")
    }

    @Test func `a neighbour's word that came over the overlay, or from afar, is dropped`() throws {
        var scenario = Worlds.sites(
            between: [Worlds.settings { $0.delay = .milliseconds(5) }], duration: .seconds(10),
            lan: { .v6(IPv6Prefix(IPv6Address(high: 0x2001_0DB8 << 32 | UInt64($0), low: 0), length: 64)) })
        scenario.traffic = [Worlds.transfer(10_000, from: 3, to: 2, start: .seconds(7))]
        let links = scenario.topology.links
        // Links 1 and 2 are those of `right` and `left` to their sites.
        let source = try #require(links[2].first.ipv6)
        let near = try #require(links[2].second.ipv6)
        let farSite = try #require(links[1].second.ipv6)
        let farHost = try #require(links[1].first.ipv6)
        let everyone = IPv6Address(high: 0xFF02_0000_0000_0000, low: 1)
        let cases: [(target: IPv6Address, hopLimit: UInt8)] = [
            (farSite, 255), (farSite, 64), (farHost, 255), (farHost, 64), (near, 64), (everyone, 64),
        ]
        for type in [ICMPv6.neighborSolicitation, ICMPv6.neighborAdvertisement] {
            var simulation = Simulation(scenario)
            simulation.run(until: .zero + .seconds(6))
            for (target, hopLimit) in cases {
                let frame = Outsider.neighborDiscovery(type, from: source, to: target, hopLimit: hopLimit, onLink: 2)
                simulation.offer(frame.span.bytes, toLink: 2, .forward)
            }
            simulation.run(until: .zero + scenario.duration)
            let record = simulation.finish()
            #expect(record.dropped(.malformed) == UInt64(cases.count), "\(record.dropped(.malformed))")
            // Nobody's table was spoilt by it.
            #expect(record.report()?.received?.bytes == 10_000)
            #expect(record.isBalanced)
        }
    }

    @Test func `damaged tunnel datagrams and noise trap no live node and cost it no session`() throws {
        let scenario = Worlds.dualProvider(duration: .seconds(12), traffic: [Worlds.calls(1, start: .seconds(5))])
        let captured = Outsider.capture(
            scenario, links: [Dual.branchToA, Dual.hqToA], from: .seconds(3), to: .seconds(7))
        try #require(captured.count > 100)
        forEachSeed(20) { random in
            var simulation = Simulation(scenario, seed: random.next())
            var now = Instant.zero + .seconds(4)
            for _ in 0..<200 {
                now += random.interval(in: .zero...(.milliseconds(20)))
                simulation.run(until: now)
                let chosen = captured[Int(random.below(UInt64(captured.count)))]
                if random.chance(Ratio(0.3)) {
                    let noise = Outsider.noise(upTo: simulation.largestFrame, &random)
                    let direction: LinkDirection = random.chance(Ratio(0.5)) ? .forward : .reverse
                    simulation.offer(noise.span.bytes, toLink: Int(random.below(6)), direction)
                } else {
                    let damaged = Outsider.damaged(chosen.octets, &random)
                    simulation.offer(damaged.span.bytes, toLink: chosen.link, chosen.direction)
                }
            }
            simulation.run(until: .zero + scenario.duration)
            let record = simulation.finish()
            try #require(record.isBalanced)
            // Damage was found in the tunnels' own headers as well as by the kernels.
            for cause in [DropCause.badTunnelHeader, .badChecksum, .malformed, .notForUs] {
                try #require(record.dropped(cause) > 0, "nothing was dropped as \(cause)")
            }
            try #require(record.lastSessionState(of: Dual.hq) == .established)
            try #require(record.lastSessionState(of: Dual.branch) == .established)
            try #require(record.arrivesToTheEnd(1, .forward) && record.arrivesToTheEnd(1, .backward))
        }
    }
}
