public import Basics

/// How a link loses packets once they have left its queue.
public enum LossModel: Equatable, Sendable {
    case none
    /// Each packet is lost with this probability, whatever happened to the others.
    case bernoulli(Ratio)
    /// Losses come in bursts: a chain of two states moves before each packet, from good to bad with
    /// probability `p`, back with `r`, and the packet is lost with the probability of the state it meets.
    ///
    /// Gilbert 1960 and Elliott 1963, as `tc-netem`'s `gemodel` has it (`lossBad` is its 1-h, `lossGood` its 1-k).
    case gilbertElliott(p: Ratio, r: Ratio, lossBad: Ratio = .one, lossGood: Ratio = .zero)

    /// The share of packets lost in the long run.
    public var mean: Ratio {
        switch self {
        case .none: .zero
        case .bernoulli(let loss): loss
        case .gilbertElliott(let p, let r, let lossBad, let lossGood):
            p.fraction + r.fraction == 0
                ? lossGood
                : Ratio(
                    (p.fraction * lossBad.fraction + r.fraction * lossGood.fraction) / (p.fraction + r.fraction))
        }
    }
}
