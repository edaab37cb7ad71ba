// libm picks its variants by processor, so its results may differ in the last bit
// from machine to machine. These use only the four operations, which IEEE 754 fixes.

/// The natural logarithm of a finite number above 0, the same on every machine, within 1e-15 relative.
public func naturalLogarithm(_ value: Double) -> Double {
    precondition(value > 0 && value.isFinite)
    var exponent = Double(value.exponent)
    var significand = value.significand
    if significand > 1.414_213_562_373_095 {
        significand /= 2
        exponent += 1
    }
    // ln(m) = 2 artanh((m - 1) / (m + 1)), with |argument| at most 0.172.
    let ratio = (significand - 1) / (significand + 1)
    let square = ratio * ratio
    var sum = 0.0
    var odd = 23.0
    while odd >= 1 {
        sum = sum * square + 1 / odd
        odd -= 2
    }
    return 2 * ratio * sum + exponent * 0.693_147_180_559_945_3
}

/// e to the given power, the same on every machine; powers beyond ±700 are clamped.
public func naturalExponential(_ power: Double) -> Double {
    let clamped = max(-700, min(700, power))
    let doublings = (clamped * 1.442_695_040_888_963_4).rounded()
    let rest = clamped - doublings * 0.693_147_180_369_123_8 - doublings * 1.908_214_929_270_587_7e-10
    var sum = 1.0
    var step = 18.0
    while step >= 1 {
        sum = 1 + sum * rest / step
        step -= 1
    }
    return Double(sign: .plus, exponent: Int(doublings), significand: sum)
}
