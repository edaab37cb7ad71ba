import Basics
import Glibc
import TestKit
import Testing

@Suite struct SeededRandomTests {
    @Test func `the first draws of a seed are these, on every machine`() {
        // xoshiro256** whose state SplitMix64 fills, as its authors advise.
        var zero = SeededRandom(seed: 0)
        let draws = (0..<4).map { _ in zero.next() }
        #expect(draws == [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C])
        var named = SeededRandom(seed: 1, stream: "link br1-mpls a-b")
        let first = named.next()
        #expect(first == 0xFB50_FE46_729F_90A4)
    }

    @Test func `streams of other names or seeds are unlike each other`() {
        var firsts: Set<UInt64> = []
        for seed in 0..<100 as Range<UInt64> {
            for number in 0..<100 {
                var random = SeededRandom(seed: seed, stream: "link \(number)")
                firsts.insert(random.next())
            }
        }
        #expect(firsts.count == 10_000)
        var left = SeededRandom(seed: 7, stream: "a")
        var right = SeededRandom(seed: 7, stream: "b")
        let equalBits = (0..<1_000).reduce(0) { count, _ in count + (~(left.next() ^ right.next())).nonzeroBitCount }
        #expect(abs(equalBits - 32_000) < 700)
    }

    @Test func `a fork takes one draw and goes its own way`() {
        var parent = SeededRandom(seed: 3)
        var twin = parent
        var child = parent.fork()
        _ = twin.next()
        let (next, twins, childs) = (parent.next(), twin.next(), child.next())
        #expect(next == twins)
        #expect(childs != next)
    }

    @Test(arguments: [0.0, 1e-3, 0.1, 0.5, 0.9, 1.0])
    func `a chance comes true as often as it says`(probability: Double) {
        var random = SeededRandom(seed: 11)
        let count = (0..<100_000).reduce(0) { sum, _ in sum + (random.chance(Ratio(probability)) ? 1 : 0) }
        let deviation = (probability * (1 - probability) * 100_000).squareRoot()
        #expect(abs(Double(count) - probability * 100_000) <= 4 * deviation)
    }

    @Test func `whole numbers and units are spread evenly`() {
        var random = SeededRandom(seed: 5)
        var counts = [Int](repeating: 0, count: 10)
        var unitCounts = counts
        for _ in 0..<100_000 {
            counts[Int(random.below(10))] += 1
            let unit = random.unit()
            unitCounts[Int(unit * 10)] += 1
        }
        // The 99.9 % point of chi-squared with nine degrees of freedom.
        for counts in [counts, unitCounts] {
            let distance = counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 }
            #expect(distance < 27.9)
        }
        let ones = (0..<100).map { _ in random.below(1) }
        #expect(ones.allSatisfy { $0 == 0 })
    }

    @Test func `intervals reach both ends of their range`() {
        var random = SeededRandom(seed: 9)
        let range = Interval.nanoseconds(-2)...Interval.nanoseconds(2)
        let drawn = Set((0..<1_000).map { _ in random.interval(in: range).nanoseconds })
        #expect(drawn == [-2, -1, 0, 1, 2])
        let single = random.interval(in: .zero ... .zero)
        #expect(single == .zero)
        let wide = random.interval(in: .nanoseconds(.min + 1) ... .nanoseconds(.max))
        #expect(wide.nanoseconds > .min)
    }

    @Test func `exponential, normal and Pareto draws have the moments of their distributions`() {
        var random = SeededRandom(seed: 21)
        let count = 200_000
        let exponential = (0..<count).map { _ in random.exponential() }
        #expect(abs(mean(exponential) - 1) < 0.01)
        #expect(abs(variance(exponential) - 1) < 0.03)
        #expect(exponential.allSatisfy { $0 >= 0 })
        let normal = (0..<count).map { _ in random.normal() }
        #expect(abs(mean(normal)) < 0.01)
        #expect(abs(variance(normal) - 1) < 0.02)
        let withinOne = normal.count { abs($0) < 1 }
        #expect(abs(Double(withinOne) / Double(count) - 0.6827) < 0.004)
        let pareto = (0..<count).map { _ in random.pareto(shape: 3) }
        #expect(pareto.allSatisfy { $0 >= 1 })
        #expect(abs(mean(pareto) - 1.5) < 0.02)
        let beyondTwo = pareto.count { $0 > 2 }
        #expect(abs(Double(beyondTwo) / Double(count) - 0.125) < 0.004)
    }

    @Test func `exponential draws follow their distribution function`() {
        var random = SeededRandom(seed: 22)
        let draws = (0..<10_000).map { _ in random.exponential() }.sorted()
        let distance = draws.enumerated().map { index, draw in
            abs(Double(index) / 10_000 - (1 - exp(-draw)))
        }.max()
        // Kolmogorov and Smirnov's bound at one in a thousand.
        #expect((distance ?? 1) < 1.95 / 100)
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private func variance(_ values: [Double]) -> Double {
        let center = mean(values)
        return values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count)
    }
}
