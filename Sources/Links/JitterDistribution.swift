/// How the delay of a link varies around its mean.
public enum JitterDistribution: Equatable, Sendable, BitwiseCopyable {
    /// The jitter is the standard deviation.
    case normal
    /// Evenly from `delay - jitter` to `delay + jitter`.
    case uniform
    /// The jitter is the standard deviation, the shape is 3: seldom far late, never early by more than 0.58 of it.
    case pareto
}
