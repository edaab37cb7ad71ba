import Basics
import TestKit
import Testing

@Suite struct SortedIndexTests {
    @Test func `an index agrees with a dictionary, whatever the order of insertion`() {
        forEachSeed(100) { random in
            var index = SortedIndex()
            var model: [UInt32: Int] = [:]
            let spread = UInt64(1) << (1 + random.below(32))
            for place in 0..<Int(random.below(300)) {
                let number = UInt32(truncatingIfNeeded: random.below(spread))
                index.insert(number, place: place)
                model[number] = place
            }
            try #require(index.count == model.count)
            for _ in 0..<300 {
                let number = UInt32(truncatingIfNeeded: random.below(spread))
                try #require(index[number] == model[number])
            }
            for number in model.keys.sorted() { try #require(index[number] == model[number]) }
            try #require(index[.max] == model[.max])
            try #require(index[0] == model[0])
        }
    }

    @Test func `prefetching changes nothing`() {
        let octets = ContiguousArray<UInt8>(0..<200)
        unsafe octets.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe prefetch(base, byteCount: 200)
        }
        for place in [3, 199, 200, -1] { prefetch(place, of: octets) }
        prefetch(190..<210, of: octets)
        prefetch(0, of: ContiguousArray<UInt8>())
        #expect(octets == ContiguousArray(0..<200))
    }
}
