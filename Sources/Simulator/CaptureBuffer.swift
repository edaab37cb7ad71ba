public import Basics

/// One frame as it passed a link's first end, in either direction.
public struct CapturedFrame: Sendable {
    public let at: Instant
    public let linkIndex: Int
    public let range: ByteRange
}

/// Frames captured since the buffer was last drained.
public struct CaptureBuffer: ~Copyable {
    public private(set) var frames: ContiguousArray<CapturedFrame> = []
    private var arena = ByteArena(capacity: 4_096)

    init() {}

    mutating func append(_ frame: RawSpan, link: Int, at now: Instant) {
        let start = arena.count
        arena.append(frame)
        frames.append(
            CapturedFrame(at: now, linkIndex: link, range: ByteRange(start: start, count: frame.byteCount)))
    }

    /// The octets of a captured frame.
    @_lifetime(borrow self)
    public borrowing func bytes(_ frame: CapturedFrame) -> RawSpan {
        arena.bytes(frame.range)
    }

    mutating func removeAll() {
        frames.removeAll(keepingCapacity: true)
        arena.removeAll()
    }
}
