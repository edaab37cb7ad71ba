import Basics

/// The hold model: take the earliest event, dispatch it, schedule it anew an exponential delay later.
func benchmarkQueue(pending: Int, events: Int) -> Measurement {
    var random = SeededRandom(seed: 1)
    let delays = (0..<65_536).map { _ in UInt64(random.exponential() * 1_000_000) + 1 }
    var queue = EventQueue()
    for index in 0..<pending {
        queue.schedule(QueuedEvent(at: Instant(nanoseconds: random.below(2_000_000)), key: UInt64(index)))
    }
    var handlers = Dispatcher()
    var step = 0
    func hold(_ count: Int) {
        for _ in 0..<count {
            guard let event = queue.popFirst(notAfter: .never) else { return }
            handlers.dispatch(event)
            let delay = Interval(nanoseconds: Int64(delays[step & 65_535]))
            step += 1
            queue.schedule(QueuedEvent(at: event.at + delay, key: event.key))
        }
    }
    hold(pending / 4 + 1_000)
    let seconds = measure { hold(events) }
    precondition(handlers.sum > 0)
    return Measurement(name: "queue-\(pending)", unit: "events", count: UInt64(events), cpuSeconds: seconds)
}

/// Stands for the simulator's switch over what an event concerns.
struct Dispatcher {
    var sum: UInt64 = 0
    var arrivals: UInt64 = 0

    @inline(never)
    mutating func dispatch(_ event: QueuedEvent) {
        if event.key & 1 == 0 {
            sum &+= event.at.nanoseconds
        } else {
            arrivals &+= 1
            sum &+= event.key
        }
    }
}
