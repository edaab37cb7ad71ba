import Basics
import Links
import Testing

@Suite struct ImpairmentTests {
    private let count = 100_000

    /// The delays of packets so far apart that none waits for another, in milliseconds.
    private func delays(_ distribution: JitterDistribution) -> [Double] {
        let profile = LinkProfile(
            delay: .milliseconds(50), jitter: .milliseconds(5), jitterDistribution: distribution)
        var link = Link(profile, random: testRandom())
        return link.run(count: count, byteCount: 100, every: .seconds(1)).enumerated().map {
            ($1.at - (Instant.zero + .seconds(Int64($0)))).inMilliseconds
        }
    }

    @Test(arguments: [(JitterDistribution.normal, 5.0), (.uniform, 2.886_751), (.pareto, 5.0)])
    func `delays have the mean and the deviation of their distribution`(
        distribution: JitterDistribution, expected: Double
    ) {
        let delays = delays(distribution)
        let mean = delays.reduce(0, +) / Double(count)
        let variance = delays.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        #expect(abs(mean - 50) < 3 * expected / Double(count).squareRoot(), "mean \(mean)")
        // A Pareto tail of shape 3 has no fourth moment: its sample deviation wanders.
        let tolerance = distribution == .pareto ? 0.1 : 0.01
        #expect(abs(variance.squareRoot() / expected - 1) < tolerance, "deviation \(variance.squareRoot())")
    }

    @Test func `delays keep to the bounds and quantiles of their distribution`() {
        let uniform = delays(.uniform).sorted()
        #expect(uniform[0] >= 45 && uniform[count - 1] <= 55)
        #expect(abs(uniform[count / 4] - 47.5) < 0.1)
        let normal = delays(.normal).sorted()
        #expect(abs(normal[count / 2] - 50) < 0.1)
        #expect(abs(normal[count * 977 / 1_000] - 60) < 0.2)
        let pareto = delays(.pareto).sorted()
        #expect(pareto[0] >= 50 - 0.5774 * 5)
        // The median of a Pareto distribution of shape 3 is the cube root of 2.
        let median: Double = 50 + (1.259_921 - 1.5) * 5 / 0.866_025
        #expect(abs(pareto[count / 2] - median) < 0.05)
    }

    @Test(arguments: [JitterDistribution.normal, .uniform, .pareto])
    func `jitter reorders nothing and delivers nothing early`(distribution: JitterDistribution) {
        let profile = LinkProfile(
            rate: .megabits(100), delay: .milliseconds(2), jitter: .milliseconds(30), jitterDistribution: distribution)
        var link = Link(profile, random: testRandom())
        let happenings = link.run(count: 20_000, byteCount: 1_000, every: .microseconds(100))
        #expect(happenings.compactMap(\.deliveredToken) == Array(0..<20_000))
        for (index, happening) in happenings.enumerated() {
            let departure = UInt64(index) * 100_000 + 80_000
            guard happening.at < .nanoseconds(departure) else { continue }
            Issue.record("packet \(index) arrived before it was sent")
            return
        }
    }

    @Test func `a reordered packet skips the delay, in the configured share`() {
        let profile = LinkProfile(rate: .megabits(100), delay: .milliseconds(10), reorder: Ratio(0.05))
        var link = Link(profile, random: testRandom())
        let happenings = link.run(count: count, byteCount: 1_000, every: .microseconds(100))
        var overtaking = 0
        for happening in happenings {
            guard let token = happening.deliveredToken else { continue }
            let latency = happening.at - .microseconds(UInt64(token) * 100)
            if latency == .microseconds(80) {
                overtaking += 1
            } else if latency != .microseconds(10_080) {
                Issue.record("packet \(token) took \(latency)")
                return
            }
        }
        #expect(isWithinBinomialInterval(overtaking, of: count, probability: 0.05), "\(overtaking)")
        #expect(link.counters.reordered == UInt64(overtaking))
        #expect(zip(happenings, happenings.dropFirst()).allSatisfy { $0.at <= $1.at })
    }

    @Test func `a duplicated packet comes as its copy and then as itself`() {
        let profile = LinkProfile(delay: .milliseconds(10), duplicate: Ratio(0.02), corrupt: Ratio(0.5))
        var link = Link(profile, random: testRandom())
        let happenings = link.run(count: count, byteCount: 100, every: .microseconds(100))
        var copies = 0
        for (index, happening) in happenings.enumerated() {
            guard case .duplicated(let token) = happening.outcome else { continue }
            copies += 1
            let original = happenings[index + 1]
            guard original.at != happening.at || original.deliveredToken != token else { continue }
            Issue.record("the copy of \(token) is followed by \(original)")
            return
        }
        #expect(isWithinBinomialInterval(copies, of: count, probability: 0.02), "\(copies)")
        #expect(link.counters.duplicated == UInt64(copies))
        #expect(link.counters.delivered == UInt64(count + copies))
        #expect(link.counters.deliveredBytes == UInt64(count + copies) * 100)
    }

    @Test func `a corrupted packet names one bit of its own, any of them`() {
        var link = Link(LinkProfile(corrupt: Ratio(0.1)), random: testRandom())
        var hits = Array(repeating: 0, count: 40)
        for happening in link.run(count: count, byteCount: 5, every: .microseconds(1)) {
            guard case .delivered(_, let bit?) = happening.outcome else { continue }
            hits[Int(bit)] += 1
        }
        let damaged = hits.reduce(0, +)
        #expect(isWithinBinomialInterval(damaged, of: count, probability: 0.1), "\(damaged)")
        #expect(link.counters.damaged == UInt64(damaged))
        // 250 hits a bit, give or take 16.
        #expect(hits.allSatisfy { $0 > 180 && $0 < 320 }, "\(hits)")
        var empty = Link(LinkProfile(corrupt: .one), random: testRandom())
        #expect(empty.run(count: 1, byteCount: 0, every: .zero).first?.outcome == .delivered(token: 0, damagedBit: nil))
    }

    @Test func `absurd delays and jitters still give an answer`() {
        let profile = LinkProfile(
            delay: Interval(nanoseconds: .max), jitter: Interval(nanoseconds: .max), jitterDistribution: .pareto)
        var link = Link(profile, random: testRandom())
        #expect(link.run(count: 1_000, byteCount: 1, every: .seconds(1)).count == 1_000)
        var negative = Link(
            LinkProfile(delay: .milliseconds(-5), jitter: .milliseconds(-1), queue: .time(.seconds(-1))),
            random: testRandom())
        #expect(negative.run(count: 1, byteCount: 1, every: .zero).first?.at == .zero)
    }
}
