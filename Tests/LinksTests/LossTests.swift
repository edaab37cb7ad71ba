import Basics
import Links
import Telemetry
import TestKit
import Testing

@Suite struct LossTests {
    private let count = 100_000

    private func losses(_ loss: LossModel, stream: String = "link") -> [Bool] {
        var link = Link(LinkProfile(delay: .milliseconds(1), loss: loss), random: testRandom(stream))
        return link.run(count: count, byteCount: 100, every: .milliseconds(2)).map { $0.deliveredToken == nil }
    }

    @Test(arguments: [0.0, 0.0001, 0.01, 0.3, 0.999, 1.0])
    func `even loss lies within its binomial interval`(probability: Double) {
        let lost = losses(.bernoulli(Ratio(probability))).count { $0 }
        #expect(isWithinBinomialInterval(lost, of: count, probability: probability), "\(lost)")
    }

    @Test func `loss by ratio, as a table`() throws {
        var table = "ratio delivered/100000\n"
        for ratio in [0, 0.0001, 0.01, 0.3] {
            table += "\(ratio) \(losses(.bernoulli(Ratio(ratio))).count { !$0 })\n"
        }
        try expectGolden(table, named: "loss-by-ratio.txt")
    }

    @Test(arguments: [(0.01, 0.2), (0.05, 0.5), (0.002, 0.1)])
    func `bursts of a Gilbert model have their mean length and share`(p: Double, r: Double) {
        let lost = losses(.gilbertElliott(p: Ratio(p), r: Ratio(r)))
        var bursts = 0
        for index in lost.indices where lost[index] && (index == 0 || !lost[index - 1]) { bursts += 1 }
        let total = lost.count { $0 }
        let share = Double(total) / Double(count)
        let burst = Double(total) / Double(bursts)
        // A burst's length is geometric: its deviation is near its mean, and the share's follows from it.
        let tolerance = 4 / Double(bursts).squareRoot()
        #expect(abs(burst * r - 1) < tolerance, "mean burst \(burst)")
        #expect(abs(share * (p + r) / p - 1) < 2 * tolerance, "share \(share)")
    }

    @Test func `a chain's states each lose at their own ratio`() {
        let model = LossModel.gilbertElliott(p: Ratio(0.01), r: Ratio(0.25), lossBad: Ratio(0.3), lossGood: Ratio(0.02))
        let share = Double(losses(model).count { $0 }) / Double(count)
        #expect(abs(model.mean.fraction - (0.25 * 0.02 + 0.01 * 0.3) / 0.26) < 1e-12)
        #expect(abs(share / model.mean.fraction - 1) < 0.06, "share \(share)")
    }

    @Test func `a lost packet has used the rate, and is reported when it has been sent`() {
        let profile = LinkProfile(rate: .megabits(1), delay: .milliseconds(50), loss: .bernoulli(.one))
        var link = Link(profile, random: testRandom())
        for token in 0..<3 as Range<UInt32> { _ = link.offer(QueuedPacket(token: token, byteCount: 125), at: .zero) }
        let happenings = link.drain()
        #expect(
            happenings == [
                Happening(at: .milliseconds(1), outcome: .dropped(token: 0, .loss)),
                Happening(at: .milliseconds(2), outcome: .dropped(token: 1, .loss)),
                Happening(at: .milliseconds(3), outcome: .dropped(token: 2, .loss)),
            ])
        #expect(link.counters.dropped(.loss) == 3)
    }

    @Test func `another impairment moves no loss`() {
        var profile = LinkProfile(delay: .milliseconds(1), loss: .bernoulli(Ratio(0.1)))
        var plain = Link(profile, random: testRandom())
        profile.jitter = .microseconds(100)
        profile.corrupt = Ratio(0.5)
        profile.duplicate = Ratio(0.5)
        var busy = Link(profile, random: testRandom())
        func lost(_ happenings: [Happening]) -> [UInt32] {
            happenings.compactMap { if case .dropped(let token, .loss) = $0.outcome { token } else { nil } }
        }
        let losses = lost(plain.run(count: 5_000, byteCount: 100, every: .milliseconds(2)))
        #expect(losses.count > 400)
        #expect(lost(busy.run(count: 5_000, byteCount: 100, every: .milliseconds(2))) == losses)
    }

    @Test func `two streams lose different packets`() {
        #expect(losses(.bernoulli(Ratio(0.1)), stream: "a") != losses(.bernoulli(Ratio(0.1)), stream: "b"))
    }
}
