import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// Failures and changes in the underlay, and what the overlay and its calls make of them.
@Suite struct OverlayTests {
    private typealias Dual = Worlds.Dual
    private static let cut = Interval.seconds(15)

    private static func cutRun(_ kinds: [ScriptedEvent.Kind]) -> RunRecord {
        Worlds.record(
            Worlds.dualProvider(
                duration: .seconds(25), traffic: [Worlds.calls(4)], events: kinds.map { Worlds.event(cut, $0) }))
    }

    /// The longest gap of each direction of each flow, without the flow's own time between packets.
    private static func outages(_ record: RunRecord) -> [Interval] {
        record.flowReports.map { report in
            guard let received = report.received, let gap = received.longestGap else { return .zero }
            return max(gap.length - received.usualGap, .zero)
        }
    }

    @Test func `a carrier loss interrupts no call for 100 ms`() throws {
        let record = Self.cutRun([.linkDown(link: Dual.branchToA, directions: .both, lasting: nil)])
        let outages = Self.outages(record)
        #expect(outages.count == 8)
        #expect(outages.allSatisfy { $0 < .milliseconds(100) }, "\(outages)")
        for flow in 1...4 as ClosedRange<UInt32> {
            #expect(record.arrivesToTheEnd(flow, .forward) && record.arrivesToTheEnd(flow, .backward))
        }
        #expect(record.violations.isEmpty)
    }

    @Test func `whenever the carrier goes, no call is interrupted for long and both ends are told in time`() {
        forEachSeed(12) { random in
            let start = random.interval(in: .seconds(11)...(.seconds(16)))
            let link = random.chance(Ratio(0.5)) ? Dual.branchToA : Dual.hqToA
            let record = Worlds.record(
                Worlds.dualProvider(
                    duration: .seconds(20), traffic: [Worlds.calls(3)],
                    events: [Worlds.event(start, .linkDown(link: link, directions: .both, lasting: nil))],
                    seed: random.next()))
            let outages = Self.outages(record)
            try #require(outages.count == 6)
            try #require(outages.allSatisfy { $0 < .milliseconds(100) }, "\(start) \(link) \(outages)")
            for node in [Dual.hq, Dual.branch] {
                let verdict = try #require(record.verdicts(of: node, on: Dual.tunnelA).last)
                try #require(verdict.state == .down, "\(node) \(verdict)")
                try #require(verdict.at - (.zero + start) < .milliseconds(60), "\(node) \(start) \(verdict)")
            }
            try #require(record.violations.isEmpty, "\(record.violations)")
        }
    }

    @Test func `whenever packets begin to vanish silently, no call is interrupted for 400 ms`() {
        forEachSeed(12) { random in
            let start = random.interval(in: .seconds(11)...(.seconds(16)))
            let link = random.chance(Ratio(0.5)) ? Dual.branchToA : Dual.hqToA
            let ways = LinkDirections.allCases[Int(random.below(3))]
            let record = Worlds.record(
                Worlds.dualProvider(
                    duration: .seconds(20), traffic: [Worlds.calls(3)],
                    events: [
                        Worlds.event(
                            start,
                            .linkSet(
                                link: link, directions: ways,
                                changes: Worlds.settings { $0.loss = .independent(.one) }, over: nil))
                    ], seed: random.next()))
            let outages = Self.outages(record)
            try #require(outages.count == 6)
            try #require(outages.allSatisfy { $0 < .milliseconds(400) }, "\(start) \(link) \(ways) \(outages)")
            try #require(record.violations.isEmpty, "\(record.violations)")
        }
    }

    @Test func `the far end learns of a carrier loss through the other tunnel within 60 ms`() throws {
        let record = Self.cutRun([.linkDown(link: Dual.branchToA, directions: .both, lasting: nil)])
        let start = Instant.zero + Self.cut
        let near = try #require(record.verdicts(of: Dual.branch, on: Dual.tunnelA).last)
        #expect(near.at == start)
        #expect(near.state == .down && near.cause == .portDown)
        let far = try #require(record.verdicts(of: Dual.hq, on: Dual.tunnelA).last)
        #expect(far.at > start && far.at - start < .milliseconds(60), "\(far)")
        #expect(far.state == .down && far.cause == .neighborSignaled, "\(far)")
    }

    @Test(arguments: [LinkDirections.both, .forward, .reverse])
    func `a silent loss interrupts no call for 400 ms`(directions: LinkDirections) throws {
        let settings = Worlds.settings { $0.loss = .independent(.one) }
        let record = Self.cutRun([
            .linkSet(link: Dual.branchToA, directions: directions, changes: settings, over: nil)
        ])
        let outages = Self.outages(record)
        #expect(outages.count == 8)
        #expect(outages.allSatisfy { $0 < .milliseconds(400) }, "\(outages)")
        // Something was lost at all.
        #expect(outages.contains { $0 > .milliseconds(50) })
        for flow in 1...4 as ClosedRange<UInt32> {
            #expect(record.arrivesToTheEnd(flow, .forward) && record.arrivesToTheEnd(flow, .backward))
        }
        #expect(record.violations.isEmpty)
    }

    @Test func `a narrow link inside the underlay is learnt by the tunnel and a file gets through`() throws {
        let wide = Worlds.settings { $0.delay = .milliseconds(5) }
        let narrow = Worlds.settings {
            $0.delay = .milliseconds(5)
            $0.maximumTransmissionUnit = 1_400
        }
        let record = Worlds.record(
            Worlds.sites(
                between: [wide, narrow, wide], duration: .seconds(30),
                traffic: [Worlds.transfer(1_000_000, from: 3, to: 2, start: .seconds(8))]))
        let report = try #require(record.report()?.received)
        #expect(report.bytes == 1_000_000)
        #expect(report.completionTimes.count == 1)
        #expect(record.dropped(.tooBig) > 0)
        #expect(record.isBalanced)
        #expect(record.violations.isEmpty)
    }

    @Test func `tunnels over an underlay with IPv6 alone carry an IPv4 site's traffic`() throws {
        var scenario = Worlds.dualProvider(
            duration: .seconds(25),
            traffic: [Worlds.calls(2), Worlds.transfer(500_000, from: Dual.left, to: Dual.right, start: .seconds(9))])
        scenario.topology.removeIPv4()
        let ends = scenario.topology.links[Dual.branchToA]
        #expect(ends.first.ipv4 == nil && ends.second.ipv4 == nil)
        #expect(scenario.topology.links[Dual.leftLAN].first.ipv4 != nil)
        let record = Worlds.record(scenario)
        let file = try #require(record.report(3)?.received)
        #expect(file.bytes == 500_000)
        for flow in [1, 2] as [UInt32] {
            #expect(record.arrivesToTheEnd(flow, .forward) && record.arrivesToTheEnd(flow, .backward))
            #expect(record.report(flow)?.lossRatio == .zero)
        }
        #expect(record.violations.isEmpty)
    }

    @Test func `restarts of a node that overlap end with one life in which calls flow`() throws {
        let record = Worlds.record(
            Worlds.dualProvider(
                duration: .seconds(45), traffic: [Worlds.calls(2)],
                events: [
                    Worlds.event(.seconds(20), .nodeRestart(node: Dual.branch, after: .seconds(5))),
                    Worlds.event(.seconds(22), .nodeRestart(node: Dual.branch, after: .seconds(1))),
                ]))
        for flow in [1, 2] as [UInt32] {
            #expect(record.arrivesToTheEnd(flow, .forward) && record.arrivesToTheEnd(flow, .backward))
        }
        #expect(record.lastSessionState(of: Dual.hq) == .established)
        #expect(record.lastSessionState(of: Dual.branch) == .established)
        #expect(record.isBalanced)
        #expect(record.violations.isEmpty, "\(record.violations)")
    }
}
