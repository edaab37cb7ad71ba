import Basics
import Scenario
import Simulator
import Traffic

/// Drives one simulation through virtual time, with a look around after each step.
struct Runner: ~Copyable {
    /// How much virtual time passes between two looks at the clock and at signals.
    static let step = Interval.milliseconds(50)

    private var simulation: Simulation
    private let captures: LinkCaptures?

    /// Builds the world; captured packets go to `captures`, or are forgotten where that is nil.
    init(_ scenario: Scenario, seed: UInt64, replays: [ReplayScript?], captures: LinkCaptures? = nil) {
        simulation = Simulation(scenario, seed: seed, replays: replays)
        self.captures = captures
    }

    /// Lets everything happen up to `end`; throws where a signal asks to stop.
    mutating func run(until end: Instant, _ progress: inout ProgressLine) throws(Failure) {
        defer { progress.clear() }
        while simulation.now < end {
            try Interruption.check()
            simulation.run(until: min(simulation.now + Self.step, end))
            simulation.drainCapture { [captures] frames in captures?.take(frames) }
            progress.show(simulation.now)
        }
    }

    /// Writes down every event of that second of simulated time.
    mutating func traceEvents(ofSecond second: UInt64) { simulation.traceEvents(ofSecond: second) }

    var trace: [TracedEvent] { simulation.trace }

    var checkpoints: [Checkpoint] { simulation.checkpoints }

    /// Everything that the run has to say.
    mutating func finish() -> RunRecord { simulation.finish() }
}
