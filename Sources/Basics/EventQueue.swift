/// One thing due in a simulation: plain data, ordered by instant and then by `key`.
///
/// The key says whom the event concerns and who caused it, never when it was
/// inserted, so that the order cannot depend on the number of threads.
public struct QueuedEvent: Equatable, Sendable, BitwiseCopyable {
    public var at: Instant
    public var key: UInt64

    @inlinable
    public init(at: Instant, key: UInt64) {
        self.at = at
        self.key = key
    }
}

/// A monotone radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990) of plain events.
///
/// Bucket *i* holds the events whose instant differs from the base in bit *i - 1* at
/// the highest; bucket 0 holds those at the base itself, sorted by key. An event
/// moves at most 64 times towards bucket 0 and is never compared on its way, so the
/// cost hardly grows with the number pending. The base never passes an event, and
/// nothing may be scheduled before the event taken last.
public struct EventQueue: ~Copyable {
    @usableFromInline
    struct Bucket: BitwiseCopyable {
        @usableFromInline var events: UnsafeMutablePointer<QueuedEvent>
        @usableFromInline var count: Int
        @usableFromInline var capacity: Int
    }

    @usableFromInline let buckets: UnsafeMutablePointer<Bucket>
    /// How many events of bucket 0 have been taken.
    @usableFromInline var taken = 0
    @usableFromInline var base: UInt64 = 0
    /// Bit *i* is set where bucket *i + 1* is not empty.
    @usableFromInline var occupied: UInt64 = 0
    public private(set) var count = 0

    public init() {
        unsafe buckets = .allocate(capacity: 65)
        for index in 0..<65 {
            let events = UnsafeMutablePointer<QueuedEvent>.allocate(capacity: 8)
            unsafe (buckets + index).initialize(to: Bucket(events: events, count: 0, capacity: 8))
        }
    }

    deinit {
        for index in 0..<65 { unsafe buckets[index].events.deallocate() }
        unsafe buckets.deallocate()
    }

    public var isEmpty: Bool { count == 0 }

    /// Adds an event, which may not lie before the one taken last.
    public mutating func schedule(_ event: QueuedEvent) {
        let difference = event.at.nanoseconds ^ base
        precondition(event.at.nanoseconds >= base, "an event is scheduled in the past")
        count &+= 1
        guard difference != 0 else { return insertAtBase(event) }
        let index = 64 &- difference.leadingZeroBitCount
        occupied |= (1 as UInt64) &<< UInt64(index &- 1)
        append(event, to: unsafe buckets + index)
    }

    /// The earliest event's instant, which may move the base up to it.
    ///
    /// The base moves only to an event that is pending, and a simulation never
    /// schedules before the next event once it has asked for it and gone on.
    public mutating func popFirst(notAfter limit: Instant) -> QueuedEvent? {
        if unsafe taken == buckets[0].count {
            guard occupied != 0, refill(notAfter: limit.nanoseconds) else { return nil }
        }
        guard base <= limit.nanoseconds else { return nil }
        let event = unsafe buckets[0].events[taken]
        taken &+= 1
        count &-= 1
        return event
    }

    /// The instant of the earliest event, found without moving the base.
    public borrowing func earliest() -> Instant? {
        if unsafe taken < buckets[0].count { return Instant(nanoseconds: base) }
        guard occupied != 0 else { return nil }
        return Instant(nanoseconds: minimum(of: occupied.trailingZeroBitCount &+ 1))
    }

    private borrowing func minimum(of index: Int) -> UInt64 {
        let bucket = unsafe buckets[index]
        var least = UInt64.max
        for position in 0..<bucket.count {
            least = unsafe min(least, bucket.events[position].at.nanoseconds)
        }
        return least
    }

    /// Moves the base to the earliest event, where that is not after `limit`.
    private mutating func refill(notAfter limit: UInt64) -> Bool {
        unsafe buckets[0].count = 0
        taken = 0
        let index = occupied.trailingZeroBitCount &+ 1
        if unsafe buckets[index].count == 1 { return takeOnly(in: index, notAfter: limit) }
        let least = minimum(of: index)
        guard least <= limit else { return false }
        base = least
        let source = unsafe buckets[index]
        unsafe buckets[index].count = 0
        occupied &= occupied &- 1
        var isSorted = true
        var lastKey: UInt64 = 0
        for position in 0..<source.count {
            let event = unsafe source.events[position]
            let difference = event.at.nanoseconds ^ least
            let target = 64 &- difference.leadingZeroBitCount
            if difference == 0 {
                if event.key < lastKey { isSorted = false }
                lastKey = event.key
            } else {
                occupied |= (1 as UInt64) &<< UInt64(target &- 1)
            }
            append(event, to: unsafe buckets + target)
        }
        // Nobody writes to the emptied bucket before the next refill: its memory is scratch.
        if !isSorted { unsafe sortByKey(buckets[0].events, count: buckets[0].count, scratch: source.events) }
        return true
    }

    /// Moves the base to the only event of a bucket, as most are where few events are pending.
    @inline(__always)
    private mutating func takeOnly(in index: Int, notAfter limit: UInt64) -> Bool {
        let event = unsafe buckets[index].events[0]
        guard event.at.nanoseconds <= limit else { return false }
        base = event.at.nanoseconds
        unsafe buckets[index].count = 0
        occupied &= occupied &- 1
        unsafe buckets[0].events[0] = event
        unsafe buckets[0].count = 1
        return true
    }

    /// Keeps what is left of bucket 0 sorted by key; equal keys stay in order of insertion.
    ///
    /// Of what stands before and behind the event's place the front moves where it is the
    /// smaller half and a taken event left room there: the child of the event just taken,
    /// due at the same instant, is near the front however many are due then.
    private mutating func insertAtBase(_ event: QueuedEvent) {
        let count = unsafe buckets[0].count
        if taken == count {
            unsafe buckets[0].count = 0
            taken = 0
        } else if taken > 0, unsafe event.key < buckets[0].events[(taken &+ count) / 2].key {
            return insertFromFront(event)
        }
        append(event, to: unsafe buckets)
        let events = unsafe buckets[0].events
        var hole = unsafe buckets[0].count &- 1
        while hole > taken, unsafe events[hole &- 1].key > event.key {
            unsafe events[hole] = events[hole &- 1]
            hole &-= 1
        }
        unsafe events[hole] = event
    }

    /// Inserts an event whose key is less than that of some event left in bucket 0.
    private mutating func insertFromFront(_ event: QueuedEvent) {
        let events = unsafe buckets[0].events
        taken &-= 1
        var hole = taken
        while unsafe events[hole &+ 1].key <= event.key {
            unsafe events[hole] = events[hole &+ 1]
            hole &+= 1
        }
        unsafe events[hole] = event
    }

    @inline(__always)
    private func append(_ event: QueuedEvent, to bucket: UnsafeMutablePointer<Bucket>) {
        if unsafe bucket.pointee.count == bucket.pointee.capacity { grow(bucket) }
        unsafe bucket.pointee.events[bucket.pointee.count] = event
        unsafe bucket.pointee.count &+= 1
    }

    @inline(never)
    private func grow(_ bucket: UnsafeMutablePointer<Bucket>) {
        let capacity = unsafe bucket.pointee.capacity * 2
        let larger = UnsafeMutablePointer<QueuedEvent>.allocate(capacity: capacity)
        unsafe larger.moveInitialize(from: bucket.pointee.events, count: bucket.pointee.count)
        unsafe bucket.pointee.events.deallocate()
        unsafe bucket.pointee.events = larger
        unsafe bucket.pointee.capacity = capacity
    }
}

/// Sorts by key with equal keys left in order: insertion sort of short runs, then merges to and fro.
private func sortByKey(
    _ events: UnsafeMutablePointer<QueuedEvent>, count: Int, scratch: UnsafeMutablePointer<QueuedEvent>
) {
    let run = 8
    for start in stride(from: 0, to: count, by: run) {
        for position in start..<min(start + run, count) {
            let event = unsafe events[position]
            var hole = position
            while hole > start, unsafe events[hole - 1].key > event.key {
                unsafe events[hole] = events[hole - 1]
                hole -= 1
            }
            unsafe events[hole] = event
        }
    }
    var (source, target) = unsafe (events, scratch)
    var width = run
    while width < count {
        for start in stride(from: 0, to: count, by: width * 2) {
            unsafe merge(source, start, min(start + width, count), min(start + width * 2, count), into: target)
        }
        unsafe swap(&source, &target)
        width *= 2
    }
    if unsafe source != events { unsafe events.update(from: source, count: count) }
}

/// Merges two sorted neighbours, `start..<middle` and `middle..<end`; of equal keys the left goes first.
private func merge(
    _ source: UnsafeMutablePointer<QueuedEvent>, _ start: Int, _ middle: Int, _ end: Int,
    into target: UnsafeMutablePointer<QueuedEvent>
) {
    var (left, right) = (start, middle)
    for position in start..<end {
        if unsafe right == end || (left < middle && source[left].key <= source[right].key) {
            unsafe target[position] = source[left]
            left += 1
        } else {
            unsafe target[position] = source[right]
            right += 1
        }
    }
}
