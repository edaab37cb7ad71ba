import Basics
import Telemetry

/// The state of controlled delay for one queue (RFC 8289 §5).
struct CoDel: Sendable, BitwiseCopyable {
    static var target: Interval { .milliseconds(5) }
    static var interval: Interval { .milliseconds(100) }
    /// A queue of no more bytes than this is never too long.
    static var maximumPacket: UInt64 { 1_514 }

    /// When the delay will have been above the target for an interval; nil while it is below.
    private var firstAbove: Instant?
    private var dropNext = Instant.zero
    private var count: UInt32 = 0
    private var lastCount: UInt32 = 0
    private var isDropping = false

    /// Takes the packet to be sent `now` from a queue; those that it drops on the way are appended to `dropped`.
    mutating func dequeue(
        from list: inout PacketList, of store: inout PacketStore, at now: Instant, dropped: inout Ring<Fallen>
    ) -> WaitingPacket? {
        var packet = list.popFirst(of: &store)
        var mayDrop = judge(packet, backlog: list.byteCount, at: now)
        if isDropping {
            isDropping = mayDrop
            while isDropping, now >= dropNext {
                if let packet { dropped.append(Fallen(token: packet.packet.token, cause: .activeQueue)) }
                packet = list.popFirst(of: &store)
                mayDrop = judge(packet, backlog: list.byteCount, at: now)
                isDropping = mayDrop
                guard isDropping else { break }
                count &+= 1
                dropNext = nextDrop(after: dropNext)
            }
        } else if mayDrop {
            if let packet { dropped.append(Fallen(token: packet.packet.token, cause: .activeQueue)) }
            packet = list.popFirst(of: &store)
            // The next packet's delay starts or ends the interval like any other's; its verdict is not used.
            _ = judge(packet, backlog: list.byteCount, at: now)
            isDropping = true
            // After a short pause, go on near the drop rate that held the queue before.
            let delta = count &- lastCount
            count = delta > 1 && now - dropNext < CoDel.interval * 16 ? delta : 1
            dropNext = nextDrop(after: now)
            lastCount = count
        }
        return packet
    }

    /// Whether the delay has been above the target for long enough that this packet may be dropped.
    private mutating func judge(_ packet: WaitingPacket?, backlog: UInt64, at now: Instant) -> Bool {
        guard let packet, now - packet.since >= CoDel.target, backlog > CoDel.maximumPacket else {
            firstAbove = nil
            return false
        }
        guard let firstAbove else {
            firstAbove = now + CoDel.interval
            return false
        }
        return now >= firstAbove
    }

    /// The control law: drops come closer by the square root of their number.
    private func nextDrop(after instant: Instant) -> Instant {
        let step = Double(CoDel.interval.nanoseconds) / Double(count).squareRoot()
        return instant + Interval(nanoseconds: Int64(step))
    }
}
