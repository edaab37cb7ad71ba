/// What must hold of a metric when the run is over.
public struct Expectation: Equatable, Sendable {
    /// The dotted name, as in `failover.outage.max`.
    public var metric: String
    public var condition: Condition
    /// The limit as the file writes it, for showing.
    public var limitText: String

    public init(metric: String, condition: Condition, limitText: String) {
        self.metric = metric
        self.condition = condition
        self.limitText = limitText
    }

    /// An operator with its limit, in the metric's own unit (``MetricUnit``).
    public enum Condition: Equatable, Sendable {
        case below(Double)
        case atMost(Double)
        case atLeast(Double)
        case above(Double)
        case equals(Double)
        /// Both limits included.
        case between(Double, Double)

        /// The operator's key in files.
        public var operatorName: String {
            switch self {
            case .below: "below"
            case .atMost: "atMost"
            case .atLeast: "atLeast"
            case .above: "above"
            case .equals: "equals"
            case .between: "between"
            }
        }

        /// Whether `value` meets it; what is not a number meets nothing.
        public func isMet(by value: Double) -> Bool {
            switch self {
            case .below(let limit): value < limit
            case .atMost(let limit): value <= limit
            case .atLeast(let limit): value >= limit
            case .above(let limit): value > limit
            case .equals(let limit): value == limit
            case .between(let low, let high): value >= low && value <= high
            }
        }
    }
}
