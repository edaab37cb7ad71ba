import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

/// Hosts with many addresses, and sites to which the underlay routes.
@Suite struct CrowdTests {
    /// The sources of all TCP segments with that destination port that crossed a link.
    private func sources(_ scenario: Scenario, link: Int, port: UInt16) -> (addresses: [IPAddress], record: RunRecord) {
        var scenario = scenario
        scenario.record.capturedLinks = [link]
        var simulation = Simulation(scenario)
        simulation.run(until: .zero + scenario.duration)
        var found: [IPAddress] = []
        simulation.drainCapture { buffer in
            for frame in buffer.frames {
                let octets = Array(copying: buffer.bytes(frame))
                guard octets.count > 54, octets[12] == 8, octets[23] == ProtocolNumber.tcp,
                    UInt16(octets[36]) << 8 | UInt16(octets[37]) == port
                else { continue }
                let bits = octets[26..<30].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
                if !found.contains(.v4(IPv4Address(bits: bits))) { found.append(.v4(IPv4Address(bits: bits))) }
            }
        }
        return (found, simulation.finish())
    }

    @Test func `each reader of a crowd has an address of its own, and is served over plain routes`() throws {
        let pages = TrafficEntry(
            name: "pages", application: .web(bytes: nil), from: AttackWorlds.readers, to: AttackWorlds.server,
            flows: 300, start: .seconds(1), over: .seconds(1))
        let scenario = AttackWorlds.scenario(duration: .seconds(6), traffic: [pages], isPublic: true)
        let (addresses, record) = sources(scenario, link: AttackWorlds.line, port: 443)
        let expected = (1...300 as ClosedRange<UInt32>).map { IPAddress.v4(IPv4Address(198, 18, 0, 0) + $0) }
        #expect(addresses.sorted() == expected)
        #expect(record.violations.isEmpty)
        // Everybody has read at least one page.
        let readers = record.flowReports.filter { $0.direction == .backward && !$0.completionTimes.isEmpty }
        #expect(readers.count == 300)
        #expect(!record.conservation.contains { $0.dropped(.noRoute) > 0 })
    }

    @Test func `flows' starts are spread`() {
        let load = TrafficEntry(
            name: "load", application: .constantRate(rate: .megabits(1), packetSize: ByteCount(500)), from: 0, to: 1,
            flows: 5, start: .seconds(1), over: .seconds(1))
        let record = Worlds.record(Worlds.pair(LinkSettings(), duration: .seconds(3), traffic: [load]))
        let starts = (1...5 as ClosedRange<UInt32>).compactMap { record.report($0)?.sent?.firstAt }
        #expect(starts == (5...9 as ClosedRange<Int64>).map { Instant.zero + .milliseconds($0 * 200) })
    }

    @Test func `a host on a LAN takes its flows' addresses in turn, and answers go back over the overlay`() throws {
        let pages = TrafficEntry(
            name: "pages", application: .web(bytes: nil), from: AttackWorlds.laptop, to: AttackWorlds.server, flows: 5,
            start: .seconds(4))
        let load = TrafficEntry(
            name: "load", application: .constantRate(rate: .megabits(1), packetSize: ByteCount(500)),
            from: AttackWorlds.laptop, to: AttackWorlds.server, flows: 3, start: .seconds(4))
        let scenario = AttackWorlds.scenario(duration: .seconds(8), traffic: [pages, load])
        let lan = try #require(scenario.topology.linkIndex(named: "laptop--branch"))
        let (addresses, record) = sources(scenario, link: lan, port: 443)
        // A /30 has two.
        #expect(addresses.sorted() == [.v4(IPv4Address(10, 2, 8, 1)), .v4(IPv4Address(10, 2, 8, 2))])
        #expect(record.flowReports.filter { $0.direction == .backward && !$0.completionTimes.isEmpty }.count == 5)
        #expect((6...8).allSatisfy { record.report($0)?.lossRatio == .zero })
        #expect(record.violations.isEmpty)
    }

    @Test func `a site that is not public is not routed to, and has no way out but the overlay`() throws {
        let load = TrafficEntry(
            name: "load", application: .constantRate(rate: .megabits(1), packetSize: ByteCount(500)),
            from: AttackWorlds.attacker, to: AttackWorlds.server, start: .seconds(1))
        let hidden = Worlds.record(AttackWorlds.scenario(duration: .seconds(2), traffic: [load]))
        #expect(hidden.report()?.lossRatio == .one)
        let open = Worlds.record(AttackWorlds.scenario(duration: .seconds(2), traffic: [load], isPublic: true))
        #expect(open.report()?.lossRatio == .zero)
    }
}
