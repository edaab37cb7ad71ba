import Basics

/// Bytes of a stream, found by their offset modulo a power of two; it grows on demand and never shrinks.
struct ByteRing: Sendable {
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
        storage = ContiguousArray(repeating: 0, count: capacity)
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
        storage.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[position...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[count...]))
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
        let sum = TCP.onesComplementSum(bytes.extracting(position..<position &+ count))
        guard count < extent.byteCount else { return UInt64(sum) }
        let rest = TCP.onesComplementSum(bytes.extracting(0..<extent.byteCount &- count))
        // Behind an odd piece the bytes of every word have changed places.
        return UInt64(sum) &+ UInt64(count & 1 == 1 ? rest.byteSwapped : rest)
    }
}

/// The one's complement sum of octets as big-endian words, sixteen octets an addition (RFC 1071 §2).
///
/// A carry out of any multiple of sixteen bits counts as one at the bottom, so carries are counted and added last.
func onesComplementSum(_ bytes: RawSpan) -> UInt16 {
    let count = bytes.byteCount
    var sum: UInt128 = 0
    var carries: UInt64 = 0
    var offset = 0
    @inline(__always)
    func addWide(at offset: Int) {
        let wide = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt128.self)
        let (partial, carry) = sum.addingReportingOverflow(wide)
        sum = partial
        carries &+= carry ? 1 : 0
    }
    while offset &+ 64 <= count {
        addWide(at: offset)
        addWide(at: offset &+ 16)
        addWide(at: offset &+ 32)
        addWide(at: offset &+ 48)
        offset &+= 64
    }
    while offset &+ 16 <= count {
        addWide(at: offset)
        offset &+= 16
    }
    let (high, low) = (UInt64(truncatingIfNeeded: sum >> 64), UInt64(truncatingIfNeeded: sum))
    var words = (low & 0xFFFF_FFFF) &+ (low >> 32) &+ (high & 0xFFFF_FFFF) &+ (high >> 32) &+ carries
    if count & 8 != 0 {
        let rest = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        words &+= (rest & 0xFFFF_FFFF) &+ (rest >> 32)
        offset &+= 8
    }
    if count & 4 != 0 {
        words &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
        offset &+= 4
    }
    if count & 2 != 0 {
        words &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
        offset &+= 2
    }
    if count & 1 != 0 {
        let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
        words &+= UInt64(UInt16(littleEndian: UInt16(last)))
    }
    return UInt16(bigEndian: foldedOnesComplement(words))
}

/// A sum of 16-bit or wider words with its carries brought round.
func foldedOnesComplement(_ sum: UInt64) -> UInt16 {
    var rest = (sum & 0xFFFF_FFFF) &+ (sum >> 32)
    rest = (rest & 0xFFFF) &+ (rest >> 16)
    rest = (rest & 0xFFFF) &+ (rest >> 16)
    rest = (rest & 0xFFFF) &+ (rest >> 16)
    return UInt16(truncatingIfNeeded: rest)
}
