import Results

/// Repeats two stored runs up to the second in which they part, and compares that second event by event.
struct DivergenceSearch {
    private let first: StoredRun
    private let second: StoredRun
    private let partingSecond: UInt64
    private let showsProgress: Bool

    init(_ first: StoredRun, _ second: StoredRun, second partingSecond: UInt64, showsProgress: Bool) {
        self.first = first
        self.second = second
        self.partingSecond = partingSecond
        self.showsProgress = showsProgress
    }

    func find() throws(Failure) -> DivergenceFinding {
        guard let left = try repeated(first, title: "first"), let right = try repeated(second, title: "second") else {
            return .unknown(
                "Only the second and the node can be named: this version does not repeat both runs "
                    + "(\(first.version) and \(second.version); this is \(PatronusSim.version)).")
        }
        let pairs = zip(left.trace, right.trace)
        let place = Array(pairs).firstIndex { $0 != $1 } ?? min(left.trace.count, right.trace.count)
        return .events(left.event(at: place), right.event(at: place))
    }

    /// Nil where the run cannot be repeated, or comes out as another one.
    private func repeated(_ stored: StoredRun, title: String) throws(Failure) -> RepeatedRun? {
        let runnable: RunnableScenario
        do throws(Failure) { runnable = try RunnableScenario(stored.inputs) } catch { return nil }
        let run = try RepeatedRun(
            runnable, seed: stored.seed, second: partingSecond, title: "repeating \(title)",
            showsProgress: showsProgress)
        return run.agrees(with: stored.checkpoints) ? run : nil
    }
}
