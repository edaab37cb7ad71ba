public import Basics

/// The fixed header of RTP without contributing sources (RFC 3550 §5.1).
public struct RTPHeader: Equatable, Sendable, BitwiseCopyable {
    public var isMarked: Bool
    /// 0 is G.711 µ-law (RFC 3551 §6).
    public var payloadType: UInt8
    public var sequence: UInt16
    public var timestamp: UInt32
    public var synchronizationSource: UInt32

    public static let byteCount = 12

    public init(
        isMarked: Bool = false, payloadType: UInt8, sequence: UInt16, timestamp: UInt32, synchronizationSource: UInt32
    ) {
        self.isMarked = isMarked
        self.payloadType = payloadType
        self.sequence = sequence
        self.timestamp = timestamp
        self.synchronizationSource = synchronizationSource
    }

    /// Appends the octets as they go on the wire.
    public func append(to arena: inout ByteArena) {
        let first = 0x8000_0000 | (isMarked ? 0x80_0000 : 0) | UInt32(payloadType & 0x7F) << 16 | UInt32(sequence)
        let words: InlineArray<3, UInt32> = [
            first.bigEndian, timestamp.bigEndian, synchronizationSource.bigEndian,
        ]
        arena.append(words.span.bytes)
    }
}
