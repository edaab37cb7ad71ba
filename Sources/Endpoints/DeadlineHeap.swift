import Basics

/// When which flow wants to be woken: a binary heap that knows where each flow's entry is.
///
/// Every flow has one entry, at ``Instant/never`` while it waits for nothing, so that
/// moving a deadline leaves no stale one behind. Ties go by flow.
struct DeadlineHeap: Sendable {
    struct Entry: Sendable, BitwiseCopyable {
        var at: Instant
        var flow: UInt32

        @inline(__always)
        static func < (left: Entry, right: Entry) -> Bool {
            left.at != right.at ? left.at < right.at : left.flow < right.flow
        }
    }

    private var entries: ContiguousArray<Entry> = []
    /// Where in `entries` each flow is.
    private var positions: ContiguousArray<Int32> = []

    /// The flow that is due first, if any waits for something.
    @inline(__always)
    var first: (at: Instant, flow: Int)? {
        guard let entry = entries.first, entry.at != .never else { return nil }
        return (entry.at, Int(entry.flow))
    }

    /// Adds the next flow, numbered from 0.
    mutating func append() {
        let flow = UInt32(positions.count)
        positions.append(Int32(entries.count))
        entries.append(Entry(at: .never, flow: flow))
    }

    /// When a flow is due.
    subscript(flow: Int) -> Instant {
        get { entries[Int(positions[flow])].at }
        set {
            let position = Int(positions[flow])
            let entry = Entry(at: newValue, flow: UInt32(truncatingIfNeeded: flow))
            if entry < entries[position] {
                Self.moveUp(entry, from: position, in: &entries, &positions)
            } else {
                Self.moveDown(entry, from: position, in: &entries, &positions)
            }
        }
    }

    private static func moveUp(
        _ entry: Entry, from position: Int, in entries: inout ContiguousArray<Entry>,
        _ positions: inout ContiguousArray<Int32>
    ) {
        var entries = entries.mutableSpan
        var positions = positions.mutableSpan
        var hole = position
        while hole > 0 {
            let parent = (hole &- 1) / 2
            guard entry < entries[parent] else { break }
            put(entries[parent], at: hole, in: &entries, &positions)
            hole = parent
        }
        put(entry, at: hole, in: &entries, &positions)
    }

    private static func moveDown(
        _ entry: Entry, from position: Int, in entries: inout ContiguousArray<Entry>,
        _ positions: inout ContiguousArray<Int32>
    ) {
        var entries = entries.mutableSpan
        var positions = positions.mutableSpan
        var hole = position
        while true {
            var child = 2 &* hole &+ 1
            guard child < entries.count else { break }
            if child &+ 1 < entries.count, entries[child &+ 1] < entries[child] { child &+= 1 }
            guard entries[child] < entry else { break }
            put(entries[child], at: hole, in: &entries, &positions)
            hole = child
        }
        put(entry, at: hole, in: &entries, &positions)
    }

    @inline(__always)
    private static func put(
        _ entry: Entry, at position: Int, in entries: inout MutableSpan<Entry>, _ positions: inout MutableSpan<Int32>
    ) {
        entries[position] = entry
        positions[Int(entry.flow)] = Int32(truncatingIfNeeded: position)
    }
}
