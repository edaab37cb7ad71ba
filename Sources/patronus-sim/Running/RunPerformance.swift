import Basics
import Measure
import Results
import Scenario

/// What one `run` is asked to do.
struct RunRequest {
    /// The scenario's file, as the user named it.
    var path: String
    /// With the seed and the captured links that the command line asks for.
    var runnable: RunnableScenario
    /// The folder for the results; nil takes the one named after the run.
    var folder: String?
    var junit: String?
    var isJSON: Bool
    var showsProgress: Bool
    var backend = RunCommand.Backend.sim
}

/// Carries a run out: simulates, measures, writes the results, and says what came of it.
struct RunPerformance {
    private let request: RunRequest
    private var scenario: Scenario { request.runnable.scenario }

    init(_ request: RunRequest) {
        self.request = request
    }

    func perform() throws(Failure) -> ExitStatus {
        let target =
            request.folder?.withoutTrailingSlashes
            ?? "results/"
            + RunResults.folderName(scenario: scenario.name, seed: scenario.seed, backend: request.backend.rawValue)
        let folder = try opening { () throws(ResultsError) in try ResultsFolder(at: target) }
        let results: RunResults
        do {
            results = try run(into: folder)
        } catch {
            folder.discard()
            throw error
        }
        // What came of the run is shown even where the report beside it cannot be written.
        defer { show(results, folder: target) }
        if let junit = request.junit {
            try writing { () throws(ResultsError) in try JUnitReport(results).write(to: junit) }
        }
        return ExitStatus(results.summary.status)
    }

    /// The whole run, from the first event to the folder in its place.
    private func run(into folder: ResultsFolder) throws(Failure) -> RunResults {
        let start = ContinuousClock.now
        let links = scenario.record.capturedLinks
        let captures = try writing { () throws(ResultsError) in
            let names = links.map { scenario.topology.links[$0].name }
            return try LinkCaptures(links, at: folder.openCaptures(ofLinks: names))
        }
        let record =
            switch request.backend {
            case .sim: try simulate(captures)
            case .netns: try emulate(captures)
            }
        let wallSeconds = (ContinuousClock.now - start) / .seconds(1)
        let results = RunResults(
            record: record, summary: RunSummary(record, wallSeconds: wallSeconds), inputs: request.runnable.inputs,
            version: PatronusSim.version, wallSeconds: wallSeconds)
        try writing { () throws(ResultsError) in
            try captures.flush()
            try folder.write(results)
        }
        try Interruption.check()
        try writing { () throws(ResultsError) in try folder.commit() }
        return results
    }

    private func simulate(_ captures: LinkCaptures) throws(Failure) -> RunRecord {
        var runner = Runner(
            scenario, seed: scenario.seed, replays: request.runnable.replays, captures: captures)
        var progress = ProgressLine(scenario, until: end, isWanted: request.showsProgress)
        try runner.run(until: end, &progress)
        return runner.finish()
    }

    private func emulate(_ captures: LinkCaptures) throws(Failure) -> RunRecord {
        Console.error(GroundWarnings.text(request.runnable, isKept: false))
        let run = try EmulatedRun(request.runnable)
        var progress = ProgressLine(scenario, until: end, isWanted: request.showsProgress)
        return try run.run(until: end, captures: captures, &progress)
    }

    private var end: Instant { .zero + scenario.duration }

    private func show(_ results: RunResults, folder: String) {
        if request.isJSON {
            Console.output(results.summaryJSON)
        } else {
            let text = RunText(results, folder: folder, palette: Palette(isTerminal: Console.outputIsTerminal))
            Console.output(text.text)
        }
        Console.error(RunText.annotations(results, file: request.path))
    }

    /// A place for results that cannot be used is the user's to change.
    private func opening<Value>(_ body: () throws(ResultsError) -> Value) throws(Failure) -> Value {
        do { return try body() } catch { throw Failure(.badInput, error.description) }
    }

    /// What cannot be written once the run is on is the machine's lack.
    private func writing<Value>(_ body: () throws(ResultsError) -> Value) throws(Failure) -> Value {
        do { return try body() } catch { throw Failure(.lacking, error.description) }
    }
}
