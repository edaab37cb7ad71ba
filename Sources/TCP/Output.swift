public import Basics

/// How a connection ended.
public enum ClosureCause: UInt8, Equatable, Sendable, BitwiseCopyable {
    /// Both ends have said all that they will, and know it.
    case finished
    case reset
    /// The other end answered the SYN with a RST.
    case refused
    /// The other end went silent for longer than the user timeout.
    case timedOut
}

/// Where a ``Connection`` leaves what it wants done; the host carries the items out in order and empties it.
public struct Output: ~Copyable {
    /// One thing that a connection asks of, or tells, its host; octets are ranges of the arena.
    public enum Item: Equatable, Sendable, BitwiseCopyable {
        /// A TCP header with its payload and its checksum, ready to be put behind an IP header.
        case segment(ByteRange)
        /// The next payload for the application, in order.
        case bytes(ByteRange)
        /// The handshake is complete.
        case connected
        /// The send buffer has room again, after a write that it could not take whole.
        case writable(byteCount: Int)
        /// The other end will write nothing more; what it wrote is delivered.
        case peerFinished
        /// The last item of a connection. After ``ClosureCause/finished`` it may still answer from TIME-WAIT.
        case closed(ClosureCause)
    }

    /// The octets of the items.
    public var arena: ByteArena
    private var waiting = Slab<Item>()

    /// An empty output with room for so many octets; it grows when it has to.
    public init(byteCapacity: Int = 64 * 1024) {
        arena = ByteArena(capacity: byteCapacity)
    }

    /// How many items wait.
    public var count: Int { waiting.count }

    /// What is to be done, in order.
    public subscript(index: Int) -> Item { waiting[index] }

    /// All items, copied.
    public var items: ContiguousArray<Item> {
        ContiguousArray((0..<count).map { self[$0] })
    }

    /// Forgets the items and their octets, and keeps the room.
    public mutating func removeAll() {
        waiting.removeAll()
        arena.removeAll()
    }

    /// The octets of an item, until the output is emptied.
    @_lifetime(borrow self)
    public borrowing func bytes(_ range: ByteRange) -> RawSpan {
        arena.bytes(range)
    }

    mutating func append(_ item: Item) {
        waiting.append(item)
    }
}
