public import Basics

/// The deadlines of a connection; one that is not set is never due.
@usableFromInline
struct Timers: Sendable, BitwiseCopyable {
    /// RFC 6298, or the persist timer where nothing is in flight (RFC 9293 §3.8.6.1).
    @usableFromInline var retransmission = Instant.never
    /// The tail loss probe (RFC 8985 §7.2).
    @usableFromInline var probe = Instant.never
    /// When the next segment in flight counts as lost (RFC 8985 §6.3).
    @usableFromInline var reordering = Instant.never
    @usableFromInline var acknowledgment = Instant.never
    @usableFromInline var keepalive = Instant.never
    /// The end of TIME-WAIT.
    @usableFromInline var closing = Instant.never

    @inlinable var earliest: Instant {
        min(min(min(retransmission, probe), min(reordering, acknowledgment)), min(keepalive, closing))
    }
}
