import Measure
import Results
import Scenario
import Testing

struct DigestTests {
    private func digest(_ change: (inout RunRecord) -> Void = { _ in }) -> String {
        SampleRun.quietResults(change).digest
    }

    @Test func `the digest of a run is what it always was`() {
        #expect(digest() == "sha256:89ea2c484f35265f9b8e19c58bbc7ecf375834aabfd4f20030a60545dc5d5cca")
    }

    @Test func `what a run cost is no part of its digest`() {
        var slow = SampleRun.quietResults(wallSeconds: 500)
        slow.version = "9.9.9"
        slow.inputs = []
        #expect(slow.digest == digest())
        let busy = digest {
            $0.eventCount += 1
            $0.packetHops += 1
        }
        #expect(busy == digest())
    }

    @Test func `everything that a run did is part of its digest`() {
        let changed = [
            digest { $0.seed += 1 },
            digest { $0.scenario.name += "x" },
            digest { $0.checkpoints[30].fingerprint ^= 1 },
            digest { $0.checkpoints.removeLast() },
            digest { $0.violations = [InvariantViolation(kind: .blackhole, at: SampleRun.dark, text: "lost")] },
            digest { $0.telemetry.removeAll { $0.node == 1 } },
        ]
        #expect(Set(changed + [digest()]).count == changed.count + 1)
    }
}
