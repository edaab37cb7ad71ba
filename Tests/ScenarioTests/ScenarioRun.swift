import Basics
import Foundation
import Measure
import Results
import Scenario
import ScenarioFiles
import Simulator
import Telemetry

/// The project's folder.
let projectFolder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// A scenario run to its end on the simulator, as `patronus-sim run` does it.
struct ScenarioRun {
    let results: RunResults
    /// The capture files of the links that the scenario names, by link.
    let captures: [[UInt8]]

    var record: RunRecord { results.record }
    var summary: RunSummary { results.summary }
    var digest: String { results.digest }

    init(_ scenario: Scenario, seed: UInt64? = nil, isCapturing: Bool = false) throws {
        var simulation = Simulation(
            scenario, seed: seed,
            replays: try scenario.traffic.map { entry in
                guard case .replay(let capture) = entry.application else { return nil }
                return try PcapReader.script(of: capture)
            })
        captures = try Self.finish(&simulation, scenario, isCapturing: isCapturing)
        let record = simulation.finish()
        results = RunResults(record: record, summary: RunSummary(record, wallSeconds: nil), version: "test")
    }

    /// Runs to the end in steps, and gives the capture files where they are wanted.
    private static func finish(
        _ simulation: inout Simulation, _ scenario: Scenario, isCapturing: Bool
    ) throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "captures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let links = isCapturing ? scenario.record.capturedLinks : []
        let files = try links.map { link in
            let path = folder.appending(path: "\(link).pcap").path
            return CaptureFolderFile(path: path, link: link, writer: try PcapWriter(to: .init(path)))
        }
        let end = Instant.zero + scenario.duration
        while simulation.now < end {
            simulation.run(until: min(simulation.now + .milliseconds(500), end))
            simulation.drainCapture { buffer in
                for frame in buffer.frames {
                    guard let file = files.first(where: { $0.link == frame.linkIndex }) else { continue }
                    file.writer.write(buffer.bytes(frame), at: frame.at)
                }
            }
        }
        return try files.map { file in
            try file.writer.flush()
            return [UInt8](try Data(contentsOf: URL(filePath: file.path)))
        }
    }

    func metric(_ name: String) throws -> Double {
        guard let metric = summary.metrics[name] else { throw MissingMetric(name: name) }
        return metric.value
    }

    /// Everything that makes the run no success, one line each.
    var complaints: [String] {
        let failed = summary.expectations.filter { !$0.passed }.map { result in
            "\(result.expectation.metric) is \(result.value.map { "\($0)" } ?? "missing")"
                + " \(result.unit.rawValue) \(result.reason ?? "")"
        }
        return failed + record.violations.map(\.text)
    }

    private final class CaptureFolderFile {
        let path: String
        let link: Int
        var writer: PcapWriter

        init(path: String, link: Int, writer: consuming PcapWriter) {
            self.path = path
            self.link = link
            self.writer = writer
        }
    }
}

struct MissingMetric: Error {
    let name: String
}

/// The scenarios that come with the project.
enum Shipped {
    static let names = [
        "abilene", "bgp-session-reset", "branch-blackout", "branch-brownout", "branch-flap", "branch-silent-blackout",
        "bufferbloat", "flash-crowd", "full-table", "lte-backup", "node-restart", "one-way-loss", "prefix-hijack",
        "replay", "route-leak", "syn-flood", "udp-flood",
    ]

    static func scenario(_ name: String) throws -> Scenario {
        let path = projectFolder.appending(path: "scenarios/\(name).json").path
        return try ScenarioLoader(.disk).load(path).scenario
    }

    /// Each at its own seed, run once for all tests.
    private static let runs: [Result<ScenarioRun, any Error>] = names.map { name in
        Result { try ScenarioRun(try scenario(name)) }
    }

    static func run(_ name: String) throws -> ScenarioRun {
        guard let index = names.firstIndex(of: name) else { throw MissingMetric(name: name) }
        return try runs[index].get()
    }
}

/// A scenario that a test writes down itself, over a topology of its own.
func scenario(topology: String, _ text: String) throws -> Scenario {
    let files = [
        InputFile(path: "scenario.json", bytes: Array(text.utf8)),
        InputFile(path: "topology.json", bytes: Array(topology.utf8)),
    ]
    return try ScenarioLoader(.memory(files)).load("scenario.json").scenario
}
