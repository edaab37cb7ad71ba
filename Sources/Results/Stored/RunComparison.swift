/// Two runs side by side: two seeds, two versions, the simulator against the emulator.
public struct RunComparison: Equatable, Sendable {
    /// One metric of both runs.
    public struct MetricChange: Equatable, Sendable {
        public var name: String
        public var unit: String
        /// Nil where the run did not produce it.
        public var first: Double?
        public var second: Double?

        /// How much more the second run has.
        public var difference: Double? {
            guard let first, let second else { return nil }
            return second - first
        }

        /// The difference as a part of the first value; nil where that is 0.
        public var relativeDifference: Double? {
            guard let difference, let first, first != 0 else { return nil }
            return difference / abs(first)
        }

        /// Whether both runs have it, to the last bit.
        public var isEqual: Bool { first == second }
    }

    /// An expectation that only one of the runs met, or that only one had.
    public struct ExpectationChange: Equatable, Sendable {
        public var metric: String
        public var condition: String
        /// Nil where the run had no such expectation.
        public var firstPassed: Bool?
        public var secondPassed: Bool?
    }

    /// Where two simulated runs part.
    public struct Divergence: Equatable, Sendable {
        /// The simulated second within which they did, from 0.
        public var second: UInt64
        /// The first node, in the topology's order, whose own fingerprint differs; nil where none does.
        public var node: String?

        public init(second: UInt64, node: String?) {
            self.second = second
            self.node = node
        }
    }

    public var first: StoredRun
    public var second: StoredRun
    /// Every metric of either run, in the first run's order.
    public var metrics: [MetricChange]
    public var expectations: [ExpectationChange]
    /// Nil where the runs did the same as long as both ran, or were not made to be repeatable.
    public var divergence: Divergence?

    public init(_ first: StoredRun, _ second: StoredRun) {
        self.first = first
        self.second = second
        metrics = Self.metricChanges(first, second)
        expectations = Self.expectationChanges(first, second)
        divergence = Self.divergence(first, second)
    }

    /// Whether both runs did the same, to the last event.
    public var isSameRun: Bool { first.digest == second.digest }

    private static func metricChanges(_ first: StoredRun, _ second: StoredRun) -> [MetricChange] {
        let others = Dictionary(second.metrics.map { ($0.name, $0) }, uniquingKeysWith: { known, _ in known })
        let known = Set(first.metrics.map(\.name))
        let shared = first.metrics.map { metric in
            MetricChange(
                name: metric.name, unit: metric.unit, first: metric.value, second: others[metric.name]?.value)
        }
        let added = second.metrics.filter { !known.contains($0.name) }.map { metric in
            MetricChange(name: metric.name, unit: metric.unit, first: nil, second: metric.value)
        }
        return shared + added
    }

    private static func expectationChanges(_ first: StoredRun, _ second: StoredRun) -> [ExpectationChange] {
        func condition(_ expectation: StoredRun.Expectation) -> String {
            "\(expectation.operatorName) \(expectation.limitText)"
        }
        var others = second.expectations
        var changes: [ExpectationChange] = []
        for expectation in first.expectations {
            let place = others.firstIndex {
                $0.metric == expectation.metric && condition($0) == condition(expectation)
            }
            let other = place.map { others.remove(at: $0) }
            guard other?.passed != expectation.passed else { continue }
            changes.append(
                ExpectationChange(
                    metric: expectation.metric, condition: condition(expectation), firstPassed: expectation.passed,
                    secondPassed: other?.passed))
        }
        return changes
            + others.map {
                ExpectationChange(
                    metric: $0.metric, condition: condition($0), firstPassed: nil, secondPassed: $0.passed)
            }
    }

    private static func divergence(_ first: StoredRun, _ second: StoredRun) -> Divergence? {
        for (left, right) in zip(first.checkpoints, second.checkpoints) {
            guard left.second == right.second else {
                return Divergence(second: min(left.second, right.second), node: nil)
            }
            guard left.fingerprint != right.fingerprint || left.devices != right.devices else { continue }
            let place = zip(left.devices, right.devices).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            let node = place.flatMap { first.nodes.indices.contains($0) ? first.nodes[$0] : nil }
            return Divergence(second: left.second, node: node)
        }
        return nil
    }
}
