import Basics

/// Counts what waits for a transmitter whose schedule is known, to hold a drop-tail queue to its limit.
///
/// Nothing tells it that a packet has started: those that have are let go when the next one asks.
struct Backlog: Sendable {
    private struct Entry: Sendable, BitwiseCopyable {
        var start: Instant
        var byteCount: UInt32
    }

    var limit: QueueLimit
    private var entries = Ring<Entry>(capacity: 1)
    private var byteCount: UInt64 = 0

    init(limit: QueueLimit) {
        self.limit = limit
    }

    /// Whether there is room for a packet that would wait until `start`; if so it waits from now on.
    mutating func admits(_ packet: QueuedPacket, until start: Instant, at now: Instant) -> Bool {
        if case .time(let longest) = limit { return start - now <= longest }
        while let first = entries.first, first.start <= now {
            byteCount -= UInt64(first.byteCount)
            _ = entries.popFirst()
        }
        switch limit {
        case .time: return false
        case .bytes(let most): guard byteCount + UInt64(packet.byteCount) <= most else { return false }
        case .packets(let most): guard entries.count < Int(most) else { return false }
        }
        note(packet, until: start)
        return true
    }

    /// Counts a packet that waits, limit or not.
    mutating func note(_ packet: QueuedPacket, until start: Instant) {
        if case .time = limit { return }
        entries.append(Entry(start: start, byteCount: packet.byteCount))
        byteCount += UInt64(packet.byteCount)
    }

    mutating func removeAll() {
        entries.removeAll()
        byteCount = 0
    }
}
