public import Basics

/// The flags of a TCP segment (RFC 9293 §3.1, RFC 3168).
public struct TCPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let finish = TCPFlags(rawValue: 0x01)
    public static let synchronize = TCPFlags(rawValue: 0x02)
    public static let reset = TCPFlags(rawValue: 0x04)
    public static let push = TCPFlags(rawValue: 0x08)
    public static let acknowledge = TCPFlags(rawValue: 0x10)
    public static let urgent = TCPFlags(rawValue: 0x20)
    public static let congestionExperiencedEcho = TCPFlags(rawValue: 0x40)
    public static let congestionWindowReduced = TCPFlags(rawValue: 0x80)
}

/// A half-open range of sequence numbers that a receiver holds (RFC 2018).
public struct SACKBlock: Hashable, Sendable, BitwiseCopyable {
    public var start: UInt32
    public var end: UInt32

    @inlinable
    public init(start: UInt32, end: UInt32) {
        self.start = start
        self.end = end
    }
}

/// A TCP header with the options that the stack acts on (RFC 9293, 7323, 2018).
public struct TCPHeader: Equatable, Sendable {
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var sequence: UInt32
    public var acknowledgment: UInt32
    public var flags: TCPFlags
    /// As on the wire, not yet scaled.
    public var window: UInt16
    public var checksum: UInt16 = 0
    public var urgentPointer: UInt16 = 0
    public var maximumSegmentSize: UInt16?
    public var windowScale: UInt8?
    public var sackPermitted = false
    public var timestamps: (value: UInt32, echo: UInt32)?
    public var sackBlockCount = 0
    public var sackBlocks: InlineArray<4, SACKBlock> = InlineArray(repeating: SACKBlock(start: 0, end: 0))
    /// The header with its options as it was read, in bytes; 20 for one that was made here.
    public private(set) var headerLength = 20

    public static let minimumByteCount = 20

    @inlinable
    public init(
        sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32, acknowledgment: UInt32, flags: TCPFlags,
        window: UInt16
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequence = sequence
        self.acknowledgment = acknowledgment
        self.flags = flags
        self.window = window
    }

    /// Reads a header; unknown options are skipped, a malformed option list is an error.
    public init(parsing bytes: RawSpan) throws(WireError) {
        guard bytes.byteCount >= Self.minimumByteCount else {
            throw .truncated(needed: Self.minimumByteCount, available: bytes.byteCount)
        }
        @inline(__always)
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> T {
            T(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
        }
        self.init(
            sourcePort: load(0), destinationPort: load(2), sequence: load(4), acknowledgment: load(8),
            flags: TCPFlags(rawValue: load(13)), window: load(14))
        checksum = load(16)
        urgentPointer = load(18)
        let offset: UInt8 = load(12)
        headerLength = Int(offset >> 4) * 4
        guard headerLength >= Self.minimumByteCount, headerLength <= bytes.byteCount else {
            throw .badLength(headerLength)
        }
        let options = bytes.extracting(Self.minimumByteCount..<headerLength)
        if readTimestampsAlone(options) { return }
        var reader = ByteReader(options)
        try readOptions(&reader)
    }

    /// Reads the options that all segments of most connections have, aligned as RFC 7323 appendix A recommends.
    private mutating func readTimestampsAlone(_ options: RawSpan) -> Bool {
        guard options.byteCount == 12 else { return false }
        func load(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: options.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
        }
        guard load(0) == 0x0101_080A else { return false }
        timestamps = (load(4), load(8))
        return true
    }

    private mutating func readOptions(_ reader: inout ByteReader) throws(WireError) {
        while reader.remaining > 0 {
            let kind: UInt8 = try reader.read()
            if kind == 0 { return }
            if kind == 1 { continue }
            let length: UInt8 = try reader.read()
            guard length >= 2 else { throw .badLength(Int(length)) }
            switch (kind, length) {
            case (2, 4): maximumSegmentSize = try reader.read()
            case (3, 3): windowScale = try reader.read()
            case (4, 2): sackPermitted = true
            case (5, _) where length % 8 == 2 && length <= 34: try readBlocks(&reader, count: Int(length - 2) / 8)
            case (8, 10): timestamps = (try reader.read(), try reader.read())
            default: try reader.skip(Int(length) - 2)
            }
        }
    }

    private mutating func readBlocks(_ reader: inout ByteReader, count: Int) throws(WireError) {
        sackBlockCount = count
        for index in 0..<count {
            let start: UInt32 = try reader.read()
            sackBlocks[index] = SACKBlock(start: start, end: try reader.read())
        }
    }

    /// How many bytes ``append(to:)`` writes for the options, padded to four.
    public var optionByteCount: Int {
        var count = 0
        if maximumSegmentSize != nil { count += 4 }
        if sackPermitted { count += 4 }
        if timestamps != nil { count += 12 }
        if windowScale != nil { count += 4 }
        if sackBlockCount > 0 { count += 4 + sackBlockCount * 8 }
        return count
    }

    /// Writes the header with a checksum of 0; the options are aligned as Linux aligns them.
    public func append(to arena: inout ByteArena) {
        let byteCount = Self.minimumByteCount + optionByteCount
        precondition(byteCount <= 60)
        arena.append(sourcePort)
        arena.append(destinationPort)
        arena.append(sequence)
        arena.append(acknowledgment)
        arena.append(UInt8(byteCount / 4) << 4)
        arena.append(flags.rawValue)
        arena.append(window)
        arena.append(0 as UInt16)
        arena.append(urgentPointer)
        if let maximumSegmentSize { arena.append(0x0204_0000 | UInt32(maximumSegmentSize)) }
        if sackPermitted { arena.append(0x0101_0402 as UInt32) }
        if let timestamps {
            arena.append(0x0101_080A as UInt32)
            arena.append(timestamps.value)
            arena.append(timestamps.echo)
        }
        if let windowScale { arena.append(0x0103_0300 | UInt32(windowScale)) }
        guard sackBlockCount > 0 else { return }
        arena.append(0x0101_0500 | UInt32(2 + sackBlockCount * 8))
        for index in 0..<sackBlockCount {
            arena.append(sackBlocks[index].start)
            arena.append(sackBlocks[index].end)
        }
    }

    public static func == (left: TCPHeader, right: TCPHeader) -> Bool {
        guard left.sackBlockCount == right.sackBlockCount else { return false }
        for index in 0..<left.sackBlockCount where left.sackBlocks[index] != right.sackBlocks[index] { return false }
        return left.sourcePort == right.sourcePort && left.destinationPort == right.destinationPort
            && left.sequence == right.sequence && left.acknowledgment == right.acknowledgment
            && left.flags == right.flags && left.window == right.window && left.urgentPointer == right.urgentPointer
            && left.maximumSegmentSize == right.maximumSegmentSize && left.windowScale == right.windowScale
            && left.sackPermitted == right.sackPermitted && left.timestamps?.value == right.timestamps?.value
            && left.timestamps?.echo == right.timestamps?.echo
    }
}
