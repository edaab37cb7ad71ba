import Basics
import Steering
import Telemetry
import TestKit
import Testing

@Suite struct SLAClassTests {
    @Test func `each measurement has the score that the table in the documentation gives it`() throws {
        var table = ""
        for percent in [0, 25, 50, 51, 60, 65, 69, 70, 71, 75, 90, 99, 100, 101, 110, 125, 150, 175, 199, 200, 300] {
            let part = Double(percent) / 100
            let latency = PathSample(latency: .microseconds(Int64(1_500 * percent)))
            let jitter = PathSample(jitter: .microseconds(Int64(300 * percent)))
            let loss = PathSample(lossSent: Ratio(0.01 * part))
            let points = [latency, jitter, loss].map { Driven.voice.score(of: $0).points }
            table += "\(percent)% of the threshold: latency \(points[0]), jitter \(points[1]), loss \(points[2])\n"
        }
        try expectGolden(table, named: "scores.txt")
    }

    @Test func `the worst metric decides, and loss counts in the sending direction`() {
        let sample = PathSample(
            latency: .milliseconds(10), jitter: .milliseconds(24), lossReceived: .one, lossSent: Ratio(0.002))
        #expect(Driven.voice.score(of: sample) == PathScore(70))
        #expect(Driven.voice.score(of: PathSample(lossReceived: .one)) == .best)
    }

    @Test func `half the round trip stands for a latency that is not known`() {
        let sample = PathSample(latency: .milliseconds(-1), roundTrip: .milliseconds(300))
        #expect(Driven.voice.score(of: sample) == PathScore(50))
    }

    @Test func `a metric without a threshold does not count, and a threshold of nothing allows nothing`() {
        let lax = Steering.SLAClass(name: "lax")
        #expect(lax.score(of: PathSample(latency: .seconds(9), jitter: .seconds(9), lossSent: .one)) == .best)
        let lossless = Steering.SLAClass(name: "lossless", loss: .zero)
        #expect(lossless.score(of: PathSample()) == .best)
        #expect(lossless.score(of: PathSample(lossSent: Ratio(0.000_1))) == .worst)
    }

    @Test func `a score never rises when a measurement gets worse, and is below 50 exactly when it violates`() {
        forEachSeed(50) { random in
            var previous = PathScore.best
            var latency = Interval.zero
            while latency < .milliseconds(310) {
                let score = Driven.voice.score(of: PathSample(latency: latency))
                try #require(score <= previous)
                try #require((score < PathScore(50)) == (latency > .milliseconds(150)))
                previous = score
                latency += .nanoseconds(Int64(random.below(2_000_000)))
            }
        }
    }
}
