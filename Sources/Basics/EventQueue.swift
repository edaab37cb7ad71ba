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
        let least = minimum(of: index)
        guard least <= limit else { return false }
        base = least
        let source = unsafe buckets[index]
        unsafe buckets[index].count = 0
        occupied &= occupied &- 1
        for position in 0..<source.count {
            let event = unsafe source.events[position]
            let difference = event.at.nanoseconds ^ least
            guard difference != 0 else {
                insertAtBase(event)
                continue
            }
            let target = 64 &- difference.leadingZeroBitCount
            occupied |= (1 as UInt64) &<< UInt64(target &- 1)
            append(event, to: unsafe buckets + target)
        }
        return true
    }

    /// Keeps what is left of bucket 0 sorted by key; equal keys stay in order of insertion.
    private mutating func insertAtBase(_ event: QueuedEvent) {
        append(event, to: unsafe buckets)
        let events = unsafe buckets[0].events
        var hole = unsafe buckets[0].count &- 1
        while hole > taken, unsafe events[hole &- 1].key > event.key {
            unsafe events[hole] = events[hole &- 1]
            hole &-= 1
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
