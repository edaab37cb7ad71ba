import Basics

/// The growth of CUBIC, in segments and seconds (RFC 9438 §4).
///
/// Only the four operations are used, whose results IEEE 754 fixes: a run is the same on every machine.
struct CubicCurve: Sendable {
    /// How much of the window a loss leaves (β).
    static let decrease = 0.7
    /// The steepness (C), in segments per second cubed.
    static let steepness = 0.4
    /// The least growth in a round trip while no loss has said where the plateau is, as Linux has it: a twentieth.
    static let searchGrowth = 0.05

    /// The window before the last loss, or less where it had not recovered from the one before (W_max).
    private var plateau = 0.0
    /// The window at the last reduction (cwnd_prior).
    private var windowBeforeLoss = 0.0
    private var epochStart: Instant?
    /// How long the curve takes to the plateau (K).
    private var plateauDelay = 0.0
    /// The window of a Reno with the same average (W_est).
    private var renoWindow = 0.0

    /// Starts the curve anew at the next growth, from the window as it is then.
    mutating func endEpoch() {
        epochStart = nil
    }

    /// Notes a loss at this window and gives the window it leaves, with fast convergence (§4.6, §4.7).
    mutating func reduce(_ window: Double) -> Double {
        epochStart = nil
        plateau = window < plateau ? window * (1 + Self.decrease) / 2 : window
        windowBeforeLoss = window
        return window * Self.decrease
    }

    /// The window after an ACK for so many segments.
    mutating func grown(
        from window: Double, acknowledged: Double, roundTrip: Interval, at now: Instant
    ) -> Double {
        let start = epochStart ?? beginEpoch(at: now, window: window)
        let elapsed = (now - start).inSeconds
        let beyond = elapsed + roundTrip.inSeconds - plateauDelay
        let curve = Self.steepness * beyond * beyond * beyond + plateau
        let target = max(window, min(curve, 1.5 * window))
        let reno = renoWindow >= windowBeforeLoss ? 1 : 3 * (1 - Self.decrease) / (1 + Self.decrease)
        renoWindow += reno * acknowledged / window
        let least = window + (windowBeforeLoss == 0 ? Self.searchGrowth * acknowledged : 0)
        let present = elapsed - plateauDelay
        if Self.steepness * present * present * present + plateau < renoWindow {
            return max(least, renoWindow)
        }
        return max(least, window + (target - window) / window * acknowledged)
    }

    private mutating func beginEpoch(at now: Instant, window: Double) -> Instant {
        epochStart = now
        renoWindow = window
        if window < plateau {
            plateauDelay = cubeRoot((plateau - window) / Self.steepness)
        } else {
            plateauDelay = 0
            plateau = window
        }
        return now
    }
}

/// The cube root of a number from 0 on, by Newton's method.
func cubeRoot(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    // A third of the exponent starts within a factor of two of the root.
    var root = Double(sign: .plus, exponent: Int(value.exponent) / 3, significand: 1)
    for _ in 0..<8 { root -= (root - value / (root * root)) / 3 }
    return root
}
