/// Which sequence numbers of one direction have arrived, over the last 1024.
///
/// What arrives ahead opens a gap, what arrives behind fills one or is a duplicate. A number
/// far from all others is believed only when a second one follows it (RFC 3550 appendix A.1),
/// so that one stray packet cannot empty the window.
struct SequenceWindow: Sendable {
    enum Arrival: Equatable {
        /// The newest so far; so many numbers before it have not arrived.
        case newest(skipped: UInt32)
        /// Fills a gap that was counted.
        case late
        /// Was sent before the first that arrived, so no gap was counted.
        case beforeFirst
        case duplicate
        /// Behind the window: nobody can tell whether it is a duplicate.
        case tooLate
        /// Far from everything; counting leaves it out.
        case unrelated
        /// The first of a new row.
        case first
    }

    private(set) var highest: UInt32 = 0
    private var isSynchronized = false
    /// A number from elsewhere, and the highest when it came.
    private var candidate: (sequence: UInt32, highest: UInt32)?
    /// How many numbers the row has, as far as the window reaches.
    private var span: UInt32 = 0
    private var seen: InlineArray<16, UInt64> = InlineArray(repeating: 0)

    private static let size: UInt32 = 1024
    /// A jump of more is another row: at a million packets a second, one second of silence.
    private static let jumpLimit: UInt32 = 1 << 20

    /// Forgets everything: the next arrival is the first.
    mutating func restart() {
        isSynchronized = false
        candidate = nil
    }

    /// Notes an arrival and says what it is.
    @inline(__always)
    mutating func record(_ sequence: UInt32) -> Arrival {
        if isSynchronized, sequence &- highest == 1 {
            highest = sequence
            span = min(span &+ 1, Self.size)
            mark(sequence)
            return .newest(skipped: 0)
        }
        return recordOutOfOrder(sequence)
    }

    @inline(never)
    private mutating func recordOutOfOrder(_ sequence: UInt32) -> Arrival {
        guard isSynchronized else {
            synchronize(at: sequence)
            return .first
        }
        let ahead = sequence &- highest
        if ahead != 0, ahead <= Self.jumpLimit { return advance(to: sequence, by: ahead) }
        let behind = highest &- sequence
        guard behind <= Self.jumpLimit else { return consider(sequence) }
        guard behind < Self.size else { return .tooLate }
        if isMarked(sequence) { return .duplicate }
        mark(sequence)
        return behind < span ? .late : .beforeFirst
    }

    private mutating func advance(to sequence: UInt32, by ahead: UInt32) -> Arrival {
        if ahead >= Self.size {
            seen = InlineArray(repeating: 0)
        } else {
            for distance in 1..<ahead { unmark(highest &+ distance) }
        }
        highest = sequence
        span = min(span &+ ahead, Self.size)
        mark(sequence)
        return .newest(skipped: ahead &- 1)
    }

    /// Takes a number from elsewhere as the start of another row, if the one before it came from there too.
    private mutating func consider(_ sequence: UInt32) -> Arrival {
        let former = candidate
        candidate = (sequence, highest)
        // A row that has gone on since then has not been replaced.
        guard let former, former.highest == highest else { return .unrelated }
        let first = former.sequence
        if first == sequence { return .duplicate }
        guard sequence &- first < Self.size else { return .unrelated }
        synchronize(at: sequence)
        mark(first)
        return .first
    }

    private mutating func synchronize(at sequence: UInt32) {
        isSynchronized = true
        candidate = nil
        highest = sequence
        span = 1
        seen = InlineArray(repeating: 0)
        mark(sequence)
    }

    private func isMarked(_ sequence: UInt32) -> Bool {
        seen[Self.word(sequence)] >> UInt64(sequence & 63) & 1 == 1
    }

    @inline(__always)
    private mutating func mark(_ sequence: UInt32) {
        seen[Self.word(sequence)] |= 1 << UInt64(sequence & 63)
    }

    private mutating func unmark(_ sequence: UInt32) {
        seen[Self.word(sequence)] &= ~(1 << UInt64(sequence & 63))
    }

    @inline(__always)
    private static func word(_ sequence: UInt32) -> Int { Int(sequence >> 6 & 15) }
}
