import Basics

/// What the application has written and the other end has not yet acknowledged, by stream offset.
struct SendBuffer: Sendable {
    private var ring = ByteRing()
    /// The bytes held.
    private(set) var held = Extent(start: 1, end: 1)
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    var end: Int { held.end }

    var room: Int { capacity &- held.byteCount }

    /// Takes as much of `bytes` as there is room for.
    mutating func write(_ bytes: RawSpan) -> Int {
        let count = min(bytes.byteCount, room)
        guard count > 0 else { return 0 }
        ring.reserve(held.byteCount &+ count, holding: held)
        ring.write(bytes.extracting(0..<count), at: held.end)
        held.end &+= count
        return count
    }

    /// Lets go of everything below `offset`.
    mutating func release(upTo offset: Int) {
        held.start = max(held.start, min(offset, held.end))
    }

    /// Lets go of everything, and of the memory.
    mutating func discard() {
        held.start = held.end
        ring = ByteRing()
    }

    func append(_ extent: Extent, to arena: inout ByteArena) {
        ring.append(extent, to: &arena)
    }

    func onesComplementSum(_ extent: Extent) -> UInt64 {
        ring.onesComplementSum(extent)
    }
}
