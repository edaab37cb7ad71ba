import Basics

/// The timers of one session: more than a ``TimerTable`` holds, and otherwise like it.
struct SessionTimers: Sendable {
    private var deadlines: InlineArray<13, Instant> = InlineArray(repeating: .never)

    init() {
        precondition(SessionTimer.allCases.count == deadlines.count)
    }

    /// When the earliest timer fires, and which one it is; of two at the same instant the lower number.
    var next: (name: SessionTimer, at: Instant)? {
        var earliest = 0
        for index in 1..<deadlines.count where deadlines[index] < deadlines[earliest] { earliest = index }
        guard deadlines[earliest] != .never, let name = SessionTimer(rawValue: earliest) else { return nil }
        return (name, deadlines[earliest])
    }

    func isRunning(_ name: SessionTimer) -> Bool { deadlines[name.rawValue] != .never }

    mutating func set(_ name: SessionTimer, at deadline: Instant) {
        deadlines[name.rawValue] = deadline
    }

    mutating func stop(_ name: SessionTimer) {
        deadlines[name.rawValue] = .never
    }

    /// The next timer that is due, stopped by being taken.
    mutating func takeDue(at now: Instant) -> SessionTimer? {
        guard let (name, at) = next, at <= now else { return nil }
        stop(name)
        return name
    }
}
