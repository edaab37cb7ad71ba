import Basics

/// The instants of a flood's packets.
///
/// Each instant follows from all that was sent so far, not from the instant before it, so
/// that rounding never adds up.
struct FloodPace: Sendable, BitwiseCopyable {
    private let start: Instant
    /// Packets or bits.
    private let unitsPerSecond: UInt64
    private let countsBits: Bool
    private var units: UInt64 = 0
    private var random: SeededRandom
    /// When the next packet is due; `never` where there is none.
    private(set) var next: Instant

    init(_ rate: FloodRate, start: Instant, random: SeededRandom) {
        self.start = start
        self.random = random
        switch rate {
        case .packets(let rate): (unitsPerSecond, countsBits) = (rate.packetsPerSecond, false)
        case .bits(let rate): (unitsPerSecond, countsBits) = (rate.bitsPerSecond, true)
        }
        next = unitsPerSecond > 0 ? start : .never
    }

    /// A packet of that size has been sent.
    mutating func advance(byteCount: Int) {
        let step = countsBits ? UInt64(max(1, byteCount)) &* 8 : 1
        units &+= step
        guard let elapsed = time(for: units), let gap = time(for: step) else {
            next = .never
            return
        }
        next = start + Interval(nanoseconds: Int64(elapsed &+ random.below(gap / 4 &+ 1)))
    }

    /// How long so many units take, in nanoseconds; nil where that is beyond all time.
    private func time(for units: UInt64) -> UInt64? {
        let product = units.multipliedFullWidth(by: 1_000_000_000)
        guard product.high < unitsPerSecond else { return nil }
        let time = unitsPerSecond.dividingFullWidth(product).quotient
        return time < UInt64(Int64.max) / 2 ? time : nil
    }
}
