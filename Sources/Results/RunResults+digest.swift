import Measure
import Scenario

extension RunResults {
    /// What the run did, in one line: equal for the same scenario, seed and version, wherever it ran.
    ///
    /// It covers the scenario's name, the seed, the fingerprint of every simulated second and
    /// every metric to the last bit, but nothing of what the run cost (`run.*`).
    public var digest: String { ContentDigest.text(of: canonicalBytes) }

    private var canonicalBytes: [UInt8] {
        var text = "patronus-run 1\n"
        let name = record.scenario.name
        text += "scenario \(name.utf8.count):\(name)\nseed \(record.seed)\n"
        for checkpoint in record.checkpoints {
            text += "second \(checkpoint.second) \(hexadecimal(checkpoint.fingerprint))\n"
        }
        for metric in summary.metrics.all where !metric.isLeftOutOfDigest {
            text += "metric \(metric.name.utf8.count):\(metric.name) \(hexadecimal(metric.value.bitPattern))\n"
        }
        return Array(text.utf8)
    }
}

extension Metric {
    /// Whether it is the simulator's own cost.
    var isLeftOutOfDigest: Bool { isCost || name.hasPrefix("run.") }
}
