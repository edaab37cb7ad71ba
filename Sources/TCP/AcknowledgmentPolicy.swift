import Basics

/// When an ACK is due: at once, or with the next one or the timer (RFC 9293 §3.8.6.3, RFC 5681 §4.2).
struct AcknowledgmentPolicy: Sendable {
    /// A sender in its first slow start lives on ACKs, so the first segments get one each.
    static let quickCount = 16

    var isDueNow = false
    /// Segments with data since the last ACK.
    var waitingSegments = 0
    var quickRemaining = quickCount
    /// Last.ACK.sent of RFC 7323 §4.3.
    var lastSent = 0
    /// Data that came twice, to be reported once (RFC 2883).
    var duplicate: Extent?
    private var challengeSecond: UInt64 = 0
    private var challengesInSecond = 0

    /// Notes a segment that was delivered in order.
    mutating func noteInOrder() {
        waitingSegments += 1
        if quickRemaining > 0 {
            quickRemaining -= 1
            isDueNow = true
        } else if waitingSegments >= 2 {
            isDueNow = true
        }
    }

    mutating func noteSent(_ offset: Int) {
        isDueNow = false
        waitingSegments = 0
        lastSent = offset
    }

    /// Whether one more ACK may go out that a stranger could have provoked: ten a second (RFC 5961 §7).
    mutating func allowsChallenge(at now: Instant) -> Bool {
        let second = now.nanoseconds / 1_000_000_000
        if second != challengeSecond {
            challengeSecond = second
            challengesInSecond = 0
        }
        challengesInSecond += 1
        return challengesInSecond <= 10
    }
}
