import Basics

/// What a connection remembers while it finds and repairs losses.
struct Recovery: Sendable {
    /// What the window was before a reduction that may prove needless (RFC 4015).
    struct Undo: Sendable, BitwiseCopyable {
        var window: Int
        var slowStartThreshold: Int
        /// The first segment that was given up.
        var start: Int
        /// The clock of the timestamps option when it was sent again.
        var timestamp: UInt32
    }

    var phase = Connection.Phase.open
    /// The end of what had been sent when the losses were found; its acknowledgment ends the recovery.
    var end = 0
    var startedAt = Instant.zero
    /// What was missing at the last timeout.
    var timedOutAt = -1
    /// ACKs that repeat themselves, where there is no SACK to tell more (RFC 6582).
    var duplicateCount = 0
    var undo: Undo?

    // Proportional rate reduction: RFC 6937 §3.1.
    var deliveredCount = 0
    var sentCount = 0
    var flightAtStart = 1

    // RFC 8985 §6.2 step 4: needless retransmissions widen the reordering window, for 16 recoveries.
    var reorderingMultiplier: Int64 = 1
    var recoveriesToForget = 16
    var duplicateRoundEnd = 0

    /// The end of what had been sent at the tail loss probe (RFC 8985 §7.3).
    var probeEnd: Int?
    var probeWasRetransmission = false
}
