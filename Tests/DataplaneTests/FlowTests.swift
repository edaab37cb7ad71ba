import Basics
import Dataplane
import Telemetry
import TestKit
import Testing
import Wire

/// What the flow table, the counters and the samples say of packets.
@Suite(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
struct FlowTests {
    private func tuple(_ protocolNumber: UInt8 = 6) throws -> FiveTuple {
        FiveTuple(
            source: try address("10.2.0.2"), destination: try address("10.1.0.2"), protocolNumber: protocolNumber,
            sourcePort: 1000, destinationPort: 80)
    }

    @Test func `a flow has what both directions sent, with sizes and gaps`() throws {
        let dataplane = try KernelDataplane()
        var forth = Packet("10.2.0.2", "10.1.0.2")
        var back = Packet("10.1.0.2", "10.2.0.2")
        back.sourcePort = 80
        back.destinationPort = 1000
        let start = Instant(nanoseconds: 1_000_000_000)
        dataplane.time = start
        try dataplane.run(frame(try forth.tcp(.synchronize, sequence: 5)))
        dataplane.time = start + .milliseconds(10)
        try dataplane.run(frame(try back.tcp([.synchronize, .acknowledge], sequence: 70, acknowledgment: 6)))
        dataplane.time = start + .milliseconds(20)
        try dataplane.run(frame(try forth.tcp(.acknowledge, sequence: 6, acknowledgment: 71)))
        forth.payload = [UInt8](repeating: 7, count: 1000)
        forth.trafficClass = 0x28
        dataplane.time = start + .nanoseconds(20_005_000)
        try dataplane.run(frame(try forth.tcp([.acknowledge, .push], sequence: 6, acknowledgment: 71)))
        let flows = try dataplane.read { try $0.flows() }
        let flow = try #require(flows.first)
        #expect(flows.count == 1)
        #expect(flow.tuple == (try tuple().reversed))
        #expect(flow.first == start && flow.isAnswered && flow.isProven)
        let direction = flow.direction(try tuple())
        #expect(direction.packets == 3 && direction.bytes == 40 + 40 + 1040)
        #expect(direction.last == start + .nanoseconds(20_005_000))
        #expect(direction.flags == [.synchronize, .acknowledge, .push])
        #expect(direction.trafficClass == 0x28)
        #expect(direction.sizes.indices.map { direction.sizes[$0] } == [2, 0, 0, 0, 1, 0, 0, 0])
        // 20 ms lie in the bin from 2^24 ns, 5 us below 2^14 ns.
        #expect(direction.gaps.indices.filter { direction.gaps[$0] > 0 } == [0, 11])
        #expect(flow.direction(try tuple().reversed).packets == 1)
    }

    @Test func `bins are powers of two`() throws {
        let dataplane = try KernelDataplane(limits: .none)
        var sizes = [UInt32](repeating: 0, count: 8)
        var gaps = [UInt32](repeating: 0, count: 16)
        var random = SeededRandom(seed: 1)
        var now = Instant(nanoseconds: 1)
        for step in 0..<500 {
            let gap = random.next() >> (28 + random.below(30))
            now += .nanoseconds(Int64(gap))
            dataplane.time = now
            var packet = Packet("10.2.0.2", "10.1.0.2")
            packet.payload = random.octets(Int(random.below(1 << (1 + random.below(11)))))
            try dataplane.run(frame(try packet.udp()))
            let length = 28 + packet.payload.count
            sizes[max(0, min(7, (Int.bitWidth - 1 - length.leadingZeroBitCount) - 6))] += 1
            if step > 0 { gaps[max(0, min(15, (63 - max(gap, 1).leadingZeroBitCount) - 13))] += 1 }
        }
        let flow = try #require(try dataplane.read { try $0.flow(try tuple(17)) })
        let direction = flow.direction(try tuple(17))
        #expect(direction.sizes.indices.map { direction.sizes[$0] } == sizes)
        #expect(direction.gaps.indices.map { direction.gaps[$0] } == gaps)
    }

    @Test func `flows of IPv6 and echoes are told apart, and silent ones are removed`() throws {
        let dataplane = try KernelDataplane()
        dataplane.time = Instant(nanoseconds: 1)
        try dataplane.run(frame(try Packet("2001:db8::2", "2001:db8::1").udp()))
        try dataplane.run(frame(try Packet("2001:db8::1", "2001:db8::2").icmp(identifier: 3)))
        try dataplane.run(frame(try Packet().icmp(identifier: 4)))
        dataplane.time = Instant(nanoseconds: 9_000_000_000)
        try dataplane.run(frame(try Packet().icmp(identifier: 5)))
        let tuples = try dataplane.read { try $0.flows() }.map(\.tuple)
        #expect(
            tuples.map { "\($0.source) \($0.sourcePort) \($0.destination) \($0.destinationPort) \($0.protocolNumber)" }
                == [
                    "10.1.0.2 4 10.2.0.2 4 1", "10.1.0.2 5 10.2.0.2 5 1", "2001:db8::1 80 2001:db8::2 1000 17",
                    "2001:db8::1 3 2001:db8::2 3 58",
                ])
        let removed = try dataplane.read { try $0.removeFlows(silentSince: Instant(nanoseconds: 5_000_000_000)) }
        #expect(removed.map(\.tuple) == [tuples[0]] + tuples[2...])
        let left = try dataplane.read { try $0.flows() }
        #expect(left.map(\.tuple) == [tuples[1]])
    }

    @Test func `without its switch a part does nothing`() throws {
        let dataplane = try KernelDataplane {
            $0.flowTable = false
            $0.firewall = false
            $0.forwarding = false
            $0.floodGuard = false
            $0.sampling = false
        }
        try dataplane.apply(
            .list(try prefix("0.0.0.0/0"), .deny), .setPort(port, role: .lan, address: portAddress),
            .setRoute(try prefix("0.0.0.0/0"), .port(port)), .setSampling(DataplaneSampling(flows: 1, drops: 1)))
        for _ in 0..<2000 { try dataplane.run(frame(try Packet().tcp(.synchronize))) }
        let counters = try dataplane.read { try $0.counters() }
        let frames = 2000 as UInt64
        #expect(counters[.notForwarded] == DataplaneCounter(packets: frames, bytes: frames * 54))
        #expect(counters.total(.pass).packets == frames)
        let flows = try dataplane.read { try $0.flows() }
        #expect(flows.isEmpty)
        let samples = try dataplane.samples()
        #expect(samples.isEmpty)
    }

    @Test func `every frame has one verdict and one cause, whatever is in it`() throws {
        let dataplane = try KernelDataplane()
        try dataplane.apply(
            .setPort(port, role: [.lan, .wan], address: portAddress),
            .setRoute(try prefix("0.0.0.0/0"), .port(port)), .setRoute(try prefix("::/0"), .port(port)))
        let valid = [
            try Packet().tcp(), try Packet().udp(), try Packet().icmp(), try Packet("2001:db8::1", "2001:db8::2").tcp(),
            try FastDatagram().packet(around: try Packet().udp()),
        ]
        var counts: [DataplaneVerdict: UInt64] = [:]
        var total = 0 as UInt64
        forEachSeed(3000) { random in
            var octets = random.mutated(frame(valid[Int(random.below(UInt64(valid.count)))]))
            while octets.count < 14 { octets.append(0) }
            dataplane.time += .microseconds(Int64(random.below(100)))
            let verdict = try #require(try dataplane.run(octets).verdict)
            counts[verdict, default: 0] += 1
            total += 1
        }
        let counters = try dataplane.read { try $0.counters() }
        for verdict in [DataplaneVerdict.pass, .drop, .redirect] {
            #expect(counters.total(verdict).packets == counts[verdict, default: 0])
        }
        #expect(counts.values.reduce(0, +) == total)
    }

    @Test func `samples show first packets of flows and drops, one in so many`() throws {
        let dataplane = try KernelDataplane()
        try dataplane.apply(
            .list(try prefix("10.9.0.0/16"), .deny), .setSampling(DataplaneSampling(flows: 2, drops: 3)))
        dataplane.time = Instant(nanoseconds: 77)
        for flow in 0..<4 as Range<UInt16> {
            var packet = Packet()
            packet.sourcePort = 5000 + flow
            packet.payload = [UInt8](0..<UInt8(flow * 50 + 1))
            for _ in 0..<3 { try dataplane.run(frame(try packet.udp())) }
        }
        for _ in 0..<6 { try dataplane.run(frame(try Packet("10.9.1.1", "10.1.0.1").udp())) }
        let samples = try dataplane.samples()
        #expect(samples.map(\.cause) == [.flowAdded, .flowAdded, .denied, .denied])
        #expect(samples.allSatisfy { $0.time == Instant(nanoseconds: 77) && $0.port == port })
        #expect(samples.map(\.frameByteCount) == [14 + 28 + 51, 14 + 28 + 151, 42, 42])
        #expect(samples.map(\.octets.count) == [93, 128, 42, 42])
        var packet = Packet()
        packet.sourcePort = 5001
        packet.payload = [UInt8](0..<51)
        #expect(samples.first?.octets == frame(try packet.udp()))
    }
}
