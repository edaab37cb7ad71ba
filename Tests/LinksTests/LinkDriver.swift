import Basics
import Links

/// One outcome with the instant at which the link said it was due.
struct Happening: Equatable {
    var at: Instant
    var outcome: Link.Outcome

    var deliveredToken: UInt32? {
        if case .delivered(let token, _) = outcome { token } else { nil }
    }
}

extension Link {
    /// Takes out everything due by `end`, as a host in virtual time does.
    mutating func drain(until end: Instant = .never) -> [Happening] {
        var happenings: [Happening] = []
        while let due = nextDue, due <= end {
            guard let outcome = next(at: due) else { continue }
            happenings.append(Happening(at: due, outcome: outcome))
        }
        return happenings
    }

    /// Offers packets of one size at a fixed pace from instant 0, numbered as their tokens, and takes out everything.
    mutating func run(count: Int, byteCount: UInt32, every gap: Interval) -> [Happening] {
        var happenings: [Happening] = []
        for index in 0..<count {
            let now = Instant.zero + gap * Int64(index)
            happenings += drain(until: now)
            _ = offer(QueuedPacket(token: UInt32(index), byteCount: byteCount), at: now)
        }
        return happenings + drain()
    }
}

extension Instant {
    static func nanoseconds(_ count: UInt64) -> Instant { Instant(nanoseconds: count) }
    static func microseconds(_ count: UInt64) -> Instant { Instant(nanoseconds: count * 1_000) }
    static func milliseconds(_ count: UInt64) -> Instant { Instant(nanoseconds: count * 1_000_000) }
}

/// Whether `count` of `total` lies in the binomial 99 % interval around `probability`.
func isWithinBinomialInterval(_ count: Int, of total: Int, probability: Double) -> Bool {
    let mean = Double(total) * probability
    let deviation = (mean * (1 - probability)).squareRoot()
    return abs(Double(count) - mean) <= 2.576 * deviation
}

func testRandom(_ name: String = "link") -> SeededRandom { SeededRandom(seed: 42, stream: name) }
