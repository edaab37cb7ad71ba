import Basics

/// One segment that was sent and is not yet acknowledged; a FIN counts as a byte.
struct SentSegment: Sendable, BitwiseCopyable {
    enum Status: UInt8, Sendable, BitwiseCopyable {
        case inFlight
        case lost
        case selectivelyAcknowledged
    }

    var start: Int
    var end: Int
    var sentAt: Instant
    /// Counts all sendings, because many may share an instant.
    var order: Int
    /// The neighbours in the list of its status, by number.
    var previous = -1
    var next = -1
    var status = Status.inFlight
    var wasRetransmitted = false

    var byteCount: Int { end &- start }
}

/// What one arriving ACK has told about segments: which were delivered, and when the clean ones had been sent.
struct Delivery: BitwiseCopyable {
    let now: Instant
    /// No retransmission can have been answered faster than this.
    let minimumRoundTrip: Interval
    /// What was sent from here on is not what the echoed timestamp answers.
    let answeredBefore: Instant
    var byteCount = 0
    var segmentCount = 0
    /// Of segments sent only once (Karn's rule): the earliest, and the latest.
    var oldestCleanSending: Instant = .never
    var newestCleanSending: Instant?
    var coversRetransmission = false
}
