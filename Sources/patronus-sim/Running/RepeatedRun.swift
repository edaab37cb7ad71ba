import Basics
import Results
import Scenario
import Simulator

/// A stored run once more, up to the end of one second that is written down event by event.
struct RepeatedRun {
    let trace: [TracedEvent]
    private let scenario: Scenario
    private let checkpoints: [Checkpoint]

    init(
        _ runnable: RunnableScenario, seed: UInt64, second: UInt64, title: String, showsProgress: Bool
    ) throws(Failure) {
        scenario = runnable.scenario
        let end = Instant.zero + .seconds(Int64(clamping: second)) + .seconds(1)
        var runner = Runner(scenario, seed: seed, replays: runnable.replays)
        runner.traceEvents(ofSecond: second)
        var progress = ProgressLine(scenario, until: end, title: title, isWanted: showsProgress)
        try runner.run(until: end, &progress)
        trace = runner.trace
        checkpoints = runner.checkpoints
    }

    /// Whether it did what is stored of the run in every second that was repeated.
    func agrees(with stored: [StoredRun.Checkpoint]) -> Bool {
        guard stored.count >= checkpoints.count else { return false }
        return zip(checkpoints, stored).allSatisfy { repeated, stored in
            repeated.second == stored.second && repeated.fingerprint == stored.fingerprint
                && repeated.devices == stored.devices
        }
    }

    /// The event of that number in the second, in words.
    func event(at place: Int) -> NamedEvent? {
        guard trace.indices.contains(place) else { return nil }
        return NamedEvent(trace[place], in: scenario.topology)
    }
}
