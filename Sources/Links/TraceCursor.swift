import Basics

/// Where a transmitter stands in its trace.
///
/// Going to the next opportunity is one step; skipping those that nobody used costs the logarithm of their
/// number, and whole periods are skipped by one division.
struct TraceCursor: Sendable {
    let trace: Trace
    /// The trace's millisecond 0, the first time.
    let base: Instant
    private let period: UInt64
    private var periodStart: UInt64
    private var index = 0
    /// The bytes that may still leave at `time`.
    private var left: UInt32

    init(_ trace: Trace, startingAt base: Instant) {
        self.trace = trace
        self.base = base
        period = UInt64(trace.period.nanoseconds)
        periodStart = base.nanoseconds
        left = trace.allowances[0]
    }

    /// The instant of the opportunity at hand.
    private var time: UInt64 {
        periodStart &+ UInt64(trace.milliseconds[index]) &* 1_000_000
    }

    /// Goes to where the next byte may leave, which is after `ready`; what could have left before is gone.
    mutating func nextStart(after ready: Instant) -> Instant {
        if left == 0 { step() }
        if time <= ready.nanoseconds { seek(after: ready.nanoseconds) }
        return Instant(nanoseconds: time)
    }

    /// Uses up opportunities for that many bytes and says when the last of them leaves.
    mutating func send(byteCount: UInt32) -> Instant {
        var rest = byteCount
        while rest > left {
            rest -= left
            step()
        }
        left -= rest
        return Instant(nanoseconds: time)
    }

    private mutating func step() {
        index += 1
        if index == trace.milliseconds.count {
            index = 0
            periodStart &+= period
        }
        left = trace.allowances[index]
    }

    private mutating func seek(after ready: UInt64) {
        let elapsed = ready &- periodStart
        if elapsed >= period {
            periodStart &+= elapsed / period &* period
            index = 0
        }
        let passed = UInt32((ready &- periodStart) / 1_000_000)
        // The last millisecond is the period, which is not over: there is one after those passed.
        var stride = 1
        var low = index
        while low + stride < trace.milliseconds.count, trace.milliseconds[low + stride] <= passed {
            low += stride
            stride *= 2
        }
        var high = min(low + stride, trace.milliseconds.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if trace.milliseconds[middle] <= passed { low = middle + 1 } else { high = middle }
        }
        index = low
        left = trace.allowances[index]
    }
}
