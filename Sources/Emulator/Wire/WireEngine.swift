import Basics
import LinuxSystem
import Synchronization

/// What a wire and its thread share.
final class WireEngine: Sendable {
    let clock: MonotonicClock
    let state: Mutex<WireState>
    let poller: Poller

    /// How long before a deadline sleeping ends: a machine's timers wake a thread up to so much too late.
    private static let wakeMargin = Interval.microseconds(80)

    init(clock: MonotonicClock, seed: UInt64, _ settings: UserspaceWire.Settings) throws(SystemError) {
        self.clock = clock
        poller = try Poller()
        state = Mutex(WireState(clock: clock, seed: seed, settings))
    }

    /// Serves the links until told to end, or until an instant has come.
    func run(until end: Instant = .never) {
        var keys = InlineArray<64, UInt32>(repeating: 0)
        var count = 0
        var allowance = PollingAllowance(at: clock.now)
        while true {
            let deadline = state.withLock { state -> Instant? in
                state.work(keys, count)
                return state.isEnding ? nil : min(state.nextDeadline ?? .never, end)
            }
            guard let deadline, end == .never || clock.now < end else { return }
            if deadline == .never {
                count = poller.wait(atMost: nil, keys: &keys)
            } else {
                count = wait(until: deadline, &allowance, &keys)
            }
        }
    }

    /// Sleeps until shortly before `due`, and asks again and again for the rest of the time.
    private func wait(
        until due: Instant, _ allowance: inout PollingAllowance, _ keys: inout InlineArray<64, UInt32>
    ) -> Int {
        var now = clock.now
        if due <= now { return poller.wait(atMost: .zero, keys: &keys) }
        allowance.refill(at: now)
        if due - now > Self.wakeMargin {
            let count = poller.wait(atMost: due - now - Self.wakeMargin, keys: &keys)
            if count > 0 { return count }
            now = clock.now
        }
        guard allowance.isLeft else { return poller.wait(atMost: max(.zero, due - now), keys: &keys) }
        let start = now
        var count = 0
        while now < due, count == 0 {
            count = poller.wait(atMost: .zero, keys: &keys)
            now = clock.now
        }
        allowance.spend(now - start)
        return count
    }
}

/// How much of the time may go to waiting awake: half, so that what shares the processor is not starved.
///
/// Where packets are due all the time, a thread that only polls would take a processor for itself, and the kernel would
/// take that away from it for a twentieth of each second, in one piece.
private struct PollingAllowance {
    private var left = most
    private var refilledAt: Instant

    private static let most = Interval.milliseconds(10)

    init(at now: Instant) {
        refilledAt = now
    }

    var isLeft: Bool { left > .zero }

    mutating func refill(at now: Instant) {
        left = min(Self.most, left + (now - refilledAt) / 2)
        refilledAt = now
    }

    mutating func spend(_ time: Interval) {
        left = left + -time
    }
}
