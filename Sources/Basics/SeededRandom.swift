/// A xoshiro256** generator: the only source of randomness below the hosts.
///
/// Streams are split by *name*, never by the order of creation: adding a link to a
/// topology leaves every other link's losses where they were.
public struct SeededRandom: RandomNumberGenerator, Sendable, BitwiseCopyable {
    @usableFromInline var s0, s1, s2, s3: UInt64

    public init(seed: UInt64) {
        var state = seed
        func splitMix() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        (s0, s1, s2, s3) = (splitMix(), splitMix(), splitMix(), splitMix())
    }

    /// An independent stream for one named component.
    public init(seed: UInt64, stream name: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        // Seed and name are mixed apart first, so that no two pairs meet in a plain exclusive or.
        var mixer = SeededRandom(seed: seed)
        self.init(seed: mixer.next() ^ (hash &* 0x9E37_79B9_7F4A_7C15))
    }

    /// The next 64 bits of the stream.
    @inlinable
    public mutating func next() -> UInt64 {
        let scaled = s1 &* 5
        let result = ((scaled << 7) | (scaled >> 57)) &* 9
        let t = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = (s3 << 45) | (s3 >> 19)
        return result
    }

    /// A child stream that does not disturb this one's sequence beyond one draw.
    public mutating func fork() -> SeededRandom {
        SeededRandom(seed: next())
    }
}

extension SeededRandom {
    /// True with the given probability; a ratio of 0 or 1 still takes one draw.
    @inlinable
    public mutating func chance(_ probability: Ratio) -> Bool {
        chance(below: probability.threshold)
    }

    /// True with the probability that a ratio's ``Ratio/threshold`` stands for.
    @inlinable
    public mutating func chance(below threshold: UInt64) -> Bool {
        let draw = next()
        return draw < threshold || threshold == .max
    }

    /// A whole number from 0 up to, and not including, `bound`, which is at least 1.
    @inlinable
    public mutating func below(_ bound: UInt64) -> UInt64 {
        next().multipliedFullWidth(by: bound).high
    }

    /// A number from 0 up to, and not including, 1, on a grid of 2^-53.
    @inlinable
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A span chosen evenly from `range`, both ends included.
    @inlinable
    public mutating func interval(in range: ClosedRange<Interval>) -> Interval {
        let width = UInt64(bitPattern: (range.upperBound - range.lowerBound).nanoseconds) &+ 1
        return range.lowerBound + Interval(nanoseconds: Int64(bitPattern: below(width)))
    }

    /// A draw from the exponential distribution with mean 1.
    public mutating func exponential() -> Double {
        -naturalLogarithm(1 - unit())
    }

    /// A draw from the normal distribution with mean 0 and deviation 1 (Marsaglia's polar method).
    public mutating func normal() -> Double {
        while true {
            let x = unit() * 2 - 1
            let y = unit() * 2 - 1
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            return x * (-2 * naturalLogarithm(square) / square).squareRoot()
        }
    }

    /// A draw from the Pareto distribution with minimum 1 and the given shape, which is above 0.
    public mutating func pareto(shape: Double) -> Double {
        naturalExponential(exponential() / shape)
    }
}
