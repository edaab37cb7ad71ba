import Basics

/// What happens to a packet on the wire, drawn when its transmission is booked.
///
/// Each impairment has a stream of its own: switching one on moves none of the others. Nothing is drawn
/// where a probability is 0.
struct Impairments: Sendable {
    private var lossRandom, jitterRandom, reorderRandom, corruptRandom, duplicateRandom: SeededRandom
    /// Nanoseconds, not negative.
    private var delay: Int64 = 0
    private var jitter: Int64 = 0
    private var distribution = JitterDistribution.normal
    private var loss = LossModel.none
    /// Of losses that are independent of each other.
    private var lossThreshold: UInt64 = 0
    private var reorder = Ratio.zero
    private var corrupt = Ratio.zero
    private var duplicate = Ratio.zero
    /// Whether any packet can meet another fate than to arrive.
    private(set) var isFateful = false
    /// The polar method makes two normal draws at a time; this is the second one until it is used.
    private var spareNormal: Double?
    /// The state of the Gilbert-Elliott chain.
    private var isBad = false

    init(_ profile: LinkProfile, random: inout SeededRandom) {
        lossRandom = random.fork()
        jitterRandom = random.fork()
        reorderRandom = random.fork()
        corruptRandom = random.fork()
        duplicateRandom = random.fork()
        change(to: profile)
    }

    mutating func change(to profile: LinkProfile) {
        // Years, and an hour: far beyond any network, and no sum of draws overflows.
        delay = max(0, min(profile.delay.nanoseconds, 1 << 60))
        jitter = max(0, min(profile.jitter.nanoseconds, 3_600_000_000_000))
        distribution = profile.jitterDistribution
        reorder = profile.reorder
        corrupt = profile.corrupt
        duplicate = profile.duplicate
        loss = profile.loss
        if case .bernoulli(.zero) = loss { loss = .none }
        if case .bernoulli(let ratio) = loss { lossThreshold = ratio.threshold }
        if case .gilbertElliott = loss {} else { isBad = false }
        isFateful = loss != .none || reorder > .zero || corrupt > .zero || duplicate > .zero
    }

    /// Puts the loss model back to where it was before a packet that has not been sent yet.
    mutating func rewind(to flight: Flight) {
        if case .gilbertElliott = loss { isBad = flight.fate.contains(.followsBad) }
    }

    /// Draws a packet's fate.
    @inline(never)
    mutating func decide(_ flight: inout Flight) {
        flight.fate = isBad ? .followsBad : []
        flight.damagedBit = 0
        if isLost() {
            flight.fate.insert(.lost)
            return
        }
        if reorder > .zero, reorderRandom.chance(reorder) { flight.fate.insert(.overtakes) }
        if duplicate > .zero, duplicateRandom.chance(duplicate) { flight.fate.insert(.duplicated) }
        if corrupt > .zero, corruptRandom.chance(corrupt), flight.packet.byteCount > 0 {
            flight.fate.insert(.damaged)
            flight.damagedBit = UInt32(corruptRandom.below(UInt64(flight.packet.byteCount) * 8))
        }
    }

    private mutating func isLost() -> Bool {
        switch loss {
        case .none: return false
        case .bernoulli: return lossRandom.chance(below: lossThreshold)
        case .gilbertElliott(let p, let r, let lossBad, let lossGood):
            if lossRandom.chance(isBad ? r : p) { isBad.toggle() }
            return lossRandom.chance(isBad ? lossBad : lossGood)
        }
    }

    /// The time from departure to arrival of the next packet.
    @inline(__always)
    mutating func latency() -> Interval {
        Interval(nanoseconds: jitter == 0 ? delay : variedDelay())
    }

    @inline(never)
    private mutating func variedDelay() -> Int64 {
        let deviation: Double
        switch distribution {
        case .normal: deviation = normal()
        case .uniform: deviation = jitterRandom.unit() * 2 - 1
        // Mean 3/2 and variance 3/4, brought to 0 and 1.
        case .pareto: deviation = (jitterRandom.pareto(shape: 3) - 1.5) * 1.154_700_538_379_251_5
        }
        return max(0, delay &+ (Double(jitter) * deviation).nearestInteger)
    }

    /// A draw from the normal distribution with mean 0 and deviation 1 (Marsaglia's polar method).
    private mutating func normal() -> Double {
        if let spare = spareNormal {
            spareNormal = nil
            return spare
        }
        while true {
            let x = jitterRandom.unit() * 2 - 1
            let y = jitterRandom.unit() * 2 - 1
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            let factor = (-2 * naturalLogarithm(square) / square).squareRoot()
            spareNormal = y * factor
            return x * factor
        }
    }
}
