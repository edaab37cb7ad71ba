public import Basics
public import Wire

/// The payload of a probe: the sender's clock, the echo of the last probe that it received, and its report.
///
/// Sender and receiver report in one, like RTCP's SR and RR (RFC 3550 §6.4): each end probes
/// on its own schedule, and learns round trip and both directions' loss without an answer being asked for.
public struct ProbePayload: Equatable, Sendable, BitwiseCopyable {
    /// The last probe that came from the other end.
    public struct Echo: Equatable, Sendable, BitwiseCopyable {
        /// The session that sent it: a restarted end must not take its former self's clock for its own.
        public var sessionID: UInt32
        /// The other end's clock as it stood in that probe.
        public var timestamp: UInt64
        /// How long it has been here.
        public var hold: Interval

        public init(sessionID: UInt32, timestamp: UInt64, hold: Interval) {
            self.sessionID = sessionID
            self.timestamp = timestamp
            self.hold = hold
        }
    }

    /// Drawn anew whenever the sender starts.
    public var sessionID: UInt32
    /// Counts probes alone.
    public var sequence: UInt32
    /// The sender's clock in nanoseconds.
    public var timestamp: UInt64
    public var echo: Echo?
    /// What the sender received from the session that ``echo`` names; never without an echo.
    public var report: PathReport?
    /// How many octets of somebody else's follow, which the checksum covers too; nil where there are none.
    public private(set) var attachmentByteCount: Int?

    /// What follows is padding where it is no attachment.
    public static let byteCount = 64
    static let version: UInt8 = 1

    public init(
        sessionID: UInt32, sequence: UInt32, timestamp: UInt64, echo: Echo? = nil, report: PathReport? = nil
    ) {
        self.sessionID = sessionID
        self.sequence = sequence
        self.timestamp = timestamp
        self.echo = echo
        self.report = echo == nil ? nil : report
    }

    /// Reads a payload whose checksum is right; what its flags call absent is skipped.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let payload = try reader.take(Self.byteCount)
        let hasAttachment = payload.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt8.self) & Flag.attachment != 0
        if hasAttachment { attachmentByteCount = bytes.byteCount - Self.byteCount }
        var sum = Checksum()
        sum.add(hasAttachment ? bytes : payload)
        guard sum.value == 0 else { throw .badChecksum }
        var fields = ByteReader(payload)
        let version: UInt8 = try fields.read()
        guard version == Self.version else { throw .unsupported }
        let flags: UInt8 = try fields.read()
        try fields.skip(2)
        sessionID = try fields.read()
        sequence = try fields.read()
        let echoedSession: UInt32 = try fields.read()
        timestamp = try fields.read()
        let echoedTimestamp: UInt64 = try fields.read()
        let hold: UInt64 = try fields.read()
        let hasEcho = flags & Flag.echo != 0
        echo =
            hasEcho
            ? Echo(
                sessionID: echoedSession, timestamp: echoedTimestamp,
                hold: Interval(nanoseconds: Int64(clamping: hold)))
            : nil
        let highestSequence: UInt32 = try fields.read()
        let expected: UInt32 = try fields.read()
        let received: UInt32 = try fields.read()
        let jitter: UInt32 = try fields.read()
        let latency: Int64 = try fields.read()
        report =
            hasEcho && flags & Flag.report != 0
            ? PathReport(
                highestSequence: highestSequence, expected: expected, received: received,
                jitter: Interval(nanoseconds: Int64(jitter)),
                latency: flags & Flag.latency != 0 ? Interval(nanoseconds: latency) : nil)
            : nil
    }

    /// Writes the 64 octets with their checksum, and an attachment behind them where one is given.
    public func append(to arena: inout ByteArena, attachment: RawSpan? = nil) {
        let start = arena.count
        var flags: UInt8 = echo == nil ? 0 : Flag.echo
        if attachment != nil { flags |= Flag.attachment }
        if let report { flags |= Flag.report | (report.latency == nil ? 0 : Flag.latency) }
        let head = UInt32(Self.version) << 24 | UInt32(flags) << 16
        arena.append(UInt64(head) << 32 | UInt64(sessionID))
        arena.append(UInt64(sequence) << 32 | UInt64(echo?.sessionID ?? 0))
        arena.append(timestamp)
        arena.append(echo?.timestamp ?? 0)
        arena.append(UInt64(clamping: echo?.hold.nanoseconds ?? 0))
        arena.append(UInt64(report?.highestSequence ?? 0) << 32 | UInt64(report?.expected ?? 0))
        let jitter = UInt32(clamping: report?.jitter.nanoseconds ?? 0)
        arena.append(UInt64(report?.received ?? 0) << 32 | UInt64(jitter))
        arena.append(report?.latency?.nanoseconds ?? 0)
        if let attachment { arena.append(attachment) }
        var sum = Checksum()
        sum.add(arena.bytes(ByteRange(start: start, count: arena.count - start)))
        arena.patch(sum.value, at: start + 2)
    }

    private enum Flag {
        static let echo: UInt8 = 1
        static let report: UInt8 = 2
        static let latency: UInt8 = 4
        static let attachment: UInt8 = 8
    }
}
