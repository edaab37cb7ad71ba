import Basics
import LinuxSystem

/// Frames that are due at an end that takes segments of TCP together, in the runs in which they are to be written.
///
/// A run is one frame, or segments of one flow that continue each other. Frames of one flow stay in their order; those
/// of different flows, which are all due, need not.
struct DueFrames {
    struct Frame {
        let packet: PacketID
        let due: Instant
        /// Of a segment that may be joined with others.
        let head: SegmentHead?
        /// The next one of its run; none behind the last.
        fileprivate(set) var next: Int? = nil
    }

    struct Run {
        let first: Int
        fileprivate(set) var last: Int
        fileprivate(set) var count = 1
        fileprivate var nextSequence: UInt32
        fileprivate var byteCount: Int
        fileprivate var isOpen: Bool
    }

    private(set) var frames: ContiguousArray<Frame> = []
    private(set) var runs: ContiguousArray<Run> = []

    /// Until when what is there may wait for more; nil where nothing is there.
    private(set) var waitsUntil: Instant?
    private var lastDue = Instant.zero

    /// How close frames follow each other where the next one is worth waiting for, and how long that may take.
    ///
    /// Network cards do the same, for as long (`ethtool -c`); to a stream that is thinner nothing is added.
    private static let density = Interval.microseconds(25)
    private static let patience = Interval.microseconds(50)

    /// How many of the newest runs are looked at for one that a segment continues.
    private static let reach = 8

    mutating func append(_ packet: PacketID, due: Instant, _ pool: borrowing PacketPool) {
        let place = frames.count
        if waitsUntil == nil { waitsUntil = due - lastDue < Self.density ? due + Self.patience : due }
        lastDue = due
        let octets = pool.bytes(packet)
        let head = SegmentHead(parsing: octets)
        frames.append(Frame(packet: packet, due: due, head: head))
        guard let head else {
            // It may end what a flow had to say: nothing of any comes to stand in front of it.
            for index in runs.indices.suffix(Self.reach) { runs[index].isOpen = false }
            runs.append(Run(first: place, last: place, nextSequence: 0, byteCount: 0, isOpen: false))
            return
        }
        if let index = run(of: head, octets, pool) {
            if continues(index, head, octets, pool) { return extend(index, by: head, place) }
            runs[index].isOpen = false
        }
        runs.append(
            Run(
                first: place, last: place,
                nextSequence: head.sequence &+ UInt32(truncatingIfNeeded: head.payloadByteCount),
                byteCount: head.byteCount, isOpen: !head.isPushed))
    }

    mutating func removeAll() {
        frames.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        waitsUntil = nil
    }

    /// The newest open run of a segment's flow.
    private func run(of head: SegmentHead, _ octets: RawSpan, _ pool: borrowing PacketPool) -> Int? {
        runs.indices.suffix(Self.reach).last { index in
            guard runs[index].isOpen, let first = frames[runs[index].first].head else { return false }
            return head.hasFlow(of: octets, like: first, of: pool.bytes(frames[runs[index].first].packet))
        }
    }

    private func continues(_ index: Int, _ head: SegmentHead, _ octets: RawSpan, _ pool: borrowing PacketPool) -> Bool {
        let run = runs[index]
        guard let first = frames[run.first].head, head.sequence == run.nextSequence,
            run.count < JoinedSegments.largestCount,
            head.payloadByteCount <= first.payloadByteCount,
            run.byteCount + head.payloadByteCount <= JoinedSegments.largestByteCount
        else { return false }
        return head.hasHeaders(of: octets, like: first, of: pool.bytes(frames[run.first].packet))
    }

    private mutating func extend(_ index: Int, by head: SegmentHead, _ place: Int) {
        frames[runs[index].last].next = place
        runs[index].last = place
        runs[index].count += 1
        runs[index].nextSequence &+= UInt32(truncatingIfNeeded: head.payloadByteCount)
        runs[index].byteCount += head.payloadByteCount
        // A shorter one can only be the last.
        runs[index].isOpen = !head.isPushed && head.payloadByteCount == frames[runs[index].first].head?.payloadByteCount
    }
}
