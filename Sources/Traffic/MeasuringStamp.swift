public import Basics
import Wire

/// What a datagram says of itself to the meter at the other end, 16 octets big-endian.
///
/// A datagram of 8 to 15 octets carries the flow and the sequence alone, a shorter one nothing.
public struct MeasuringStamp: Equatable, Sendable, BitwiseCopyable {
    /// The flow's number in the run.
    public var flow: UInt32
    public var sequence: UInt32
    /// When the datagram left; nil in a short stamp.
    public var sentAt: Instant?

    public static let byteCount = 16
    public static let shortByteCount = 8

    public init(flow: UInt32, sequence: UInt32, sentAt: Instant?) {
        self.flow = flow
        self.sequence = sequence
        self.sentAt = sentAt
    }

    /// The stamp of a payload, or nil where it is too short for one.
    @inlinable
    public init?(parsing payload: RawSpan, placement: StampPlacement) {
        let byteCount = placement.stampByteCount(payload.byteCount)
        guard byteCount > 0 else { return nil }
        let offset = placement.offset(payload.byteCount)
        flow = UInt32(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        sequence = UInt32(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: offset &+ 4, as: UInt32.self))
        if byteCount == Self.byteCount {
            let time = UInt64(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
            sentAt = Instant(nanoseconds: time)
        } else {
            sentAt = nil
        }
    }

    /// Writes the first `byteCount` octets, which are all, the short form's, or none.
    func append(_ byteCount: Int = MeasuringStamp.byteCount, to arena: inout ByteArena) {
        let words: InlineArray<2, UInt64> = [
            (UInt64(flow) << 32 | UInt64(sequence)).bigEndian, (sentAt?.nanoseconds ?? 0).bigEndian,
        ]
        arena.append(words.span.bytes.extracting(0..<byteCount))
    }
}

/// Where in a payload the stamp lies.
public enum StampPlacement: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case leading
    /// Behind the fixed header of RTP (RFC 3550 §5.1).
    case behindRTP
    /// At the end, so that a replayed payload keeps the octets by which it is recognised.
    case trailing

    /// How many octets of stamp a payload of that size carries.
    @inlinable
    public func stampByteCount(_ payloadByteCount: Int) -> Int {
        let room = self == .behindRTP ? payloadByteCount &- RTPHeader.byteCount : payloadByteCount
        if room >= MeasuringStamp.byteCount { return MeasuringStamp.byteCount }
        return room >= MeasuringStamp.shortByteCount ? MeasuringStamp.shortByteCount : 0
    }

    /// Where the stamp begins in a payload of that size.
    @inlinable
    public func offset(_ payloadByteCount: Int) -> Int {
        switch self {
        case .leading: 0
        case .behindRTP: RTPHeader.byteCount
        case .trailing: payloadByteCount &- stampByteCount(payloadByteCount)
        }
    }
}
