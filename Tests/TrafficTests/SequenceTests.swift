import Basics
import TestKit
import Testing
import Traffic

@Suite struct SequenceTests {
    @Test func `arrivals are told apart as a set tells them`() {
        forEachSeed { random in
            var tracker = SequenceTracker()
            var seen: Set<UInt64> = []
            var next: UInt64 = 0
            var duplicates: UInt64 = 0
            var reordered: UInt64 = 0
            for _ in 0..<2_000 {
                let isBehind = next > 0 && random.chance(Ratio(0.3))
                let number = isBehind ? next - 1 - random.below(min(next, 100)) : next + random.below(4)
                let arrival = tracker.note(UInt32(number))
                if number >= next {
                    try #require(arrival == .newest(number, skipped: number - next))
                    next = number + 1
                } else if seen.contains(number) {
                    try #require(arrival == .duplicate)
                    duplicates += 1
                } else {
                    try #require(arrival == .late(number))
                    reordered += 1
                }
                seen.insert(number)
            }
            try #require(tracker.received == UInt64(seen.count))
            try #require(tracker.lost == next - UInt64(seen.count))
            try #require(tracker.duplicates == duplicates)
            try #require(tracker.reordered == reordered)
        }
    }

    @Test func `numbers wrap at 32 bits`() {
        var tracker = SequenceTracker()
        // Three steps of less than half the circle lead to its end.
        for number in [0x7000_0000, 0xE000_0000, 0xFFFF_FFFE] as [UInt32] { _ = tracker.note(number) }
        let afterWrap = tracker.note(1)
        #expect(afterWrap == .newest(0x1_0000_0001, skipped: 2))
        let last = tracker.note(0xFFFF_FFFF)
        #expect(last == .late(0xFFFF_FFFF))
        let zero = tracker.note(0)
        #expect(zero == .late(0x1_0000_0000))
        let again = tracker.note(0)
        #expect(again == .duplicate)
    }

    @Test func `what comes 8192 later is only counted`() {
        var tracker = SequenceTracker()
        _ = tracker.note(0)
        _ = tracker.note(2)
        _ = tracker.note(8_192)
        let tooLate = tracker.note(1)
        #expect(tooLate == .late(1))
        _ = tracker.note(9_000)
        let ancient = tracker.note(5)
        #expect(ancient == .tooLate)
        #expect(tracker.tooLate == 1)
    }

    @Test func `a long silence leaves no traces of numbers a circle ago`() {
        var tracker = SequenceTracker()
        for number in 0..<8_192 as Range<UInt32> { _ = tracker.note(number) }
        _ = tracker.note(30_000)
        let late = tracker.note(29_999)
        #expect(late == .late(29_999))
    }
}
