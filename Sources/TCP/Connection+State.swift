public import Basics

extension Connection {
    /// The states of RFC 9293 §3.3.2; a listener is the host's affair.
    public enum State: UInt8, Equatable, Sendable, BitwiseCopyable {
        case closed
        case synchronizeSent
        case synchronizeReceived
        case established
        case finishWait1
        case finishWait2
        case closeWait
        case closing
        case lastAcknowledgment
        case timeWait

        /// Whether queued data and the FIN may be on their way in this state.
        var isSending: Bool {
            switch self {
            case .established, .closeWait, .finishWait1, .closing, .lastAcknowledgment: true
            case .closed, .synchronizeSent, .synchronizeReceived, .finishWait2, .timeWait: false
            }
        }

        /// Whether the other end may still send data.
        var isReceiving: Bool {
            self == .established || self == .finishWait1 || self == .finishWait2
        }
    }

    /// What a connection has done so far, and what it believes of its path.
    public struct Statistics: Sendable, BitwiseCopyable {
        /// With retransmissions and bare ACKs.
        public internal(set) var segmentsSent: UInt64 = 0
        /// With those that were refused.
        public internal(set) var segmentsReceived: UInt64 = 0
        /// Payload sent for the first time.
        public internal(set) var bytesSent: UInt64 = 0
        /// Payload that the other end has acknowledged cumulatively.
        public internal(set) var bytesAcknowledged: UInt64 = 0
        /// Payload handed to the application.
        public internal(set) var bytesDelivered: UInt64 = 0
        /// Segments sent again, handshake and probes included.
        public internal(set) var retransmittedSegments: UInt64 = 0
        /// Payload sent again.
        public internal(set) var retransmittedBytes: UInt64 = 0
        /// Retransmission timeouts, those of the handshake included.
        public internal(set) var timeouts: UInt64 = 0
        /// Times that losses were found by ACKs.
        public internal(set) var fastRecoveries: UInt64 = 0
        /// RFC 8985 §7.
        public internal(set) var tailLossProbes: UInt64 = 0
        /// Reductions taken back because the original had arrived after all (RFC 4015).
        public internal(set) var spuriousRecoveries: UInt64 = 0
        /// RFC 5961.
        public internal(set) var challengeAcknowledgments: UInt64 = 0
        /// Segments refused for their old timestamp (RFC 7323 §5).
        public internal(set) var oldTimestamps: UInt64 = 0
        /// Segments that came ahead of their turn.
        public internal(set) var outOfOrderSegments: UInt64 = 0
        /// Nil before the first measurement.
        public internal(set) var smoothedRoundTrip: Interval?
        /// The fastest answer of the last minute, or nil before the first measurement.
        public internal(set) var minimumRoundTrip: Interval?
        /// The timeout with its doublings.
        public internal(set) var retransmissionTimeout = Interval.zero
        /// In bytes.
        public internal(set) var congestionWindow = 0
        /// In bytes; the largest number before the first loss.
        public internal(set) var slowStartThreshold = Int.max
        /// What is believed to be in the network: neither acknowledged nor lost.
        public internal(set) var bytesInFlight = 0
        /// What the other end is ready to take beyond what it has acknowledged.
        public internal(set) var sendWindow = 0
        /// The most payload that a segment carries.
        public internal(set) var segmentSize = 0
        /// What is held out of order for want of a segment in front of it.
        public internal(set) var reassemblyByteCount = 0

        /// Counts of a connection that has done nothing.
        public init() {}
    }
}
