import Basics
import Wire

/// Bytes of a stream, found by their offset modulo a power of two; it grows on demand and never shrinks.
struct ByteRing: Sendable {
    /// The most that is copied in one piece.
    ///
    /// What is larger, the C library copies by an instruction that repeats itself for each octet. That is no faster,
    /// starts slowly, and counts as so many instructions.
    private static let pieceByteCount = 2_048

    private var storage: ContiguousArray<UInt8> = []

    /// Makes room for `byteCount` bytes from the start of `held` on, whose bytes stay.
    mutating func reserve(_ byteCount: Int, holding held: Extent) {
        if byteCount > storage.count { grow(to: byteCount, holding: held) }
    }

    @inline(never)
    private mutating func grow(to byteCount: Int, holding held: Extent) {
        var capacity = max(4_096, storage.count)
        while capacity < byteCount { capacity *= 2 }
        let old = storage
        // What has not been written is not read either.
        storage = ContiguousArray(unsafeUninitializedCapacity: capacity) { $1 = capacity }
        guard held.byteCount > 0 else { return }
        let mask = old.count - 1
        let first = held.start & mask
        let count = min(held.byteCount, old.count - first)
        write(old.span.bytes.extracting(first..<first + count), at: held.start)
        write(old.span.bytes.extracting(0..<held.byteCount - count), at: held.start + count)
    }

    /// Stores bytes at an offset; room must have been reserved.
    mutating func write(_ bytes: RawSpan, at offset: Int) {
        guard bytes.byteCount > 0 else { return }
        precondition(bytes.byteCount <= storage.count)
        let position = offset & (storage.count &- 1)
        let count = min(bytes.byteCount, storage.count &- position)
        copy(bytes.extracting(0..<count), to: position)
        if count < bytes.byteCount { copy(bytes.extracting(count..<bytes.byteCount), to: 0) }
    }

    private mutating func copy(_ bytes: RawSpan, to position: Int) {
        storage.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                precondition(position &+ source.count <= target.count)
                for start in stride(from: 0, to: source.count, by: Self.pieceByteCount) {
                    unsafe (to + position + start).copyMemory(
                        from: from + start, byteCount: min(Self.pieceByteCount, source.count &- start))
                }
            }
        }
    }

    /// Copies the bytes of an extent to the end of an arena.
    func append(_ extent: Extent, to arena: inout ByteArena) {
        guard extent.byteCount > 0 else { return }
        let position = extent.start & (storage.count &- 1)
        let count = min(extent.byteCount, storage.count &- position)
        let bytes = storage.span.bytes
        arena.append(bytes.extracting(position..<position &+ count))
        if count < extent.byteCount { arena.append(bytes.extracting(0..<extent.byteCount &- count)) }
    }

    /// The one's complement sum of an extent, as of big-endian words.
    func onesComplementSum(_ extent: Extent) -> UInt64 {
        guard extent.byteCount > 0 else { return 0 }
        let position = extent.start & (storage.count &- 1)
        let count = min(extent.byteCount, storage.count &- position)
        let bytes = storage.span.bytes
        let sum = Checksum.onesComplementSum(of: bytes.extracting(position..<position &+ count))
        guard count < extent.byteCount else { return UInt64(sum) }
        let rest = Checksum.onesComplementSum(of: bytes.extracting(0..<extent.byteCount &- count))
        // Behind an odd piece the bytes of every word have changed places.
        return UInt64(sum) &+ UInt64(count & 1 == 1 ? rest.byteSwapped : rest)
    }
}
