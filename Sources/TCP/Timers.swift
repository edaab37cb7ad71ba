import Basics

/// The deadlines of a connection; one that is not set is never due.
struct Timers: Sendable, BitwiseCopyable {
    /// RFC 6298, or the persist timer where nothing is in flight (RFC 9293 §3.8.6.1).
    var retransmission = Instant.never
    /// The tail loss probe (RFC 8985 §7.2).
    var probe = Instant.never
    /// When the next segment in flight counts as lost (RFC 8985 §6.3).
    var reordering = Instant.never
    var acknowledgment = Instant.never
    var keepalive = Instant.never
    /// The end of TIME-WAIT.
    var closing = Instant.never

    var earliest: Instant {
        min(min(min(retransmission, probe), min(reordering, acknowledgment)), min(keepalive, closing))
    }
}
