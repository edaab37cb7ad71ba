import Basics
import Scenario

/// One line on the terminal that says how far a run is.
struct ProgressLine {
    /// The line is drawn again at most this often.
    private static let period = Duration.milliseconds(100)
    private static let barWidth = 24

    private let isShown: Bool
    private let scenario: Scenario
    private let end: Instant
    /// What is going on, where that needs saying.
    private let title: String?
    private let palette = Palette(isTerminal: true)
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?

    /// Shows nothing where it is not wanted, nor where no terminal is.
    init(_ scenario: Scenario, until end: Instant, title: String? = nil, isWanted: Bool) {
        self.scenario = scenario
        self.end = end
        self.title = title
        isShown = isWanted && Console.errorIsTerminal
    }

    /// Draws the line where it is time to.
    mutating func show(_ now: Instant) {
        guard isShown else { return }
        let clock = ContinuousClock.now
        if let lastDrawn, clock - lastDrawn < Self.period { return }
        lastDrawn = clock
        Console.error("\r\u{1B}[K" + line(now, elapsed: clock - start))
    }

    /// Leaves an empty line behind.
    mutating func clear() {
        guard lastDrawn != nil else { return }
        lastDrawn = nil
        Console.error("\r\u{1B}[K")
    }

    private func line(_ now: Instant, elapsed: Duration) -> String {
        let simulated = (now - .zero).inSeconds
        let share = min(1, simulated / max((end - .zero).inSeconds, 1e-9))
        let filled = Int(share * Double(Self.barWidth))
        let bar = String(repeating: "█", count: filled)
        let rest = String(repeating: "░", count: Self.barWidth - filled)
        var text = " \(Int(share * 100)) %  \(Amount.fixed(simulated, decimals: 1)) of \(end - .zero)"
        let seconds = elapsed / .seconds(1)
        if seconds > 0.2 { text += "  \(Amount.number(simulated / seconds)) x real time" }
        if let label = Self.runningEvent(of: scenario, at: now) { text += "  \(label)" }
        let prefix = title.map { "\($0) " } ?? ""
        // One column stays free: a full line would wrap.
        let room = Console.columns - 1 - prefix.count - Self.barWidth
        guard room > 0 else { return "" }
        return prefix + bar + palette.faint(rest) + text.prefix(room)
    }

    /// The label of the event that began last and is not over.
    static func runningEvent(of scenario: Scenario, at now: Instant) -> String? {
        let elapsed = now - Instant.zero
        return scenario.events
            .filter { event in event.at <= elapsed && (event.end.map { elapsed < $0 } ?? true) }
            .max { $0.at < $1.at }?
            .label
    }
}
