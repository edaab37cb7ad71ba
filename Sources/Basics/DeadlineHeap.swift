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

    private struct Timer: BitwiseCopyable, Sendable {
        /// What the timer wants; `max` is nothing.
        var wanted = UInt64.max
        /// The earliest entry that it has in the heap.
        var armed = UInt64.max
    }

    private var entries: ContiguousArray<Entry> = []
    private var timers: ContiguousArray<Timer> = []

    public init() {}

    /// Sets, moves or (with nil) stops the timer of that number.
    public mutating func set(_ index: Int, at deadline: Instant?) {
        while timers.count <= index { timers.append(Timer()) }
        let at = deadline?.nanoseconds ?? .max
        timers[index].wanted = at
        guard at < timers[index].armed else { return }
        timers[index].armed = at
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
            let index = Int(first.index)
            guard timers[index].armed == first.at else {
                pop()
                continue
            }
            let at = timers[index].wanted
            if at == first.at {
                pop()
                timers[index] = Timer()
                return index
            }
            timers[index].armed = at
            if at == .max {
                pop()
            } else {
                // Moved since: even where it is due by now, others come first that were due before it.
                replaceFirst(with: Entry(at: at, index: first.index))
            }
        }
        return nil
    }

    private mutating func push(_ entry: Entry) {
        entries.append(entry)
        entries.withUnsafeMutableBufferPointer { heap in
            var child = heap.count &- 1
            while child > 0 {
                let parent = (child &- 1) / 4
                guard unsafe entry.precedes(heap[parent]) else { break }
                unsafe heap[child] = heap[parent]
                child = parent
            }
            unsafe heap[child] = entry
        }
    }

    private mutating func pop() {
        let last = entries.removeLast()
        if !entries.isEmpty { replaceFirst(with: last) }
    }

    private mutating func replaceFirst(with entry: Entry) {
        entries.withUnsafeMutableBufferPointer { heap in
            let count = heap.count
            var hole = 0
            var child = 1
            while child < count {
                var least = child
                let end = min(child &+ 4, count)
                child &+= 1
                while child < end {
                    if unsafe heap[child].precedes(heap[least]) { least = child }
                    child &+= 1
                }
                guard unsafe heap[least].precedes(entry) else { break }
                unsafe heap[hole] = heap[least]
                hole = least
                child = hole &* 4 &+ 1
            }
            unsafe heap[hole] = entry
        }
    }
}
