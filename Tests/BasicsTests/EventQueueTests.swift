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

    @Test func `a hundred thousand pending events come out sorted, and once warm take no memory`() {
        var random = SeededRandom(seed: 8)
        var queue = EventQueue()
        for _ in 0..<100_000 {
            queue.schedule(QueuedEvent(at: Instant(nanoseconds: random.below(2_000_000)), key: random.next()))
        }
        var last = QueuedEvent(at: .zero, key: 0)
        var unordered = 0
        func hold(_ steps: Int) {
            for _ in 0..<steps {
                guard let event = queue.popFirst(notAfter: .never) else { return }
                if (event.at, event.key) < (last.at, last.key) { unordered += 1 }
                last = event
                let delay = Interval(nanoseconds: 1 + Int64(random.below(2_000_000)))
                queue.schedule(QueuedEvent(at: event.at + delay, key: random.next()))
            }
        }
        hold(400_000)
        let count = allocations { hold(100_000) }
        #expect(queue.count == 100_000)
        #expect(unordered == 0)
        // The buckets' sizes drift with the bits of the clock: a doubling now and then, never one per event.
        #expect(count <= 8)
    }

    @Test func `a crowd at one instant comes out by key`() {
        var random = SeededRandom(seed: 13)
        for crowd in [1, 7, 8, 9, 16, 17, 1_000, 100_000] {
            var queue = EventQueue()
            let keys = (0..<crowd).map { _ in random.below(UInt64(crowd) / 2 + 1) }
            for key in keys { queue.schedule(QueuedEvent(at: Instant(nanoseconds: 5_000), key: key)) }
            var seen: [UInt64] = []
            while let event = queue.popFirst(notAfter: .never) { seen.append(event.key) }
            #expect(seen == keys.sorted())
        }
    }

    @Test func `children due at their parent's instant find their place in the crowd`() {
        forEachSeed(50) { random in
            var queue = EventQueue()
            var model: [UInt64] = []
            let start = Instant(nanoseconds: 77)
            for _ in 0..<random.below(200) {
                let key = random.below(1_000)
                queue.schedule(QueuedEvent(at: start, key: key))
                model.append(key)
            }
            model.sort()
            for _ in 0..<1_000 where !model.isEmpty {
                let event = queue.popFirst(notAfter: .never)
                try #require(event?.key == model.removeFirst())
                for _ in 0..<random.below(3) where model.count < 300 {
                    let key = random.below(1_000)
                    queue.schedule(QueuedEvent(at: start, key: key))
                    model.insert(key, at: model.firstIndex { $0 > key } ?? model.count)
                }
                let earliest = queue.earliest()
                try #require(earliest == (model.isEmpty ? nil : start) && queue.count == model.count)
            }
        }
    }

    @Test func `a crowd in which each event has a child at once costs no square`() {
        var queue = EventQueue()
        for key in 0..<100_000 as Range<UInt64> { queue.schedule(QueuedEvent(at: .zero, key: key << 1)) }
        var taken = 0
        let clock = ContinuousClock()
        let time = clock.measure {
            while let event = queue.popFirst(notAfter: .never) {
                taken += 1
                if event.key & 1 == 0 { queue.schedule(QueuedEvent(at: .zero, key: event.key | 1)) }
            }
        }
        #expect(taken == 200_000)
        #expect(time < .seconds(1))
    }

    @Test func `an event in the past is a programmer's error`() async {
        await #expect(processExitsWith: .failure) {
            var queue = EventQueue()
            queue.schedule(QueuedEvent(at: Instant(nanoseconds: 10), key: 0))
            _ = queue.popFirst(notAfter: .never)
            queue.schedule(QueuedEvent(at: Instant(nanoseconds: 9), key: 0))
        }
    }
}
