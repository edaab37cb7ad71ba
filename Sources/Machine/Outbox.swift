public import Basics

/// Where a machine leaves what it wants done.
///
/// The host owns it, carries the actions out in order after every event or batch, and hands it back empty with its
/// capacity kept.
public struct Outbox: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Action>
    @usableFromInline var capacity = 256
    /// How many actions wait.
    public private(set) var count = 0
    /// The octets of the actions; a machine appends here and names the range in an action.
    public var arena: ByteArena

    public init(byteCapacity: Int = 64 * 1024) {
        arena = ByteArena(capacity: byteCapacity)
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// The action at that place, in the order in which they were left.
    public subscript(index: Int) -> Action {
        precondition(index >= 0 && index < count)
        return unsafe storage[index]
    }

    /// All actions, copied.
    public var actions: ContiguousArray<Action> {
        ContiguousArray((0..<count).map { self[$0] })
    }

    /// Forgets all actions and their octets, and keeps the room.
    public mutating func removeAll() {
        count = 0
        arena.removeAll()
    }

    /// Leaves an action behind those that wait already.
    public mutating func append(_ action: Action) {
        if count == capacity { grow() }
        unsafe (storage + count).initialize(to: action)
        count &+= 1
    }

    /// The octets of an action, until the outbox is emptied.
    @_lifetime(borrow self)
    public borrowing func bytes(_ range: ByteRange) -> RawSpan {
        arena.bytes(range)
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Action>.allocate(capacity: capacity * 2)
        unsafe larger.initialize(from: storage, count: count)
        unsafe storage.deallocate()
        unsafe storage = larger
        capacity *= 2
    }
}
