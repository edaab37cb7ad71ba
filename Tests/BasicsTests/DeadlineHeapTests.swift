import Basics
import TestKit
import Testing

@Suite struct DeadlineHeapTests {
    @Test func `a heap agrees with a plain list of deadlines on any run of steps`() {
        forEachSeed(200) { random in
            var heap = DeadlineHeap()
            var model = [UInt64?](repeating: nil, count: 20)
            var now: UInt64 = 0
            for _ in 0..<500 {
                let index = Int(random.below(20))
                if random.chance(Ratio(0.6)) {
                    let at = random.chance(Ratio(0.2)) ? nil : now + random.below(50)
                    heap.set(index, at: at.map { Instant(nanoseconds: $0) })
                    model[index] = at
                } else {
                    now += random.below(10)
                    let due = model.indices.filter { (model[$0] ?? .max) <= now }
                    let expected = due.min { (model[$0] ?? .max, $0) < (model[$1] ?? .max, $1) }
                    let taken = heap.takeDue(at: Instant(nanoseconds: now))
                    try #require(taken == expected)
                    if let expected { model[expected] = nil }
                }
                let earliest = model.compactMap { $0 }.min()
                try #require((heap.next?.nanoseconds ?? .max) <= (earliest ?? .max))
            }
        }
    }

    @Test func `looking when asked to finds every deadline at its instant`() {
        forEachSeed(100) { random in
            var heap = DeadlineHeap()
            var model = (0..<50).map { _ in random.below(1_000) }
            for (index, at) in model.enumerated() {
                heap.set(index, at: Instant(nanoseconds: at + random.below(100)))
                heap.set(index, at: Instant(nanoseconds: at))
            }
            for index in stride(from: 0, to: 50, by: 3) {
                model[index] += 500
                heap.set(index, at: Instant(nanoseconds: model[index]))
            }
            var seen: [(at: UInt64, index: Int)] = []
            while let now = heap.next {
                while let index = heap.takeDue(at: now) { seen.append((now.nanoseconds, index)) }
            }
            let wanted = model.enumerated().map { ($1, $0) }.sorted { $0 < $1 }
            try #require(seen.map(\.at) == wanted.map(\.0) && seen.map(\.index) == wanted.map(\.1))
        }
    }

    @Test func `a timer moved away again and again takes no memory`() {
        var heap = DeadlineHeap()
        heap.set(3, at: Instant(nanoseconds: 1))
        let count = allocations {
            for step in 0..<100_000 as Range<UInt64> { heap.set(3, at: Instant(nanoseconds: 10 + step)) }
        }
        #expect(count == 0)
        let early = heap.takeDue(at: Instant(nanoseconds: 100_008))
        #expect(early == nil)
        let due = heap.takeDue(at: Instant(nanoseconds: 100_009))
        #expect(due == 3)
        #expect(heap.next == nil)
    }
}
