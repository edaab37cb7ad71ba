import Basics
import Scenario
import Telemetry

/// Keeps what the machines report, in order of time.
struct RunRecorder: Sendable {
    private(set) var telemetry: [TimedRecord] = []

    mutating func append(_ record: TelemetryRecord, from node: Int, at now: Instant) {
        // Drops are in the accounts; one by one they would be too many.
        if case .dropped = record { return }
        telemetry.append(TimedRecord(at: now, node: node, record: record))
    }
}
