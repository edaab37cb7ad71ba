import Basics

/// What is thought of one path for one SLA class: its score, and whether flows may use it.
///
/// A path fails when its tunnel goes down or its class is violated. From then on it is
/// held back until it has been good for the failback delay without a break.
struct PathVerdict: Sendable, BitwiseCopyable {
    private(set) var score = PathScore.unknown
    private(set) var isHeldBack = false
    private(set) var isViolated = false
    private var violations = 0
    private var goodSince: Instant?
    /// Whether the path has been good since its last failure; until then further trouble is the same failure.
    private var hasRecovered = true
    /// The last failure, or the return from it.
    private var lastTrouble: Instant?
    private var doublings: Int64 = 0

    /// When the path may be used again, if it stays as good as it is.
    func returnInstant(_ rules: Steering.Rules) -> Instant {
        guard isHeldBack, let goodSince else { return .never }
        let longest = max(rules.longestFailbackDelay, rules.failbackDelay)
        return goodSince + min(rules.failbackDelay * (1 << doublings), longest)
    }

    /// Whether it leads to the same choice as another.
    func ranksLike(_ other: PathVerdict) -> Bool {
        score == other.score && isHeldBack == other.isHeldBack && isViolated == other.isViolated
    }

    mutating func tunnelWentDown(at now: Instant, _ rules: Steering.Rules) {
        fail(at: now, rules)
        isViolated = false
        violations = 0
        score = .unknown
    }

    mutating func evaluate(_ score: PathScore, at now: Instant, _ rules: Steering.Rules) {
        self.score = score
        violations = score < rules.leaveBelow ? violations + 1 : 0
        if violations >= rules.violationCount, !isViolated {
            isViolated = true
            fail(at: now, rules)
        }
        guard isHeldBack else { return }
        if score > rules.returnAbove {
            goodSince = goodSince ?? now
            hasRecovered = true
        } else {
            goodSince = nil
        }
    }

    /// Takes the path back into use where it has been good for long enough.
    mutating func returnIfDue(at now: Instant, _ rules: Steering.Rules) -> Bool {
        guard returnInstant(rules) <= now else { return false }
        isHeldBack = false
        isViolated = false
        goodSince = nil
        lastTrouble = now
        return true
    }

    private mutating func fail(at now: Instant, _ rules: Steering.Rules) {
        if hasRecovered {
            let isRepeated = lastTrouble.map { now - $0 <= rules.flapWindow } ?? false
            doublings = isRepeated ? min(doublings + 1, 16) : 0
            hasRecovered = false
        }
        lastTrouble = now
        isHeldBack = true
        goodSince = nil
    }
}
