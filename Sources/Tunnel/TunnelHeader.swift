public import Basics
public import Wire

/// Everything in front of a tunnel's payload: the GENEVE header and the options that every packet of ours has.
///
/// The path option's checksum covers the header, all options and the payload's length.
/// The outer UDP checksum may be 0 over IPv4 (RFC 8926 §3.3), and without one a flipped
/// bit would be counted as loss, or as latency, of the path.
public struct TunnelHeader: Equatable, Sendable, BitwiseCopyable {
    public var geneve: GeneveHeader
    public var path: PathOption

    /// The size of the header that this end writes; one that it reads may have more options.
    public static let byteCount = GeneveHeader.byteCount + PathOption.byteCount

    @inlinable
    public init(tunnelNumber: UInt32, protocolType: UInt16, isControl: Bool = false, path: PathOption) {
        geneve = GeneveHeader(
            tunnelNumber: tunnelNumber, protocolType: protocolType, optionsByteCount: PathOption.byteCount,
            isControl: isControl)
        self.path = path
    }

    /// Where the payload starts.
    @inlinable
    public var payloadOffset: Int { GeneveHeader.byteCount &+ geneve.optionsByteCount }

    /// Writes the header with its checksum; a payload of so many bytes must follow.
    @inline(__always)
    public func append(to arena: inout ByteArena, payloadByteCount: Int) {
        let first = geneve.bits
        let second = UInt64(PathOption.headerBits) << 32 | UInt64(path.sequence)
        let third = UInt64(path.timestamp) << 32 | UInt64(path.flags.rawValue) << 24
        let checksum = Self.sum(first, second, third, payloadByteCount: payloadByteCount).value
        let words: InlineArray<3, UInt64> = [
            first.bigEndian, second.bigEndian, (third | UInt64(checksum)).bigEndian,
        ]
        arena.append(words.span.bytes)
    }

    /// Reads a header with a path option whose checksum is right.
    @inline(__always)
    public init(parsing datagram: RawSpan) throws(WireError) {
        guard datagram.byteCount >= Self.byteCount else {
            throw .truncated(needed: Self.byteCount, available: datagram.byteCount)
        }
        let first = Self.word(of: datagram, at: 0)
        let second = Self.word(of: datagram, at: 8)
        guard first >> 56 == PathOption.byteCount / 4, second >> 32 == PathOption.headerBits else {
            self = try Self.parsingOptions(of: datagram)
            return
        }
        let third = Self.word(of: datagram, at: 16)
        let payloadByteCount = datagram.byteCount &- Self.byteCount
        guard Self.sum(first, second, third, payloadByteCount: payloadByteCount).value == 0 else {
            throw .badChecksum
        }
        geneve = GeneveHeader(bits: first)
        path = Self.pathOption(sequence: UInt32(truncatingIfNeeded: second), rest: third)
    }

    /// Reads a header whose options are not the path option alone.
    @inline(never)
    private static func parsingOptions(of datagram: RawSpan) throws(WireError) -> TunnelHeader {
        let geneve = try GeneveHeader(parsing: datagram)
        let payloadOffset = GeneveHeader.byteCount + geneve.optionsByteCount
        var options = ByteReader(datagram.extracting(GeneveHeader.byteCount..<payloadOffset))
        var path: PathOption?
        while options.remaining > 0 {
            let header: UInt32 = try options.read()
            if header == PathOption.headerBits, path == nil {
                let sequence: UInt32 = try options.read()
                path = pathOption(sequence: sequence, rest: try options.read())
                continue
            }
            // The type's highest bit marks an option that must be understood (RFC 8926 §3.5).
            guard header >> 15 & 1 == 0 else { throw .unsupported }
            try options.skip(Int(header & 0x1F) * 4)
        }
        guard let path else { throw .unsupported }
        var sum = Checksum()
        sum.add(datagram.extracting(0..<payloadOffset))
        sum.add(UInt32(truncatingIfNeeded: datagram.byteCount - payloadOffset))
        guard sum.value == 0 else { throw .badChecksum }
        return TunnelHeader(geneve: geneve, path: path)
    }

    @inlinable
    init(geneve: GeneveHeader, path: PathOption) {
        self.geneve = geneve
        self.path = path
    }

    @inline(__always)
    private static func pathOption(sequence: UInt32, rest: UInt64) -> PathOption {
        PathOption(
            sequence: sequence, timestamp: UInt32(truncatingIfNeeded: rest >> 32),
            flags: PathFlags(rawValue: UInt8(truncatingIfNeeded: rest >> 24)))
    }

    @inline(__always)
    private static func word(of datagram: RawSpan, at offset: Int) -> UInt64 {
        UInt64(bigEndian: datagram.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func sum(_ first: UInt64, _ second: UInt64, _ third: UInt64, payloadByteCount: Int) -> Checksum {
        // Three words as six halves: a one's complement sum may be taken wide and folded later (RFC 1071 §2).
        var total = (first >> 32) &+ (first & 0xFFFF_FFFF) &+ (second >> 32) &+ (second & 0xFFFF_FFFF)
        total &+= (third >> 32) &+ (third & 0xFFFF_FFFF) &+ UInt64(UInt32(truncatingIfNeeded: payloadByteCount))
        var sum = Checksum()
        sum.add(UInt32(truncatingIfNeeded: total))
        sum.add(UInt16(truncatingIfNeeded: total >> 32))
        return sum
    }
}
