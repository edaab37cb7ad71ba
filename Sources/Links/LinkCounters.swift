public import Telemetry

/// What became of the packets offered to a link.
///
/// `offered + duplicated` is always `delivered + dropped` plus what is still inside.
public struct LinkCounters: Equatable, Sendable, BitwiseCopyable {
    /// Packets offered, refused ones included.
    public internal(set) var offered: UInt64 = 0
    /// The bytes of `offered`.
    public internal(set) var offeredBytes: UInt64 = 0
    /// Packets handed over at the far end, copies included.
    public internal(set) var delivered: UInt64 = 0
    /// The bytes of `delivered`.
    public internal(set) var deliveredBytes: UInt64 = 0
    /// Copies made.
    public internal(set) var duplicated: UInt64 = 0
    /// Those of `delivered` with an inverted bit.
    public internal(set) var damaged: UInt64 = 0
    /// Those of `delivered` that skipped the delay.
    public internal(set) var reordered: UInt64 = 0
    private var lost: UInt64 = 0
    private var refused: UInt64 = 0
    private var droppedByActiveQueue: UInt64 = 0
    private var droppedByLinkDown: UInt64 = 0

    init() {}

    /// All packets dropped, whatever the cause.
    public var dropped: UInt64 { lost &+ refused &+ droppedByActiveQueue &+ droppedByLinkDown }

    /// The packets dropped by one cause; 0 for causes that no link has.
    public func dropped(_ cause: DropCause) -> UInt64 {
        switch cause {
        case .loss: lost
        case .queueFull: refused
        case .activeQueue: droppedByActiveQueue
        case .linkDown: droppedByLinkDown
        default: 0
        }
    }

    mutating func count(_ cause: DropCause) {
        switch cause {
        case .loss: lost &+= 1
        case .queueFull: refused &+= 1
        case .activeQueue: droppedByActiveQueue &+= 1
        case .linkDown: droppedByLinkDown &+= 1
        default: preconditionFailure("a link drops for no such cause")
        }
    }
}
