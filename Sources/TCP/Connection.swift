// TCP without input or output (RFC 9293): one connection is a value that is handed segments, octets to send and
// instants, and leaves segments, octets received and tidings in an `Output`. Addresses, demultiplexing, initial
// sequence numbers and the IP header are the host's; so is verifying the checksum, for which there is
// `TCPHeader.isIntact`, and the answer to segments of no connection, `Connection.appendReset`.
//
// The way in is `receive`, the way out `transmit`, which sends whatever the windows allow, lost segments first.
// Inside, sequence numbers are offsets from the initial one and never wrap (`SequenceSpace`). What is known of each
// segment in flight is the `Scoreboard`'s; when it is lost is decided as RFC 8985 does (RACK), how much may be sent
// meanwhile as RFC 6937 does (proportional rate reduction), and the window outside recovery is `CongestionControl`'s.
//
// A connection is a kilobyte, so it is never copied, only looked at where it lies.
//
// Spoken here: RFC 9293, 2018, 2883, 3042, 4015, 5681, 5961, 6298, 6582, 6675, 6928, 6937, 7323, 8985, 9438.

public import Basics
public import Wire

/// One end of a TCP connection.
public struct Connection: ~Copyable, Sendable {
    private let pinned = Pinned()
    /// What is going on about losses.
    enum Phase: UInt8, Sendable, BitwiseCopyable {
        case open
        /// Fast recovery.
        case recovery
        /// After a retransmission timeout.
        case timeout
    }

    /// The address and port of this end.
    public let local: SocketAddress
    /// The address and port of the other end.
    public let remote: SocketAddress
    let configuration: Configuration
    /// Where in its life the connection is.
    public internal(set) var state: State
    /// The pseudo-header's share of every checksum.
    let pseudoHeaderSum: UInt64
    let isPassive: Bool
    @usableFromInline var timers = Timers()
    var counts = Statistics()

    // Sending: RFC 9293 §3.3.1.
    var sendSpace: SequenceSpace
    /// SND.UNA.
    var unacknowledged = 0
    /// SND.NXT.
    var nextToSend = 1
    /// SND.UNA + SND.WND.
    var sendWindowEdge = 1
    var largestSendWindow = 0
    /// SND.WL1.
    var windowUpdateSequence = 0
    /// SND.WL2.
    var windowUpdateAcknowledgment = 0
    var sendWindowScale: UInt8 = 0
    /// The most payload that a segment carries beside a timestamps option.
    var segmentSize = 536
    var peerSegmentSize = 536
    var pathMTU: Int
    var sendBuffer: SendBuffer
    var finishRequested = false
    /// A write came up short, so room has to be announced.
    var awaitsRoom = false
    var lastSending = Instant.zero
    /// Since when the oldest unanswered thing has been unanswered.
    var waitingSince = Instant.zero
    /// A window too small for good manners has been waited for long enough (RFC 9293 §3.8.6.2.1).
    var isOverdue = false
    var handshakeRetransmissions = 0

    // Losses.
    var scoreboard = Scoreboard()
    var estimator: RoundTripEstimator
    var congestion: CongestionControl
    var recovery = Recovery()

    // Receiving.
    var receiveSpace = SequenceSpace(initial: 0)
    /// RCV.NXT.
    var nextToReceive = 0
    /// RCV.NXT + RCV.WND, which never moves back.
    var receiveWindowEdge = 0
    var receiveWindowScale: UInt8 = 0
    var reassembly = Reassembly()
    /// Where the other end's FIN stands.
    var peerFinish: Int?
    var consumesExplicitly: Bool
    /// What was delivered and not yet given back, while the application consumes explicitly.
    public internal(set) var unconsumedByteCount = 0
    var acknowledgment = AcknowledgmentPolicy()

    // Options.
    var usesWindowScale = false
    var usesTimestamps = false
    var usesSelectiveAcknowledgments = false
    /// TS.Recent, and when it was taken.
    var recentTimestamp: UInt32 = 0
    var recentTimestampAt = Instant.zero
    var unansweredKeepalives = 0
    var lastArrival = Instant.zero

    private init(
        _ local: SocketAddress, _ remote: SocketAddress, _ configuration: Configuration, state: State,
        initialSequence: UInt32
    ) {
        self.local = local
        self.remote = remote
        self.configuration = configuration
        self.state = state
        isPassive = state == .synchronizeReceived
        sendSpace = SequenceSpace(initial: initialSequence)
        pathMTU = configuration.pathMTU
        sendBuffer = SendBuffer(capacity: max(1, configuration.sendBufferByteCount))
        estimator = RoundTripEstimator(configuration)
        congestion = CongestionControl(configuration.congestionAlgorithm, segmentSize: 536, initialWindow: 536)
        consumesExplicitly = configuration.consumesExplicitly
        pseudoHeaderSum = Self.pseudoHeaderSum(local.address, remote.address)
        if configuration.offersWindowScale {
            while receiveWindowScale < 14, configuration.receiveBufferByteCount >> Int(receiveWindowScale) > 0xFFFF {
                receiveWindowScale += 1
            }
        }
    }

    /// Opens a connection: sends the SYN.
    public init(
        connectingFrom local: SocketAddress, to remote: SocketAddress, configuration: Configuration = Configuration(),
        initialSequence: UInt32, at now: Instant, into output: inout Output
    ) {
        self.init(local, remote, configuration, state: .synchronizeSent, initialSequence: initialSequence)
        beginHandshake(at: now, into: &output)
    }

    /// Answers a SYN that came to a listener: sends the SYN with its ACK.
    ///
    /// Data in the SYN is not taken; it comes again.
    public init(
        accepting synchronization: TCPHeader, at local: SocketAddress, from remote: SocketAddress,
        configuration: Configuration = Configuration(), initialSequence: UInt32, at now: Instant,
        into output: inout Output
    ) {
        self.init(local, remote, configuration, state: .synchronizeReceived, initialSequence: initialSequence)
        counts.segmentsReceived = 1
        takeSynchronization(synchronization, at: now)
        beginHandshake(at: now, into: &output)
    }

    // MARK: - Queries

    /// When ``wake(at:into:)`` has to be called at the latest.
    @inlinable
    public var nextDeadline: Instant? {
        let earliest = timers.earliest
        return earliest == .never ? nil : earliest
    }

    /// Whether the host may forget the connection; TIME-WAIT has passed.
    @inlinable
    public var isClosed: Bool { state == .closed }

    /// How much ``write(_:at:into:)`` would take.
    public var writableByteCount: Int { canWrite ? sendBuffer.room : 0 }

    /// What was written and is not yet acknowledged.
    public var unacknowledgedByteCount: Int { sendBuffer.held.byteCount }

    /// What was written and has not been sent for the first time.
    public var unsentByteCount: Int { max(0, sendBuffer.end - nextToSend) }

    var canWrite: Bool {
        guard !finishRequested else { return false }
        switch state {
        case .synchronizeSent, .synchronizeReceived, .established, .closeWait: return true
        case .closed, .finishWait1, .finishWait2, .closing, .lastAcknowledgment, .timeWait: return false
        }
    }

    /// What was counted, and what is believed of the path.
    public var statistics: Statistics {
        var statistics = counts
        statistics.smoothedRoundTrip = estimator.smoothed
        statistics.minimumRoundTrip = estimator.minimum
        statistics.retransmissionTimeout = estimator.backedOffTimeout
        statistics.congestionWindow = congestion.window
        statistics.slowStartThreshold = congestion.slowStartThreshold
        statistics.bytesInFlight = pipe
        statistics.sendWindow = max(0, sendWindowEdge - unacknowledged)
        statistics.segmentSize = segmentSize
        statistics.reassemblyByteCount = reassembly.byteCount
        return statistics
    }

    /// Whether a SYN may take over the four-tuple of this connection, which is in TIME-WAIT (RFC 6191).
    public func yields(to synchronization: TCPHeader) -> Bool {
        guard state == .timeWait, synchronization.flags.contains(.synchronize),
            !synchronization.flags.contains(.acknowledge), !synchronization.flags.contains(.reset)
        else { return false }
        if usesTimestamps, let timestamps = synchronization.timestamps, timestamps.value != recentTimestamp {
            return !timestamps.value.isBefore(recentTimestamp)
        }
        return receiveSpace.offset(of: synchronization.sequence, near: nextToReceive) >= nextToReceive
    }

    // MARK: - Ends

    /// Ends the connection for the application, and for the host unless it goes on in TIME-WAIT.
    mutating func close(_ cause: ClosureCause, into output: inout Output) {
        discard()
        output.append(.closed(cause))
    }

    /// Ends the connection for the host, and lets go of its buffers.
    mutating func discard() {
        state = .closed
        timers = Timers()
        sendBuffer.discard()
        scoreboard = Scoreboard()
        reassembly = Reassembly()
    }
}

extension UInt32 {
    /// Whether a number on the wire comes before another one, however they wrap.
    func isBefore(_ other: UInt32) -> Bool {
        Int32(bitPattern: self &- other) < 0
    }
}
