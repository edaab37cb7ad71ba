import Basics
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

@Suite struct AccountingTests {
    /// Hands packets of these sequence numbers to a tunnel, a microsecond apart.
    private func receiving(
        _ sequences: [UInt32], in tunnel: inout Tunnel, from start: Instant = Instant(nanoseconds: 1_000_000)
    ) -> [Opened] {
        var now = start
        return sequences.map { sequence in
            now += .microseconds(1)
            return tunnel.open(datagram(sequence: sequence).span.bytes, at: now)
        }
    }

    private let whole = Opened.packet(24..<44)
    private let duplicate = Opened.refused(.duplicate)

    @Test func `a gap is loss until it is filled`() {
        var tunnel = SampleDatagrams.receiver()
        _ = receiving([10, 11, 15], in: &tunnel)
        #expect(tunnel.counters.lost == 3)
        let late = receiving([13, 12], in: &tunnel)
        #expect(late == [whole, whole])
        #expect(tunnel.counters.lost == 1 && tunnel.counters.reordered == 2)
    }

    @Test func `a duplicate is refused, of the newest, of an older one and of one that came late`() {
        var tunnel = SampleDatagrams.receiver()
        let opened = receiving([10, 10, 11, 14, 11, 12, 12, 14], in: &tunnel)
        #expect(opened == [whole, duplicate, whole, whole, duplicate, whole, duplicate, duplicate])
        #expect(tunnel.counters.duplicates == 4 && tunnel.counters.packetsReceived == 4)
        #expect(tunnel.counters.lost == 1)
    }

    @Test func `the data plane's packets are let through and leave the account of the node's alone`() {
        var tunnel = SampleDatagrams.receiver()
        _ = receiving([10, 11], in: &tunnel)
        for sequence in [11, 5_000, 5_000, 7] as [UInt32] {
            let octets = datagram(sequence: sequence, flags: .fastPath)
            let opened = tunnel.open(octets.span.bytes, at: Instant(nanoseconds: 2_000_000))
            #expect(opened == whole)
        }
        let next = receiving([12, 11], in: &tunnel, from: Instant(nanoseconds: 3_000_000))
        #expect(next == [whole, duplicate])
        #expect(tunnel.counters.packetsReceived == 7 && tunnel.counters.lost == 0)
    }

    @Test func `what was sent before the first arrival is neither loss nor its repair`() {
        var tunnel = SampleDatagrams.receiver()
        let opened = receiving([100, 98, 102, 99], in: &tunnel)
        #expect(opened == [whole, whole, whole, whole])
        #expect(tunnel.counters.lost == 1 && tunnel.counters.reordered == 2)
    }

    @Test func `behind the window of 1024 nothing is let through`() {
        var tunnel = SampleDatagrams.receiver()
        let opened = receiving([1, 2_000, 977, 976], in: &tunnel)
        #expect(opened == [whole, whole, whole, duplicate])
        #expect(tunnel.counters.tooLate == 1 && tunnel.counters.lost == 1_997)
    }

    @Test func `sequence numbers wrap`() {
        var tunnel = SampleDatagrams.receiver()
        let opened = receiving([.max - 2, .max - 1, 1, .max, 0, 0, 2, .max], in: &tunnel)
        #expect(opened == [whole, whole, whole, whole, whole, duplicate, whole, duplicate])
        #expect(tunnel.counters.lost == 0 && tunnel.counters.reordered == 2)
    }

    @Test func `timestamps wrap`() {
        var configuration = TunnelConfiguration(number: 7, clocksShared: true)
        configuration.probeInterval = .seconds(1)
        // The sender's 32 bits of microseconds turn over half a second after the start.
        let start = Instant(nanoseconds: ((1 << 32) - 500_000) * 1_000)
        var pair = TunnelPair(
            configuration, wire: TestWire(latency: .milliseconds(42)), random: SeededRandom(seed: 9), from: start)
        pair.sendPackets(from: 0, every: .milliseconds(10))
        pair.run(for: .milliseconds(3_500))
        let sample = pair.ends[1].sample
        #expect(sample.latency == .milliseconds(42) && sample.jitter == .zero)
    }

    @Test func `one stray number changes nothing, two in a row are a new sender`() {
        var tunnel = SampleDatagrams.receiver()
        let first = receiving([10, 11, 2_000_000_000, 12, 2_000_000_005, 13, 12], in: &tunnel)
        #expect(first == [whole, whole, whole, whole, whole, whole, duplicate])
        #expect(tunnel.counters.lost == 0)
        let second = receiving(
            [3_000_000_000, 3_000_000_000, 3_000_000_002, 3_000_000_001, 3_000_000_005], in: &tunnel)
        #expect(second == [whole, duplicate, whole, whole, whole])
        #expect(tunnel.counters.lost == 2)
    }

    @Test func `any order of arrivals gives the counts that a set gives`() {
        forEachSeed { random in
            var tunnel = SampleDatagrams.receiver()
            let base = UInt32(truncatingIfNeeded: random.next())
            _ = receiving([base], in: &tunnel)
            var arrived: Set<UInt32> = [0]
            var highest: UInt32 = 0
            var duplicates: UInt64 = 0
            for _ in 0..<2_000 {
                let reach = min(highest, 1_023)
                let offset =
                    random.chance(Ratio(0.3))
                    ? highest - UInt32(random.below(UInt64(reach) + 1)) : highest + 1 + UInt32(random.below(3))
                let opened = receiving([base &+ offset], in: &tunnel)
                let isNew = arrived.insert(offset).inserted
                duplicates += isNew ? 0 : 1
                highest = max(highest, offset)
                try #require(opened == [isNew ? whole : duplicate])
            }
            let counters = tunnel.counters
            try #require(counters.duplicates == duplicates)
            try #require(counters.lost == UInt64(highest) + 1 - UInt64(arrived.count))
            try #require(counters.packetsReceived == UInt64(arrived.count))
        }
    }

    @Test func `sealing and opening do not allocate once warm`() {
        var near = SampleDatagrams.receiver()
        var far = SampleDatagrams.receiver()
        var arena = ByteArena(capacity: 4_096)
        let inner = innerPacket(byteCount: 1_400)
        var now = Instant.zero
        var opened = 0
        func pass(_ count: Int) {
            for _ in 0..<count {
                arena.removeAll()
                now += .milliseconds(1)
                let range = near.seal(innerPacket: inner.span.bytes, at: now, into: &arena)
                if case .packet = far.open(arena.bytes(range), at: now) { opened += 1 }
                if let probe = near.wake(at: now, into: &arena) { _ = far.open(arena.bytes(probe), at: now) }
                _ = far.wake(at: now, into: &arena)
            }
        }
        pass(10)
        let count = allocations { pass(10_000) }
        #expect(count == 0)
        #expect(opened == 10_010)
    }
}
