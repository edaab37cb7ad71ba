import Basics
import Testing

@Suite struct SlabTests {
    /// Counts how many of it are alive.
    private struct Thing: ~Copyable {
        final class Census {
            var alive = 0
        }

        let census: Census
        var value: Int

        init(_ value: Int, _ census: Census) {
            self.value = value
            self.census = census
            census.alive += 1
        }

        deinit { census.alive -= 1 }
    }

    @Test func `values stay where they were put, are changed in place, and end with the slab`() {
        let census = Thing.Census()
        do {
            var slab = Slab<Thing>()
            for number in 0..<100 { slab.append(Thing(number, census)) }
            for number in stride(from: 0, to: 100, by: 2) { slab[number].value += 1_000 }
            let values = (0..<slab.count).map { slab[$0].value }
            #expect(values == (0..<100).map { $0 % 2 == 0 ? $0 + 1_000 : $0 })
            #expect(census.alive == 100)
        }
        #expect(census.alive == 0)
    }

    @Test func `an index past the end is a programmer's error`() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<Int>()
            slab.append(1)
            slab[1] += 1
        }
    }
}
