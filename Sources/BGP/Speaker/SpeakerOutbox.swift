public import Basics
public import Wire

/// One thing that a speaker asks of its caller; octets are ranges of the outbox's arena.
public enum SpeakerAction: Equatable, Sendable, BitwiseCopyable {
    /// Opens a connection to the peer, answered by `connected` or `connectFailed`.
    case connect(peer: Int)
    /// Gives up the attempt of the last ``connect(peer:)``; it is not answered.
    case abandonConnect(peer: Int)
    case write(ConnectionID, ByteRange)
    /// Ends a connection once all that was written has been sent; it is not answered.
    case close(ConnectionID)
    /// Ends a connection at once, whatever has not been sent yet; it is not answered.
    case abort(ConnectionID)
    case sessionChanged(peer: Int, BGPSessionState)
    /// The Loc-RIB's best route to the prefix leads to that next hop from now on.
    ///
    /// Where `maximumPaths` allows for several, ``Speaker/nextHops(to:)`` names all of them,
    /// and this comes with every change of theirs.
    case install(IPPrefix, nextHop: IPAddress)
    /// No route that was heard from a peer leads to the prefix any more.
    case withdraw(IPPrefix)
}

/// Where a speaker leaves what it wants done, in order; the caller empties it.
public struct SpeakerOutbox: ~Copyable {
    public private(set) var actions: ContiguousArray<SpeakerAction> = []
    public internal(set) var arena: ByteArena
    /// Where ``Speaker/reportsBestRoutes`` asks for it, prefixes whose best route has changed or gone.
    public private(set) var changedPrefixes: ContiguousArray<IPPrefix> = []

    /// An empty outbox with room for so many octets; it grows if it must.
    public init(byteCapacity: Int = 16 * 1024) {
        arena = ByteArena(capacity: byteCapacity)
    }

    /// The octets of an action, until the outbox is emptied.
    @_lifetime(borrow self)
    public borrowing func bytes(_ range: ByteRange) -> RawSpan {
        arena.bytes(range)
    }

    /// Empties the outbox and keeps its room.
    public mutating func removeAll() {
        actions.removeAll(keepingCapacity: true)
        changedPrefixes.removeAll(keepingCapacity: true)
        arena.removeAll()
    }

    mutating func append(_ action: SpeakerAction) {
        actions.append(action)
    }

    mutating func bestRouteChanged(to prefix: IPPrefix) {
        changedPrefixes.append(prefix)
    }

    /// Asks for everything in the arena from `start` on to be written, together with what the last action writes.
    mutating func write(_ connection: ConnectionID, from start: Int) {
        guard arena.count > start else { return }
        if case .write(connection, let range)? = actions.last, Int(range.start) + Int(range.count) == start {
            let merged = ByteRange(start: Int(range.start), count: arena.count - Int(range.start))
            actions[actions.count - 1] = .write(connection, merged)
            return
        }
        actions.append(.write(connection, ByteRange(start: start, count: arena.count - start)))
    }
}
