public import Basics
public import Scenario
public import Traffic

/// What one flow's direction suffered from one incident.
public struct FlowImpact: Equatable, Sendable {
    public var flow: UInt32
    public var direction: FlowDirection
    /// The longest gap in delivery, less the flow's usual one.
    public var outage: Interval
    public var packetsLost: UInt64
    /// From the incident to the first packet by another path; nil where the flow was not moved.
    public var switchover: Interval?
    /// Whether nothing arrived any more, or the flow stayed on the backup after its like had gone back.
    public var isStranded: Bool
}

/// What came of one disruptive incident.
public struct FailoverOutcome: Equatable, Sendable {
    public var incident: Incident
    /// From the incident to each node's first verdict on a tunnel that it hit.
    public var detections: [Interval]
    /// From each of those verdicts to the first packet that the node sent by another path.
    public var reactions: [Interval]
    /// From the incident to the first packet by another path, for each direction of a flow that was moved.
    ///
    /// Only flows whose five-tuples the scenario knows count, here and in `failbackCounts`: what else moves is
    /// nodes' own sessions, silent for seconds, or the connections of streams.
    public var switchovers: [Interval]
    /// The directions of flows that were hit, in the order of the record's reports.
    public var impacts: [FlowImpact]
    /// How often each of these went back.
    public var failbackCounts: [Int]

    /// How many directions of flows went back once the path was good again.
    public var failbacks: Int { failbackCounts.count { $0 > 0 } }

    /// Whether the incident touched anything that the run measured.
    public var wasExercised: Bool { !detections.isEmpty || !impacts.isEmpty || !switchovers.isEmpty }
}
