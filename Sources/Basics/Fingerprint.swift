/// A rolling 64-bit hash of what happened, equal for equal runs on every machine.
///
/// It mixes as wyhash does, one multiplication a word: not for secrets, only to tell
/// whether two runs did the same.
public struct Fingerprint: Equatable, Hashable, Sendable, BitwiseCopyable {
    public internal(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    @inlinable
    public init() {}

    /// Folds one word in.
    @inlinable
    public mutating func fold(_ word: UInt64) {
        mix(word)
    }

    /// Folds two words in, one after the other.
    @inlinable
    public mutating func fold(_ first: UInt64, _ second: UInt64) {
        mix(first)
        mix(second)
    }

    /// Folds octets in, eight at a time, and their number.
    @inlinable
    public mutating func fold(_ bytes: RawSpan) {
        var offset = 0
        while offset + 8 <= bytes.byteCount {
            mix(UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)))
            offset &+= 8
        }
        var rest: UInt64 = 0
        while offset < bytes.byteCount {
            rest = rest << 8 | UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self))
            offset &+= 1
        }
        mix(rest)
        mix(UInt64(bytes.byteCount))
    }

    @usableFromInline
    mutating func mix(_ word: UInt64) {
        let product = (value ^ word ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB ^ value)
        value = product.high ^ product.low ^ word
    }
}
