import Basics
import Links
import Machine
import Steering
import Telemetry
import Wire

/// What all devices of a simulation share: time, packets, links, the event queue, the accounts.
struct Network: ~Copyable {
    private let pinned = Pinned()
    var now = Instant.zero
    var pool: PacketPool
    var queue = EventQueue()
    var links = Slab<LinkInMotion>()
    var ledger = FlowLedger()
    var capture = CaptureBuffer()
    var hops: UInt64 = 0
    /// What the machine that is being served wants done.
    var outbox = Outbox()
    /// Octets that are put together before they become a packet.
    var scratch = ByteArena(capacity: 4_096)
    var recorder = RunRecorder()

    init(largestPacket: Int) {
        pool = PacketPool(largestPacket: largestPacket, headroom: 128, capacity: 1_024)
    }

    /// Puts a frame on a link's direction; the packet belongs to the link from now on.
    mutating func transmit(_ packet: PacketID, on direction: Int) {
        if links[direction].isCaptured, links[direction].isForward {
            pool.capture(packet, link: links[direction].linkIndex, at: now, into: &capture)
        }
        let flowHash = links[direction].link.profile.discipline == .fairQueueCoDel ? pool.flowHash(of: packet) : 0
        let offered = QueuedPacket(
            token: packet.rawValue, byteCount: UInt32(pool.byteCount(packet)), flowHash: flowHash)
        switch links[direction].link.offer(offered, at: now) {
        case .accepted: arm(direction)
        case .dropped(let cause): drop(packet, cause)
        }
    }

    /// Sees to it that the queue holds an event for when the direction has something next.
    mutating func arm(_ direction: Int) {
        guard let due = links[direction].link.nextDue, due < links[direction].scheduledAt else { return }
        let at = max(due, now)
        links[direction].scheduledAt = at
        queue.schedule(QueuedEvent(at: at, key: links[direction].eventKey))
    }

    /// Ends a packet's life as dropped.
    mutating func drop(_ packet: PacketID, _ cause: DropCause) {
        ledger.dropped(pool.tag(packet), cause)
        pool.release(packet)
    }

    /// Ends a packet's life as delivered.
    mutating func deliver(_ packet: PacketID) {
        ledger.delivered(pool.tag(packet))
        pool.release(packet)
    }

    /// A packet that a device originates, from octets at the end of the scratch arena.
    mutating func originate(from start: Int, tag: UInt32) -> PacketID {
        let range = ByteRange(start: start, count: scratch.count - start)
        let packet = scratch.store(range, in: &pool, tag: tag)
        ledger.sent(tag)
        return packet
    }
}
