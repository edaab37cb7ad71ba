public import Basics

/// Where a machine leaves what it wants done.
///
/// The host owns it, carries the actions out in order after every event or batch, and
/// hands it back empty with its capacity kept.
public struct Outbox: ~Copyable {
    public private(set) var actions: ContiguousArray<Action> = []
    /// The octets of the actions; a machine appends here and names the range in an action.
    public var arena: ByteArena

    public init(byteCapacity: Int = 64 * 1024) {
        arena = ByteArena(capacity: byteCapacity)
        actions.reserveCapacity(256)
    }

    /// Empties the outbox and keeps its capacity.
    public mutating func removeAll() {
        actions.removeAll(keepingCapacity: true)
        arena.removeAll()
    }

    /// Asks the host for one thing more.
    public mutating func append(_ action: Action) {
        actions.append(action)
    }

    /// The octets of an action, until the outbox is emptied.
    @_lifetime(borrow self)
    public borrowing func bytes(_ range: ByteRange) -> RawSpan {
        arena.bytes(range)
    }
}
