import Basics
import Links
import Telemetry
import Testing

@Suite struct QueueLimitTests {
    /// Packets of 1 ms each at 1 Mbit/s.
    private func accepted(_ queue: QueueLimit, at instants: [UInt64]) -> [Bool] {
        var link = Link(LinkProfile(rate: .megabits(1), queue: queue), random: testRandom())
        return instants.enumerated().map { index, instant in
            link.offer(QueuedPacket(token: UInt32(index), byteCount: 125), at: .microseconds(instant)) == .accepted
        }
    }

    @Test(arguments: [QueueLimit.packets(10), .bytes(1_250), .bytes(1_374), .time(.milliseconds(10))])
    func `ten packets wait behind the one being sent, and no more`(queue: QueueLimit) {
        let instants = Array(repeating: 0 as UInt64, count: 13)
        #expect(accepted(queue, at: instants) == Array(repeating: true, count: 11) + [false, false])
    }

    @Test(arguments: [QueueLimit.packets(10), .bytes(1_250), .time(.milliseconds(10))])
    func `a place is free when a packet starts, not before`(queue: QueueLimit) {
        let instants = Array(repeating: 0 as UInt64, count: 11) + [999, 1_000, 1_000, 3_500, 3_500, 3_500]
        let tail = Array(accepted(queue, at: instants).suffix(6))
        #expect(tail == [false, true, false, true, true, false])
    }

    @Test(arguments: [QueueLimit.packets(0), .bytes(0), .time(.zero)])
    func `a link without a queue still sends what finds it idle`(queue: QueueLimit) {
        #expect(accepted(queue, at: [0, 0, 999, 1_000, 5_000, 5_001]) == [true, false, false, true, true, false])
    }

    @Test func `a small packet fits where a large one does not`() {
        var link = Link(LinkProfile(rate: .megabits(1), queue: .bytes(1_000)), random: testRandom())
        let offers = [1_500, 900, 101, 100, 1].enumerated().map { index, size in
            link.offer(QueuedPacket(token: UInt32(index), byteCount: UInt32(size)), at: .zero)
        }
        #expect(offers == [.accepted, .accepted, .dropped(.queueFull), .accepted, .dropped(.queueFull)])
        #expect(link.counters.dropped(.queueFull) == 2)
        #expect(link.waiting(at: .zero).packets == 2)
        #expect(link.waiting(at: .zero).bytes == 1_000)
    }

    @Test func `packets on the way do not count as waiting`() {
        let profile = LinkProfile(rate: .megabits(1), delay: .seconds(10), queue: .packets(1))
        var link = Link(profile, random: testRandom())
        for index in 0..<1_000 as Range<UInt64> {
            let offer = link.offer(QueuedPacket(token: UInt32(index), byteCount: 125), at: .milliseconds(index))
            #expect(offer == .accepted)
        }
        #expect(link.packetsInside == 1_000)
        #expect(link.waiting(at: .milliseconds(999)).packets == 0)
    }

    @Test func `without a word on the queue, a thousand packets wait`() {
        var link = Link(LinkProfile(rate: .megabits(1)), random: testRandom())
        for token in 0..<1_500 as Range<UInt32> {
            _ = link.offer(QueuedPacket(token: token, byteCount: 100), at: .zero)
        }
        #expect(link.counters.dropped(.queueFull) == 499)
    }
}
