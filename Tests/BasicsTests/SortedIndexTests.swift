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
        let octets: [UInt8] = Array(0..<200)
        unsafe octets.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe prefetch(base, byteCount: 200)
            unsafe prefetch(bytes, element: 3, of: 4)
            unsafe prefetch(bytes, element: 4, of: 4)
            unsafe prefetch(bytes, element: -1, of: 4)
        }
        unsafe prefetch(UnsafeRawBufferPointer(start: nil, count: 0), element: 0, of: 0)
        #expect(octets == Array(0..<200))
    }
}
