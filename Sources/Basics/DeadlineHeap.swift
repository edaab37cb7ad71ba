/// The deadlines of many numbered timers, one each, re-armed lazily.
///
/// Moving a deadline further away costs a store: the entry in the heap stays and is
/// looked at again when it comes up. Only an earlier deadline adds an entry.
public struct DeadlineHeap: Sendable {
    struct Entry: BitwiseCopyable, Sendable {
        var at: UInt64
        var index: UInt32

        func precedes(_ other: Entry) -> Bool {
            at != other.at ? at < other.at : index < other.index
        }
    }

    private var entries: ContiguousArray<Entry> = []
    /// What each timer wants; `max` is nothing.
    private var wanted: ContiguousArray<UInt64> = []
    /// The earliest entry that each timer has in the heap.
    private var armed: ContiguousArray<UInt64> = []

    public init() {}

    /// Sets, moves or (with nil) stops the timer of that number.
    public mutating func set(_ index: Int, at deadline: Instant?) {
        while wanted.count <= index {
            wanted.append(.max)
            armed.append(.max)
        }
        let at = deadline?.nanoseconds ?? .max
        wanted[index] = at
        guard at < armed[index] else { return }
        armed[index] = at
        push(Entry(at: at, index: UInt32(index)))
    }

    /// When to look at the heap next; at most earlier than the earliest deadline, never later.
    public var next: Instant? {
        guard let first = entries.first else { return nil }
        return Instant(nanoseconds: first.at)
    }

    /// The number of the timer that has been due for longest, stopped by being taken; those due
    /// at one instant come in order of number.
    public mutating func takeDue(at now: Instant) -> Int? {
        while let first = entries.first, first.at <= now.nanoseconds {
            pop()
            let index = Int(first.index)
            guard armed[index] == first.at else { continue }
            armed[index] = .max
            let at = wanted[index]
            if at == first.at {
                wanted[index] = .max
                return index
            }
            guard at != .max else { continue }
            // Moved since: even where it is due by now, others come first that were due before it.
            armed[index] = at
            push(Entry(at: at, index: first.index))
        }
        return nil
    }

    private mutating func push(_ entry: Entry) {
        entries.append(entry)
        entries.withUnsafeMutableBufferPointer { heap in
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 4
                guard unsafe entry.precedes(heap[parent]) else { break }
                unsafe heap[child] = heap[parent]
                child = parent
            }
            unsafe heap[child] = entry
        }
    }

    private mutating func pop() {
        let last = entries.removeLast()
        guard !entries.isEmpty else { return }
        entries.withUnsafeMutableBufferPointer { heap in
            var hole = 0
            while true {
                let firstChild = hole * 4 + 1
                guard firstChild < heap.count else { break }
                var least = firstChild
                for child in firstChild..<min(firstChild + 4, heap.count)
                where unsafe heap[child].precedes(heap[least]) {
                    least = child
                }
                guard unsafe heap[least].precedes(last) else { break }
                unsafe heap[hole] = heap[least]
                hole = least
            }
            unsafe heap[hole] = last
        }
    }
}
