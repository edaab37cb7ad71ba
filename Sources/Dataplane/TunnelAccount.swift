public import Basics
import CDataplane

/// What the fast path has sent into a tunnel and received from it, since the tunnel was set.
public struct TunnelAccount: Equatable, Sendable, BitwiseCopyable {
    public var packetsSent: UInt64
    /// Inner packets' bytes, in both directions.
    public var bytesSent: UInt64
    public var lastSent: Instant?
    /// Sequence numbers that arrived, each once.
    public var packetsReceived: UInt64
    public var bytesReceived: UInt64
    /// Sequence numbers from the first to the highest.
    public var packetsExpected: UInt64
    public var duplicates: UInt64
    /// Too late to tell whether they are duplicates; dropped.
    public var late: UInt64
    /// Far from all others.
    public var unrelated: UInt64
    public var highestSequence: UInt32
    public var lastReceived: Instant?
    /// Transit times less ``transitBase``, summed over the packets received.
    public var transitSum: Interval
    /// The least transit less ``transitBase`` of the last one to two periods of 2^30 ns; nil before the first packet.
    public var transitMinimum: Interval?
    /// Arrival on this clock less departure on the sender's of the first packet, in microseconds modulo 2^32.
    public var transitBase: UInt32

    init(_ sent: patronus_transmission, _ received: patronus_reception) {
        packetsSent = sent.sequence &- sent.start
        bytesSent = sent.bytes
        lastSent = packetsSent == 0 ? nil : Instant(nanoseconds: sent.last)
        packetsReceived = received.received
        bytesReceived = received.bytes
        packetsExpected = received.expected
        duplicates = received.duplicates
        late = received.late
        unrelated = received.unrelated
        highestSequence = received.highest
        lastReceived = received.received == 0 ? nil : Instant(nanoseconds: received.last)
        transitSum = Interval(nanoseconds: received.transit_sum)
        transitBase = received.transit_base
        let least = min(received.transit_minimum, received.former_minimum)
        transitMinimum = received.received == 0 || least == .max ? nil : Interval(nanoseconds: least)
    }

    /// Sequence numbers that have not arrived.
    public var packetsLost: UInt64 { packetsExpected > packetsReceived ? packetsExpected &- packetsReceived : 0 }
}
