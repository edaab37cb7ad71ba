import Basics
import Wire

/// Builds a TCP header as words, sums them on the way, and hands them to the arena in one piece.
struct SegmentWriter {
    private var words: InlineArray<15, UInt32> = InlineArray(repeating: 0)
    private var count = 5

    init(source: UInt16, destination: UInt16) {
        words[0] = UInt32(source) << 16 | UInt32(destination)
    }

    mutating func setFixed(sequence: UInt32, acknowledgment: UInt32, flags: TCPFlags, window: UInt16) {
        words[1] = sequence
        words[2] = acknowledgment
        words[3] = UInt32(flags.rawValue) << 16 | UInt32(window)
    }

    mutating func appendMaximumSegmentSize(_ size: UInt16) {
        append(0x0204_0000 | UInt32(size))
    }

    mutating func appendSelectiveAcknowledgmentPermitted() {
        append(0x0101_0402)
    }

    mutating func appendWindowScale(_ scale: UInt8) {
        append(0x0103_0300 | UInt32(scale))
    }

    mutating func appendTimestamps(_ value: UInt32, echo: UInt32) {
        append(0x0101_080A)
        append(value)
        append(echo)
    }

    mutating func beginBlocks(count: Int) {
        append(0x0101_0502 &+ UInt32(truncatingIfNeeded: count) &* 8)
    }

    mutating func appendBlock(_ block: SACKBlock) {
        append(block.start)
        append(block.end)
    }

    private mutating func append(_ word: UInt32) {
        words[count] = word
        count &+= 1
    }

    /// Fills in the length and the checksum.
    mutating func finish(pseudoHeaderSum: UInt64, payloadByteCount: Int, payloadSum: UInt64) {
        words[3] |= UInt32(truncatingIfNeeded: count) << 28
        var sum = pseudoHeaderSum &+ payloadSum &+ UInt64(truncatingIfNeeded: count &* 4 &+ payloadByteCount)
        for index in 0..<count {
            sum &+= UInt64(words[index])
            words[index] = words[index].bigEndian
        }
        words[4] = (UInt32(~Checksum.folded(sum)) << 16).bigEndian
    }

    func append(to arena: inout ByteArena) {
        arena.append(words.span.bytes.extracting(0..<count &* 4))
    }
}
