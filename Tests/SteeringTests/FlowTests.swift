import Basics
import Steering
import Telemetry
import TestKit
import Testing
import Wire

@Suite struct FlowTests {
    @Test func `policies are tried by priority, ties by their order, and the rest goes by the default`() throws {
        func policy(_ name: String, _ match: Steering.Match, _ port: String, _ priority: Int) -> Steering.Policy {
            Steering.Policy(name: name, match: match, prefer: [port], priority: priority)
        }
        let network = try #require(IPPrefix("10.2.0.0/24"))
        let policies = [
            policy("low", Steering.Match(dscp: 46), "wan-a", 1),
            policy("first", Steering.Match(application: .web), "wan-b", 100),
            policy("second", Steering.Match(application: .quic), "wan-c", 100),
            policy("prefix", Steering.Match(source: network, ports: 7_000...7_999), "wan-d", 150),
            policy("other", Steering.Match(destination: network), "wan-a", 300),
            policy("tcp", Steering.Match(protocolNumber: ProtocolNumber.tcp), "wan-a", 300),
        ]
        var steering = Steering(Steering.Configuration(policies: policies))
        var changes: ContiguousArray<TelemetryRecord> = []
        for (index, port) in ["wan-e", "wan-a", "wan-b", "wan-c", "wan-d"].enumerated() {
            let tunnel = TunnelID(UInt32(index))
            steering.addPath(Steering.PathCandidate(tunnel: tunnel, site: 1, localPort: port, remotePort: "x"))
            steering.update(tunnel, isUp: true, at: .zero, into: &changes)
        }
        func tunnel(_ packet: PacketHead) -> UInt32? {
            let selected = steering.select(packet, site: 1, at: .zero, into: &changes)
            return selected?.rawValue
        }
        #expect(tunnel(Driven.packet(port: 443)) == 2)
        #expect(tunnel(Driven.packet(port: 7_500)) == 4)
        #expect(tunnel(Driven.packet(port: 7_501, dscp: 46)) == 4)
        #expect(tunnel(Driven.packet(port: 9_000, dscp: 46)) == 1)
        #expect(tunnel(Driven.packet(port: 9_001)) == 0)
        let key = Driven.packet(port: 443).key
        #expect(steering.application(of: key) == .quic)
    }

    @Test func `among equal paths the cheaper is taken, then the lower number; a like-named far port goes first`() {
        func chosen(_ paths: [(UInt32, String, String, Double)], prefer: [String] = []) -> UInt32? {
            var steering = Steering(Steering.Configuration(policies: [Steering.Policy(name: "all", prefer: prefer)]))
            var changes: ContiguousArray<TelemetryRecord> = []
            for (tunnel, local, remote, cost) in paths {
                steering.addPath(
                    Steering.PathCandidate(
                        tunnel: TunnelID(tunnel), site: 1, localPort: local, remotePort: remote, cost: cost))
                steering.update(TunnelID(tunnel), isUp: true, sample: Driven.good, at: .zero, into: &changes)
            }
            return steering.select(Driven.call, site: 1, at: .zero, into: &changes)?.rawValue
        }
        #expect(chosen([(5, "a", "a", 1), (3, "b", "b", 0.5), (4, "c", "c", 0.5)]) == 3)
        #expect(chosen([(1, "a", "b", 0), (2, "a", "a", 9)], prefer: ["a"]) == 2)
        #expect(chosen([(1, "a", "a", 0), (2, "b", "a", 0)], prefer: ["b", "a"]) == 2)
    }

    @Test func `without a preference a flow keeps a path that meets its class, although another is better`() {
        var driven = Driven(Steering.Configuration())
        driven.update(0)
        let first = driven.select()
        driven.run(for: .seconds(5), [(0, PathSample(latency: .milliseconds(390))), (1, Driven.good)])
        #expect(first == 0)
        #expect(driven.moves.isEmpty)
    }

    @Test func `after a failure every flow moves with its next packet, and after the return every flow moves back`() {
        var driven = Driven()
        let calls = (0..<100).map { Driven.packet(port: 16_384 + UInt16($0)) }
        driven.update(0)
        driven.update(1)
        for call in calls { driven.select(call) }
        driven.update(0, isUp: false)
        let during = calls.map { driven.select($0) }
        #expect(during.allSatisfy { $0 == 1 })
        driven.update(0, Driven.good)
        for second in 1...61 {
            driven.now = .zero + .seconds(Int64(second))
            driven.update(0, Driven.good)
            for call in calls { driven.select(call) }
        }
        #expect(driven.moves.filter { $0.hasSuffix("0>1 failover") }.count == 100)
        #expect(driven.moves.filter { $0 == "60000ms 1>0 failback" }.count == 100)
        #expect(driven.moves.count == 200)
    }

    @Test func `after 60 s of silence a flow is a new one`() {
        var driven = Driven()
        driven.update(0)
        driven.select()
        driven.now += .seconds(60) - .nanoseconds(1)
        driven.select()
        #expect(driven.records.count == 1)
        driven.now += .seconds(60)
        driven.select()
        #expect(driven.records.count == 2)
        #expect(driven.moves.isEmpty)
    }

    @Test func `a flow whose destination moves to another site is placed anew`() {
        var driven = Driven()
        driven.steering.addPath(
            Steering.PathCandidate(tunnel: TunnelID(9), site: 2, localPort: "wan-a", remotePort: "wan-a"))
        driven.update(0)
        driven.update(9)
        driven.select()
        let moved = driven.select(Driven.call, site: 2)
        #expect(moved == 9)
        #expect(driven.moves == ["0ms 0>9 policy"])
        let lost = driven.select(Driven.call, site: 3)
        #expect(lost == nil)
        #expect(driven.moves.last == "0ms 9>- policy")
    }

    @Test func `the table holds no more flows than it may and forgets the one silent longest`() {
        var configuration = Steering.Configuration()
        configuration.flowCapacity = 100
        forEachSeed(20) { random in
            var driven = Driven(configuration)
            driven.update(0)
            var recent: [UInt16] = []
            for _ in 0..<3_000 {
                driven.now += .milliseconds(1)
                let port = UInt16(20_000 + random.below(150))
                let before = driven.records.count
                driven.select(Driven.packet(port: port))
                let wasNew = driven.records.count > before
                try #require(wasNew == !recent.contains(port))
                recent.removeAll { $0 == port }
                recent.append(port)
                if recent.count > 100 { recent.removeFirst() }
                try #require(driven.steering.flowCount == recent.count)
            }
        }
    }

    @Test func `a packet of a known flow costs no allocation`() {
        var steering = Steering(Steering.Configuration(policies: [Driven.voicePolicy]))
        var changes: ContiguousArray<TelemetryRecord> = []
        steering.addPath(Steering.PathCandidate(tunnel: TunnelID(0), site: 1, localPort: "wan-a", remotePort: "x"))
        steering.update(TunnelID(0), isUp: true, at: .zero, into: &changes)
        let packets = (0..<1_000).map { Driven.packet(port: UInt16($0)) }
        for packet in packets { _ = steering.select(packet, site: 1, at: .zero, into: &changes) }
        let count = allocations {
            for packet in packets {
                let tunnel = steering.select(packet, site: 1, at: .zero, into: &changes)
                #expect(tunnel == TunnelID(0))
            }
        }
        let ofTheTest = allocations { for _ in packets { #expect(changes.count == 1_000) } }
        // The runtime may allocate once or twice for itself; a packet must not.
        #expect(count <= ofTheTest + 16)
    }
}
