/// Which sequence numbers of a flow have come, which are missing, repeated or late.
///
/// Numbers start at 0 and wrap at 32 bits. The last 8192 are remembered one by one;
/// what comes later than that cannot be told from a repetition and is only counted.
public struct SequenceTracker: Sendable {
    /// What one arrival was.
    public enum Arrival: Equatable, Sendable, BitwiseCopyable {
        /// The highest number so far, behind so many that were skipped.
        case newest(UInt64, skipped: UInt64)
        /// A number that had been skipped, and so counted as lost.
        case late(UInt64)
        case duplicate
        case tooLate
    }

    /// Numbers that have been reached: the highest so far, plus one.
    public private(set) var expected: UInt64 = 0
    /// Different numbers that came.
    public private(set) var received: UInt64 = 0
    public private(set) var duplicates: UInt64 = 0
    /// Arrivals behind a higher number (RFC 4737 §3).
    public private(set) var reordered: UInt64 = 0
    public private(set) var tooLate: UInt64 = 0
    private var seen: ContiguousArray<UInt64>

    private static var windowSize: UInt64 { 8192 }

    public init() {
        seen = ContiguousArray(repeating: 0, count: Int(Self.windowSize / 64))
    }

    /// Numbers reached but not come.
    public var lost: UInt64 { expected - received }

    /// Takes one arrival.
    public mutating func note(_ sequence: UInt32) -> Arrival {
        let next = UInt32(truncatingIfNeeded: expected)
        let distance = Int32(bitPattern: sequence &- next)
        if distance >= 0 { return advance(by: UInt64(distance)) }
        let behind = UInt64(distance.magnitude)
        guard behind <= expected, behind <= Self.windowSize else {
            tooLate &+= 1
            return .tooLate
        }
        let number = expected - behind
        guard !isSeen(number) else {
            duplicates &+= 1
            return .duplicate
        }
        mark(number)
        received &+= 1
        reordered &+= 1
        return .late(number)
    }

    private mutating func advance(by skipped: UInt64) -> Arrival {
        let number = expected &+ skipped
        if skipped >= Self.windowSize {
            for word in seen.indices { seen[word] = 0 }
        } else {
            var cleared = expected
            while cleared <= number {
                clear(cleared)
                cleared &+= 1
            }
        }
        mark(number)
        expected = number &+ 1
        received &+= 1
        return .newest(number, skipped: skipped)
    }

    @inline(__always)
    private func isSeen(_ number: UInt64) -> Bool {
        seen[word(number)] & bit(number) != 0
    }

    @inline(__always)
    private mutating func mark(_ number: UInt64) {
        seen[word(number)] |= bit(number)
    }

    @inline(__always)
    private mutating func clear(_ number: UInt64) {
        seen[word(number)] &= ~bit(number)
    }

    @inline(__always)
    private func word(_ number: UInt64) -> Int {
        Int(truncatingIfNeeded: (number & (Self.windowSize &- 1)) >> 6)
    }

    @inline(__always)
    private func bit(_ number: UInt64) -> UInt64 {
        (1 as UInt64) &<< (number & 63)
    }
}
