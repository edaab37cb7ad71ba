import Basics
import Glibc
import TestKit
import Testing

@Suite struct TranscendentalTests {
    private func relativeError(_ actual: Double, _ wanted: Double) -> Double {
        wanted == 0 ? abs(actual) : abs((actual - wanted) / wanted)
    }

    @Test func `the logarithm agrees with libm's over the whole range`() {
        forEachSeed(500) { random in
            for _ in 0..<100 {
                let value = Double(bitPattern: random.below(0x7FF0_0000_0000_0000))
                guard value > 0 else { continue }
                try #require(relativeError(naturalLogarithm(value), log(value)) < 1e-15, "\(value)")
                let nearOne = 1 + (random.unit() - 0.5) / 64
                try #require(relativeError(naturalLogarithm(nearOne), log(nearOne)) < 1e-15, "\(nearOne)")
                let unit = 1 - random.unit()
                try #require(relativeError(naturalLogarithm(unit), log(unit)) < 1e-15, "\(unit)")
            }
        }
        #expect(naturalLogarithm(1) == 0)
        #expect(relativeError(naturalLogarithm(.leastNonzeroMagnitude), log(.leastNonzeroMagnitude)) < 1e-15)
        #expect(relativeError(naturalLogarithm(.greatestFiniteMagnitude), log(.greatestFiniteMagnitude)) < 1e-15)
    }

    @Test func `the exponential agrees with libm's where it is not clamped`() {
        forEachSeed(500) { random in
            for _ in 0..<100 {
                let power = (random.unit() - 0.5) * 1_400
                try #require(relativeError(naturalExponential(power), exp(power)) < 2e-15, "\(power)")
                let small = (random.unit() - 0.5) * 2
                try #require(relativeError(naturalExponential(small), exp(small)) < 1e-15, "\(small)")
            }
        }
        #expect(naturalExponential(0) == 1)
        #expect(naturalExponential(1e9) == naturalExponential(700))
        #expect(naturalExponential(-1e9) == naturalExponential(-700))
    }

    @Test func `the results are these to the bit, on every machine`() {
        #expect(naturalLogarithm(2).bitPattern == 0x3FE6_2E42_FEFA_39EF)
        #expect(naturalExponential(1).bitPattern == 0x4005_BF0A_8B14_576A)
        #expect(naturalLogarithm(10).bitPattern == 0x4002_6BB1_BBB5_5515)
    }
}
