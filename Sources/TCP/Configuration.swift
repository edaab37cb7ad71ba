public import Basics

/// Which algorithm moves the congestion window once slow start has ended.
public enum CongestionAlgorithm: UInt8, Sendable, BitwiseCopyable {
    /// RFC 9438.
    case cubic
    /// RFC 5681 and 6582.
    case newReno
}

/// When and how often an idle connection asks whether the other end still lives (RFC 9293 §3.8.4).
public struct Keepalive: Equatable, Sendable, BitwiseCopyable {
    /// How long nothing must have arrived before the first probe.
    public var idleTime = Interval.seconds(7_200)
    /// How long each probe is waited for.
    public var probeInterval = Interval.seconds(75)
    /// How many probes in a row may stay unanswered.
    public var probeCount = 9

    /// The values of RFC 9293 §3.8.4, as far as it gives any, and else of Linux.
    public init() {}
}

extension Connection {
    /// What a host may choose for a connection; the defaults are those of Linux where the RFCs leave a choice.
    public struct Configuration: Sendable {
        /// How many bytes may wait to be acknowledged.
        public var sendBufferByteCount = 4 << 20
        /// How many bytes may wait to be put in order or to be consumed: the largest window offered.
        public var receiveBufferByteCount = 6 << 20
        /// The largest IP packet that the first hop carries.
        public var pathMTU = 1_500
        /// CUBIC, unless something else is wanted.
        public var congestionAlgorithm = CongestionAlgorithm.cubic
        /// How much is sent before the first ACK (RFC 6928).
        public var initialWindowSegmentCount = 10
        /// Sends small segments at once, without Nagle's algorithm (RFC 9293 §3.7.4).
        ///
        /// On by default, other than Linux has it: the traffic sources write whole messages, and the wait for an
        /// ACK would only distort what is measured.
        public var noDelay = true
        /// Windows beyond 64 KiB (RFC 7323 §2), if the other end offers them too.
        public var offersWindowScale = true
        /// RFC 7323 §3, if the other end offers them too.
        public var offersTimestamps = true
        /// RFC 2018, if the other end offers them too; tail loss probes need them.
        public var offersSelectiveAcknowledgments = true
        /// Delivered bytes keep the window closed until ``Connection/consumed(_:at:into:)`` gives them back.
        public var consumesExplicitly = false
        /// The longest wait of an ACK for company (RFC 9293 §3.8.6.3).
        public var acknowledgmentDelay = Interval.milliseconds(40)
        /// The timeout before the first measurement (RFC 6298 §2).
        public var initialRetransmissionTimeout = Interval.seconds(1)
        /// The least allowance for variation in a timeout, so that none is shorter than this.
        ///
        /// RFC 6298 asks for a whole second; 200 ms, added to the round trip, is what Linux does.
        public var minimumRetransmissionTimeout = Interval.milliseconds(200)
        /// Where doubling ends (RFC 6298 §2.5).
        public var maximumRetransmissionTimeout = Interval.seconds(120)
        /// How long an unanswered SYN is repeated: six times.
        public var connectTimeout = Interval.seconds(127)
        /// How long sent data may stay unacknowledged (R2 of RFC 9293 §3.8.3).
        public var userTimeout = Interval.seconds(300)
        /// Twice the segment lifetime (RFC 9293 §3.4.2); the RFC's four minutes are cut as Linux cuts them.
        public var timeWaitDuration = Interval.seconds(60)
        /// Nil sends no keepalive probes.
        public var keepalive: Keepalive?
        /// Added to the clock of the timestamps option, so that it says nothing of the host's age (RFC 7323 §5.4).
        public var timestampOffset: UInt32 = 0

        /// The defaults.
        public init() {}
    }
}
