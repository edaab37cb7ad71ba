import Basics
import Dataplane
import Endpoints
import Foundation
import LinuxHost
import LinuxSystem
import Machine
import Node
import Telemetry
import TestKit
import Testing
import Traffic
import Wire

@Suite(.enabled(if: Privileges.suffice, "\(Privileges.reason)"), .serialized)
struct NodeTests {
    private static let tunnels = [TunnelID(0), TunnelID(1)]

    @Test func `two nodes open their tunnels, speak BGP, and have the kernel route to each other`() throws {
        let sites = try TwoSites()
        let west = try sites.startNode(0)
        let east = try sites.startNode(1)
        defer {
            west.stop()
            east.stop()
        }
        #expect(eventually { west.upTunnels == Self.tunnels && east.upTunnels == Self.tunnels })
        #expect(eventually { west.isEstablished && east.isEstablished })
        let wanted = [IPPrefix(host: .v4(TwoSites.overlayAddress(1))), TwoSites.lan(1)].sorted()
        let isRouted = try eventually { try sites.kernelRoutes(ofNode: 0) == wanted }
        #expect(isRouted)
        let routed = west.ask { try? $0.routedPrefixes() }
        #expect(routed == wanted)
        let counters = try #require(west.ask { $0.counters })
        #expect(counters.unsentDatagrams == 0 && counters.refusedRoutes == 0 && counters.undeliveredPackets == 0)
        west.stop()
        // What a node held goes with it.
        let left = try sites.kernelRoutes(ofNode: 0)
        #expect(left.isEmpty)
    }

    @Test(arguments: [false, true])
    func `calls and files get from site to site whole`(usesDataplane: Bool) throws {
        let sites = try TwoSites(usesDataplane: usesDataplane)
        let west = try sites.startNode(0)
        let east = try sites.startNode(1)
        defer {
            west.stop()
            east.stop()
        }
        #expect(eventually { west.isEstablished && east.isEstablished })
        let start = sites.clock.now + .milliseconds(500)
        let stop = start + .seconds(4)
        let call = ApplicationProfile.voip(VoIP())
        let file = ApplicationProfile.fileTransfer(FileTransfer(byteCount: 3_000_000))
        let near = try sites.startHost(
            0,
            [
                sites.end(.source, of: 1, call, from: start, to: stop),
                sites.end(.source, of: 2, file, from: start, to: stop),
            ])
        let far = try sites.startHost(
            1,
            [
                sites.end(.sink, of: 1, call, from: start, to: stop),
                sites.end(.sink, of: 2, file, from: start, to: stop),
            ])
        defer {
            near.stop()
            far.stop()
        }
        let clock = sites.clock
        #expect(eventually { clock.now > stop + .milliseconds(200) })
        let reports = try #require(far.ask { host in host.machine.reports(at: host.now) })
        let heard = try #require(reports.first { $0.flow == 1 && $0.received != nil }?.received)
        let sent = try #require(near.ask { host in host.machine.reports(at: host.now) })
        let spoken = try #require(sent.first { $0.flow == 1 && $0.sent != nil }?.sent)
        #expect(spoken.packets == 200)
        #expect(heard.packets == spoken.packets)
        let latency = try #require(heard.latency.percentile(Ratio(0.5)))
        #expect(latency > .microseconds(20) && latency < .milliseconds(5))
        let file2 = try #require(reports.first { $0.flow == 2 && $0.received != nil }?.received)
        #expect(file2.bytes == 3_000_000)
        #expect(file2.completionTimes.count == 1)
        guard usesDataplane else { return }
        let carried = try #require(west.ask { try? $0.dataplaneCounters() } ?? nil)
        let received = try #require(east.ask { try? $0.dataplaneCounters() } ?? nil)
        // All but the first packets of each flow.
        #expect(carried[.encapsulated].packets > 1_500)
        #expect(received[.delivered].packets > 1_500)
    }

    @Test(arguments: [false, true])
    func `when a link loses its carrier the call goes on over the other`(usesDataplane: Bool) throws {
        let sites = try TwoSites(usesDataplane: usesDataplane)
        let west = try sites.startNode(0)
        let east = try sites.startNode(1)
        defer {
            west.stop()
            east.stop()
        }
        #expect(eventually { west.isEstablished && east.isEstablished })
        let start = sites.clock.now + .milliseconds(500)
        let stop = start + .seconds(5)
        let call = ApplicationProfile.voip(VoIP())
        let near = try sites.startHost(0, [sites.end(.source, of: 1, call, from: start, to: stop)])
        let far = try sites.startHost(1, [sites.end(.sink, of: 1, call, from: start, to: stop)])
        defer {
            near.stop()
            far.stop()
        }
        let clock = sites.clock
        #expect(eventually { clock.now > start + .seconds(1) })
        let used = try #require(Self.lastPath(west.records()))
        let cut = clock.now
        try sites.setLink(Int(used.rawValue), isUp: false)
        #expect(eventually(within: 1) { !west.upTunnels.contains(used) && !east.upTunnels.contains(used) })
        let causes = west.records(since: cut).compactMap { record -> ChangeCause? in
            if case .tunnelState(used, _, let cause) = record.record { cause } else { nil }
        }
        #expect(causes.first == .portDown)
        #expect(eventually { clock.now > stop + .milliseconds(200) })
        let reports = try #require(far.ask { host in host.machine.reports(at: host.now) })
        let heard = try #require(reports.first { $0.received != nil }?.received)
        let gap = heard.gaps.map(\.length).max() ?? .zero
        #expect(gap < .seconds(1))
        #expect(heard.packets > 200)
        try sites.setLink(Int(used.rawValue), isUp: true)
        #expect(eventually { west.upTunnels == Self.tunnels && east.upTunnels == Self.tunnels })
    }

    private static func lastPath(_ records: [(at: Instant, record: TelemetryRecord)]) -> TunnelID? {
        records.compactMap { record -> TunnelID? in
            if case .pathChange(_, _, let tunnel, _) = record.record { tunnel } else { nil }
        }.last
    }

    @Test func `a node that is started again finds back to its peer`() throws {
        let sites = try TwoSites()
        let west = try sites.startNode(0)
        let east = try sites.startNode(1)
        defer { east.stop() }
        #expect(eventually { west.isEstablished && east.isEstablished })
        let killed = sites.clock.now
        west.stop()
        #expect(eventually { east.upTunnels.isEmpty })
        #expect(sites.clock.now - killed < .seconds(2))
        let again = try sites.startNode(0, life: 1)
        defer { again.stop() }
        #expect(eventually(within: 20) { again.isEstablished && east.isEstablished })
        let wanted = [IPPrefix(host: .v4(TwoSites.overlayAddress(0))), TwoSites.lan(0)].sorted()
        let isRouted = try eventually { try sites.kernelRoutes(ofNode: 1) == wanted }
        #expect(isRouted)
    }
}
