import Basics
import LinuxSystem
import Synchronization

/// What a wire and its thread share.
final class WireEngine: Sendable {
    let clock: MonotonicClock
    let state: Mutex<WireState>
    let poll: EventPoll
    /// Ends the wait that the thread is in, or its next one.
    let bell: Bell

    private static let bellToken = UInt64.max

    /// How long before a deadline sleeping ends: a machine's timers wake a thread up to so much too late.
    private static let wakeMargin = Interval.microseconds(80)

    init(clock: MonotonicClock, seed: UInt64, _ settings: UserspaceWire.Settings) throws(SystemError) {
        self.clock = clock
        poll = try EventPoll()
        bell = try Bell()
        try poll.add(bell.number, for: .readable, token: Self.bellToken)
        state = Mutex(WireState(clock: clock, seed: seed, settings))
    }

    /// Serves the links until told to end, or until an instant has come.
    func run(until end: Instant = .never) {
        var ready = ReadyDescriptors()
        var allowance = PollingAllowance(at: clock.now)
        while true {
            let deadline = state.withLock { state -> Instant? in
                state.work(ready)
                return state.isEnding ? nil : min(state.nextDeadline ?? .never, end)
            }
            guard let deadline, end == .never || clock.now < end else { return }
            if deadline == .never {
                wait(atMost: nil, &ready)
            } else {
                wait(until: deadline, &allowance, &ready)
            }
        }
    }

    private func wait(atMost limit: Interval?, _ ready: inout ReadyDescriptors) {
        // What the kernel has against a wait it has against the next one too.
        try? poll.wait(atMost: limit, into: &ready)
        for place in 0..<ready.count where ready[place].token == Self.bellToken { bell.hear() }
    }

    /// Sleeps until shortly before `due`, and asks again and again for the rest of the time.
    private func wait(until due: Instant, _ allowance: inout PollingAllowance, _ ready: inout ReadyDescriptors) {
        var now = clock.now
        if due <= now { return wait(atMost: .zero, &ready) }
        allowance.refill(at: now)
        if due - now > Self.wakeMargin {
            wait(atMost: due - now - Self.wakeMargin, &ready)
            if ready.count > 0 { return }
            now = clock.now
        }
        guard allowance.isLeft else { return wait(atMost: max(.zero, due - now), &ready) }
        let start = now
        repeat {
            wait(atMost: .zero, &ready)
            now = clock.now
        } while now < due && ready.count == 0
        allowance.spend(now - start)
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
