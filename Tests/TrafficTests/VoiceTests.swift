import Basics
import TestKit
import Testing
import Traffic

@Suite struct VoiceTests {
    @Test func `the score falls with delay and loss as ITU-T G 107 has it`() throws {
        var table = "delay ms | loss % | R | MOS\n"
        for delay in [0, 20, 50, 100, 150, 177, 200, 250, 300, 400, 600, 1_000] as [Int64] {
            for loss in [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] {
                let rating = EModel.g711.rating(delay: .milliseconds(delay), loss: Ratio(loss))
                let score = EModel.g711.meanOpinionScore(delay: .milliseconds(delay), loss: Ratio(loss))
                table += "\(delay) | \(loss * 100) | \(rounded(rating)) | \(rounded(score))\n"
            }
        }
        try expectGolden(table, named: "mos.txt")
    }

    @Test func `values computed by hand come out`() {
        // R = 93.2; 1 + 0.035 * 93.2 + 7e-6 * 93.2 * 33.2 * 6.8
        #expect(rounded(EModel.g711.meanOpinionScore(delay: .zero, loss: .zero)) == 4.4093)
        // Id = 2.4; Ie,eff = 95 / 26.1 = 3.6398; R = 87.1602
        #expect(rounded(EModel.g711.rating(delay: .milliseconds(100), loss: Ratio(0.01))) == 87.1602)
        // Id = 7.2 + 0.11 * 122.7 = 20.697; Ie,eff = 475 / 30.1 = 15.7807; R = 56.7223
        #expect(rounded(EModel.g711.rating(delay: .milliseconds(300), loss: Ratio(0.05))) == 56.7223)
        // 1 + 1.985279 + 7e-6 * 56.722269 * -3.277731 * 43.277731
        #expect(rounded(EModel.g711.meanOpinionScore(delay: .milliseconds(300), loss: Ratio(0.05))) == 2.929)
        // Ie,eff = 11 + 84 * 2 / 21 = 19; R = 74.2
        #expect(rounded(EModel.g729A.rating(delay: .zero, loss: Ratio(0.02))) == 74.2)
        // Bursts of twice the usual length: 95 * 5 / (2.5 + 25.1) = 17.2101
        #expect(rounded(EModel.g711.rating(delay: .zero, loss: Ratio(0.05), burstRatio: 2)) == 75.9899)
        #expect(EModel.meanOpinionScore(rating: -3) == 1)
        #expect(EModel.meanOpinionScore(rating: 3) == 1)
        #expect(EModel.meanOpinionScore(rating: 101) == 4.5)
    }

    @Test func `a clean call has the score of its latency, buffer and packetization in every window`() {
        var voice = VoiceQuality(packetization: .milliseconds(20))
        for number in 0..<600 as Range<UInt64> {
            voice.receive(number, latency: .milliseconds(50), jitter: .zero)
        }
        let wanted = EModel.g711.meanOpinionScore(delay: .milliseconds(90), loss: .zero)
        #expect(voice.scores(expected: 600) == [wanted, wanted, wanted])
        #expect(voice.scores(expected: 530) == [wanted, wanted])
    }

    @Test func `the jitter buffer is twice the jitter, between 20 and 200 ms`() {
        for (jitter, buffer) in [(1, 20), (10, 20), (40, 80), (100, 200), (500, 200)] as [(Int64, Int64)] {
            var voice = VoiceQuality(packetization: .milliseconds(20))
            for number in 0..<250 as Range<UInt64> {
                voice.receive(number, latency: .milliseconds(10), jitter: .milliseconds(jitter))
            }
            let delay = Interval.milliseconds(10 + buffer + 20)
            #expect(voice.scores(expected: 250) == [EModel.g711.meanOpinionScore(delay: delay, loss: .zero)])
        }
    }

    @Test func `what is lost counts in the window in which it was spoken`() {
        var voice = VoiceQuality(packetization: .milliseconds(20))
        for number in (0..<200) as Range<UInt64> { voice.receive(number, latency: .zero, jitter: .zero) }
        // 50 of the first window, the whole second, 25 of the third, in one run.
        voice.skip(from: 200, count: 325)
        for number in (525..<750) as Range<UInt64> { voice.receive(number, latency: .zero, jitter: .zero) }
        let delay = Interval.milliseconds(40)
        #expect(
            voice.scores(expected: 750) == [
                EModel.g711.meanOpinionScore(delay: delay, loss: Ratio(0.2), burstRatio: 50 * (1 - 0.2)),
                1,
                EModel.g711.meanOpinionScore(delay: delay, loss: Ratio(0.1), burstRatio: 25 * (1 - 0.1)),
            ])
    }

    @Test func `single losses count as random ones`() {
        var voice = VoiceQuality(packetization: .milliseconds(20))
        for number in (0..<250) as Range<UInt64> {
            if number % 50 == 25 {
                voice.skip(from: number, count: 1)
            } else {
                voice.receive(number, latency: .zero, jitter: .zero)
            }
        }
        let wanted = EModel.g711.meanOpinionScore(delay: .milliseconds(40), loss: Ratio(0.02))
        #expect(voice.scores(expected: 250) == [wanted])
    }

    private func rounded(_ value: Double) -> Double {
        (value * 10_000).rounded() / 10_000
    }
}
