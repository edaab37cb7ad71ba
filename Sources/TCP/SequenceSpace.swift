/// The sequence numbers of one direction, seen as offsets from the initial one.
///
/// Offsets do not wrap, so everything inside is plain comparison: the SYN is at 0, the first byte at 1.
struct SequenceSpace: Sendable, BitwiseCopyable {
    let initial: UInt32

    /// The number that stands on the wire for an offset.
    func number(at offset: Int) -> UInt32 {
        initial &+ UInt32(truncatingIfNeeded: offset)
    }

    /// The offset of a number from the wire, taken as the one nearest to `reference`.
    func offset(of number: UInt32, near reference: Int) -> Int {
        reference &+ Int(Int32(bitPattern: number &- self.number(at: reference)))
    }
}

/// A half-open run of offsets.
struct Extent: Equatable, Sendable, BitwiseCopyable {
    var start: Int
    var end: Int

    init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    /// No bytes, but a place.
    init(emptyAt offset: Int) {
        self.init(start: offset, end: offset)
    }

    var byteCount: Int { end &- start }
}
