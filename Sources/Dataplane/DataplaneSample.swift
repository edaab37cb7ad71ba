public import Basics
import CDataplane

/// A packet that the program showed: its first octets, and why it was chosen.
public struct DataplaneSample: Equatable, Sendable {
    public var time: Instant
    /// The port that the packet came by.
    public var port: DataplanePort
    /// Why it was dropped, or ``DataplaneCause/flowAdded``.
    public var cause: DataplaneCause
    /// The frame's length.
    public var frameByteCount: Int
    /// Its start, at most 128 octets.
    public var octets: [UInt8]

    /// Reads one record of the ring; nil where it is none.
    public init?(parsing record: RawSpan) {
        guard record.byteCount >= MemoryLayout<patronus_sample>.size else { return nil }
        time = Instant(nanoseconds: record.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self))
        port = DataplanePort(record.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let cause = DataplaneCause(rawValue: record.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self))
        frameByteCount = Int(record.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self))
        let count = Int(record.unsafeLoadUnaligned(fromByteOffset: 20, as: UInt32.self))
        guard let cause, cause == .flowAdded || cause.verdict == .drop, count <= Self.octetLimit,
            count <= frameByteCount
        else { return nil }
        self.cause = cause
        octets = record.extracting(Self.headerByteCount..<Self.headerByteCount + count).withUnsafeBytes { Array($0) }
    }

    private static let octetLimit = PATRONUS_SAMPLE_OCTETS
    private static let headerByteCount = 24
}
