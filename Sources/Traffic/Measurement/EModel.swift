public import Basics

/// The E-model of ITU-T G.107, reduced to delay and loss: how good a call sounds.
///
/// R = 93.2 - Id - Ie,eff; Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3);
/// Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl).
public struct EModel: Equatable, Sendable, BitwiseCopyable {
    /// Ie of the codec (ITU-T G.113 appendix I).
    public var equipmentImpairment: Double
    /// Bpl of the codec (ITU-T G.113 appendix I).
    public var lossRobustness: Double

    public init(equipmentImpairment: Double, lossRobustness: Double) {
        self.equipmentImpairment = equipmentImpairment
        self.lossRobustness = lossRobustness
    }

    /// G.711 with packet loss concealment.
    public static var g711: EModel { EModel(equipmentImpairment: 0, lossRobustness: 25.1) }

    public static var g729A: EModel { EModel(equipmentImpairment: 11, lossRobustness: 19) }

    /// The rating factor R of a call.
    ///
    /// `delay` is from mouth to ear; `burstRatio` is the mean length of the runs of loss
    /// over that of random loss, at least 1.
    public func rating(delay: Interval, loss: Ratio, burstRatio: Double = 1) -> Double {
        let milliseconds = delay.inMilliseconds
        let delayImpairment = 0.024 * milliseconds + 0.11 * max(0, milliseconds - 177.3)
        let percent = loss.fraction * 100
        let robustness = percent / max(1, burstRatio) + lossRobustness
        let lossImpairment = equipmentImpairment + (95 - equipmentImpairment) * percent / robustness
        return 93.2 - delayImpairment - lossImpairment
    }

    /// The mean opinion score that belongs to a rating, 1 to 4.5 (ITU-T G.107 annex B).
    public static func meanOpinionScore(rating: Double) -> Double {
        if rating <= 0 { return 1 }
        if rating >= 100 { return 4.5 }
        let score = 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating)
        // The cubic dips below 1 for ratings under 6.5.
        return max(1, score)
    }

    /// The mean opinion score of a call.
    public func meanOpinionScore(delay: Interval, loss: Ratio, burstRatio: Double = 1) -> Double {
        Self.meanOpinionScore(rating: rating(delay: delay, loss: loss, burstRatio: burstRatio))
    }
}
