import Basics
import TestKit
import Testing

@Suite struct EventQueueTests {
    @Test func `events come out in order of instant, then of key, as a sorted list has them`() {
        forEachSeed { random in
            var queue = EventQueue()
            var model: [QueuedEvent] = []
            var now = Instant.zero
            for _ in 0..<2_000 {
                if random.chance(Ratio(0.6)) || model.isEmpty {
                    let spread: UInt64 = random.chance(Ratio(0.2)) ? 1 << 40 : 20
                    let event = QueuedEvent(
                        at: Instant(nanoseconds: now.nanoseconds + random.below(spread)), key: random.below(8))
                    queue.schedule(event)
                    model.append(event)
                } else {
                    model.sort { ($0.at, $0.key) < ($1.at, $1.key) }
                    let expected = model.removeFirst()
                    let earliest = queue.earliest()
                    try #require(earliest == expected.at)
                    let taken = queue.popFirst(notAfter: .never)
                    try #require(taken == expected)
                    now = expected.at
                }
            }
        }
    }

    @Test func `nothing after the limit is taken, and earlier events may still be added`() {
        var queue = EventQueue()
        queue.schedule(QueuedEvent(at: Instant(nanoseconds: 1_000), key: 1))
        let early = queue.popFirst(notAfter: Instant(nanoseconds: 999))
        #expect(early == nil)
        queue.schedule(QueuedEvent(at: Instant(nanoseconds: 500), key: 2))
        let first = queue.popFirst(notAfter: Instant(nanoseconds: 999))
        #expect(first?.key == 2)
        let second = queue.popFirst(notAfter: .never)
        #expect(second?.key == 1)
    }
}
