import Basics
import Scenario
import Telemetry

/// Keeps what the machines report, in order of time.
struct RunRecorder: Sendable {
    private(set) var telemetry: [TimedRecord] = []
    /// Packets that nodes dropped, by cause; too many to keep one by one.
    private(set) var dropCounts = [UInt64](repeating: 0, count: DropCause.allCases.count)

    mutating func append(_ record: TelemetryRecord, from node: Int, at now: Instant) {
        if case .dropped(let cause) = record {
            dropCounts[Int(cause.rawValue)] += 1
            return
        }
        telemetry.append(TimedRecord(at: now, node: node, record: record))
    }
}
