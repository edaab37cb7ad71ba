import Basics

/// The end of a link that sends one packet after the other, by a rate or a trace.
///
/// The instant at which it is free is kept as whole nanoseconds and a remainder, so that no number of packets
/// adds up to more or less than the rate. Instants handed out are rounded up: nothing leaves too early.
struct Transmitter: Sendable {
    /// Bits per second; 0 stands for infinitely many.
    private var rate: UInt64 = 0
    /// 2^64 divided by the rate, rounded down.
    private var reciprocal: UInt64 = 0
    private var free: UInt64 = 0
    /// What `free` lacks, in parts of a nanosecond of which there are `rate`.
    private var remainder: UInt64 = 0
    private var cursor: TraceCursor?

    init(_ profile: LinkProfile) {
        setService(profile, traceStart: .zero)
    }

    /// Forgets what is booked and goes on from `instant`, when the packet in transmission has left.
    ///
    /// A trace that was not in force before starts `now`.
    mutating func restart(_ profile: LinkProfile, from instant: Instant, at now: Instant) {
        setService(profile, traceStart: cursor?.trace == profile.trace ? cursor?.base ?? now : now)
        free = instant.nanoseconds
        remainder = 0
        _ = cursor?.nextStart(after: instant)
    }

    private mutating func setService(_ profile: LinkProfile, traceStart: Instant) {
        cursor = profile.trace.map { TraceCursor($0, startingAt: traceStart) }
        rate = profile.trace == nil ? profile.rate.map { max(1, $0.bitsPerSecond) } ?? 0 : 0
        reciprocal = rate == 0 ? 0 : .max / rate
    }

    /// The instant at which a packet that is `ready` would start; by a trace that is after it.
    @inline(__always)
    mutating func nextStart(ready: Instant) -> Instant {
        guard cursor == nil else { return tracedStart(ready: ready) }
        if ready.nanoseconds > free {
            free = ready.nanoseconds
            remainder = 0
        }
        return roundedFree
    }

    /// Starts a packet at what `nextStart` said and returns when its last bit has left.
    @inline(__always)
    mutating func send(byteCount: UInt32) -> Instant {
        guard rate != 0 else { return sendUnrated(byteCount: byteCount) }
        // Times 8 bits and 10^9 nanoseconds; at most 2^58 for the largest packet. The product with the
        // reciprocal is the quotient or one less than it.
        let work = UInt64(byteCount) &* 8_000_000_000
        var quotient = work.multipliedFullWidth(by: reciprocal).high
        var rest = work &- quotient &* rate
        if rest >= rate {
            quotient &+= 1
            rest &-= rate
        }
        rest &+= remainder
        if rest >= rate {
            quotient &+= 1
            rest &-= rate
        }
        free &+= quotient
        remainder = rest
        return roundedFree
    }

    @inline(__always)
    private var roundedFree: Instant {
        Instant(nanoseconds: free &+ (remainder == 0 ? 0 : 1))
    }

    @inline(never)
    private mutating func tracedStart(ready: Instant) -> Instant {
        cursor?.nextStart(after: ready) ?? ready
    }

    @inline(never)
    private mutating func sendUnrated(byteCount: UInt32) -> Instant {
        cursor?.send(byteCount: byteCount) ?? roundedFree
    }
}
