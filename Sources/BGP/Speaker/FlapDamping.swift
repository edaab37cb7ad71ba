public import Basics
public import Wire

/// How routes of a peer that come and go are kept out of the decision until they stay (RFC 2439).
///
/// Every flap adds to a route's penalty, which halves with time. Above one threshold the
/// route is suppressed, below a lower one it is used again. The parameters are those that
/// RFC 7196 §6 recommends: damping what never comes to rest, and nothing that converges.
public struct FlapDamping: Equatable, Sendable {
    /// For a route that the peer takes back.
    public var withdrawalPenalty = 1_000
    /// For one that it had taken back and tells again.
    public var readvertisementPenalty = 0
    /// For one that it tells again in other words.
    public var changePenalty = 500
    /// Beyond so much a route is suppressed: 6000, or 12 000 for the cautious (RFC 7196 §6).
    public var suppressThreshold = 6_000
    /// At so much it is used again.
    public var reuseThreshold = 750
    /// No penalty is greater (RFC 7196 §6).
    public var maximumPenalty = 50_000
    /// In which time a penalty becomes half of what it was.
    public var halfLife = Interval.seconds(15 * 60)
    /// How long after its last flap a route is used again at the latest.
    public var maximumSuppression = Interval.seconds(60 * 60)

    public init() {}

    /// What is left of a penalty.
    func decayed(_ penalty: Double, after time: Interval) -> Double {
        penalty * naturalExponential(-Self.naturalLogarithmOf2 * time.inSeconds / max(halfLife.inSeconds, 1e-9))
    }

    /// When so much is left of a penalty, in whole seconds, so that many routes wait for the same moment.
    func time(from penalty: Double, to threshold: Double) -> Interval {
        guard penalty > threshold, threshold > 0 else { return .zero }
        let halvings = naturalLogarithm(penalty / threshold) / Self.naturalLogarithmOf2
        let seconds = (halvings * halfLife.inSeconds).rounded(.up)
        return .seconds(Int64(min(seconds, 1e9)))
    }

    private static let naturalLogarithmOf2 = 0.693_147_180_559_945_3
}

/// A route that has flapped, whether it is there at the moment or not.
public struct DampedRoute: Equatable, Sendable {
    public var prefix: IPPrefix
    /// The number that the peer has given the path (RFC 7911 §3).
    public var pathIdentifier: UInt32
    public var penalty: Int
    /// When it is used again at the latest, unless it flaps; nil where it is not suppressed.
    public var suppressedUntil: Instant?
}
