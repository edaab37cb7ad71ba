import Attacks
import Basics
import TestKit
import Testing
import Wire

@Suite struct FloodPaceTests {
    @Test(arguments: [1, 7, 999, 20_000, 100_000, 3_000_000] as [UInt64])
    func `a flood keeps its rate of packets to the packet`(_ rate: UInt64) {
        let lasting = rate > 100_000 ? Interval.milliseconds(100) : .seconds(3)
        let times = departures(.synFlood, .packets(PacketRate(packetsPerSecond: rate)), lasting: lasting)
        let expected = Double(rate) * lasting.inSeconds
        #expect(abs(Double(times.count) - expected) <= 1)
        #expect(times.first == start)
        let gap = 1_000_000_000 / rate
        for (index, time) in times.enumerated() {
            // 128 bits: the product of index and gap is exact.
            let ideal = UInt64(UInt128(index) * 1_000_000_000 / UInt128(rate))
            let late = (time - start).nanoseconds - Int64(ideal)
            guard late >= 0, late <= Int64(gap / 4 + 1) else {
                Issue.record("packet \(index) is \(late) ns late")
                return
            }
        }
    }

    @Test func `a flood keeps its rate of bits, whatever the sizes`() {
        var generator = FloodGenerator(
            configuration(.udpFlood, .bits(.megabits(80)), lasting: .seconds(2)), random: SeededRandom(seed: 3))
        var arena = ByteArena(capacity: 4_096)
        while let due = generator.nextDeadline {
            _ = generator.next(at: due, into: &arena)
            arena.removeAll()
        }
        #expect(abs(Double(generator.byteCount) * 8 / 160e6 - 1) < 0.0005)
    }

    @Test func `packets leave in order, and none from the stop on`() {
        forEachSeed(20) { random in
            let rate = 1 + random.below(200_000)
            let lasting = random.interval(in: .milliseconds(1)...(.milliseconds(100)))
            let times = departures(
                .icmpFlood, .packets(PacketRate(packetsPerSecond: rate)), lasting: lasting, seed: random.next())
            for index in times.indices.dropFirst() { try #require(times[index - 1] <= times[index]) }
            try #require(times.allSatisfy { $0 >= start && $0 < start + lasting })
        }
    }

    @Test func `before its time nothing is written, and a late host gets all that is due`() {
        var generator = FloodGenerator(
            configuration(.synFlood, .packets(PacketRate(packetsPerSecond: 1_000)), lasting: .seconds(1)),
            random: SeededRandom(seed: 1))
        var arena = ByteArena(capacity: 4_096)
        let early = generator.next(at: start - .nanoseconds(1), into: &arena)
        #expect(early == nil && arena.count == 0)
        var count = 0
        while generator.next(at: start + .milliseconds(100), into: &arena) != nil { count += 1 }
        #expect((100...101).contains(count))
        #expect(generator.packetCount == UInt64(count))
    }

    @Test func `a rate of nothing sends nothing`() {
        #expect(departures(.udpFlood, .packets(PacketRate(packetsPerSecond: 0)), lasting: .seconds(1)) == [])
    }

    @Test func `the same seed is the same flood, another seed another one`() {
        func octets(_ seed: UInt64) -> [UInt8] {
            var generator = FloodGenerator(
                configuration(.udpFlood, .packets(PacketRate(packetsPerSecond: 1_000)), lasting: .milliseconds(50)),
                random: SeededRandom(seed: seed, stream: "attack 0"))
            return written { arena in
                while let due = generator.nextDeadline { _ = generator.next(at: due, into: &arena) }
            }
        }
        #expect(octets(1) == octets(1))
        #expect(octets(1) != octets(2))
    }

    @Test(arguments: FloodKind.allCases)
    func `a packet costs no allocation`(_ kind: FloodKind) {
        var generator = FloodGenerator(
            configuration(kind, .packets(PacketRate(packetsPerSecond: 1_000_000)), lasting: .seconds(1)),
            random: SeededRandom(seed: 1))
        var arena = ByteArena(capacity: 4_096)
        func send(_ count: Int) {
            for _ in 0..<count {
                guard let due = generator.nextDeadline else { return }
                _ = generator.next(at: due, into: &arena)
                arena.removeAll()
            }
        }
        send(100)
        let count = allocations { send(10_000) }
        #expect(count == 0)
    }

    private func departures(
        _ kind: FloodKind, _ rate: FloodRate, lasting: Interval, seed: UInt64 = 1
    ) -> [Instant] {
        var generator = FloodGenerator(configuration(kind, rate, lasting: lasting), random: SeededRandom(seed: seed))
        var arena = ByteArena(capacity: 4_096)
        var times: [Instant] = []
        while let due = generator.nextDeadline {
            times.append(due)
            _ = generator.next(at: due, into: &arena)
            arena.removeAll()
        }
        return times
    }
}
