import Basics
import TestKit
import Testing

@Suite struct RingTests {
    @Test func `a ring agrees with an array on any run of steps`() {
        forEachSeed(200) { random in
            var ring = Ring<UInt32>(capacity: Int(random.below(20)))
            var model: [UInt32] = []
            for step in 0..<500 as Range<UInt32> {
                switch random.below(8) {
                case 0, 1, 2:
                    ring.append(step)
                    model.append(step)
                case 3:
                    ring.prepend(step)
                    model.insert(step, at: 0)
                case 4, 5:
                    let taken = ring.popFirst()
                    try #require(taken == (model.isEmpty ? nil : model.removeFirst()))
                case 6:
                    let taken = ring.popLast()
                    try #require(taken == model.popLast())
                default:
                    if !model.isEmpty {
                        let place = Int(random.below(UInt64(model.count)))
                        ring[place] = step
                        model[place] = step
                    }
                    if random.chance(Ratio(0.02)) {
                        ring.removeAll()
                        model.removeAll()
                    }
                }
                try #require(ring.count == model.count && ring.isEmpty == model.isEmpty)
                try #require(ring.first == model.first && ring.last == model.last)
                try #require((0..<ring.count).map { ring[$0] } == model)
            }
        }
    }

    @Test func `a warm ring takes no memory`() {
        var ring = Ring<UInt64>(capacity: 64)
        var sum: UInt64 = 0
        let count = allocations {
            for step in 0..<10_000 as Range<UInt64> {
                ring.append(step)
                if ring.count == 64 { sum &+= ring.popFirst() ?? 0 }
            }
        }
        #expect(count == 0)
        #expect(sum == (0..<UInt64(10_000 - 63)).reduce(0, +))
    }

    @Test func `reading past the end is a programmer's error`() async {
        await #expect(processExitsWith: .failure) {
            var ring = Ring<UInt8>()
            ring.append(1)
            _ = ring[1]
        }
    }
}
