import Basics
import Measure
import TestKit
import Testing

struct DistributionTests {
    /// The smallest value of which at least `percent` per cent of all are not larger.
    private func naive(_ values: [Double], _ percent: Int) -> Double? {
        values.sorted().first { candidate in values.count { $0 <= candidate } * 100 >= percent * values.count }
    }

    @Test func `percentiles are those of a naive search`() {
        forEachSeed(200) { random in
            let values = (0...random.below(300)).map { _ in Double(random.below(50)) / 4 }
            let distribution = try #require(Distribution(values))
            #expect(distribution.minimum == values.min())
            #expect(distribution.maximum == values.max())
            #expect(distribution.count == Double(values.count))
            #expect(abs(distribution.mean - values.reduce(0, +) / Double(values.count)) < 1e-9)
            try #require(distribution.p5 == naive(values, 5))
            try #require(distribution.p50 == naive(values, 50))
            try #require(distribution.p95 == naive(values, 95))
            try #require(distribution.p99 == naive(values, 99))
        }
    }

    @Test(arguments: 1...400)
    func `every rank is exact, also where a product of fractions is not`(count: Int) throws {
        let distribution = try #require(Distribution((1...count).map { Double($0) }))
        #expect(distribution.p5 == Double((count * 5 + 99) / 100))
        #expect(distribution.p99 == Double((count * 99 + 99) / 100))
    }

    @Test func `nothing has no distribution, and one value is all of its own`() throws {
        #expect(Distribution([]) == nil)
        let one = try #require(Distribution([7]))
        #expect(one.statistics.map(\.name) == ["min", "p5", "p50", "p95", "p99", "max", "mean", "count"])
        #expect(one.statistics.map(\.value) == [7, 7, 7, 7, 7, 7, 7, 1])
    }
}
