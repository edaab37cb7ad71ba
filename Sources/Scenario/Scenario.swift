// What a run is asked to do: a topology, traffic over it, what happens to it and what
// is expected of it, as typed values that have already been judged.
//
// Way in: `ScenarioFiles` reads JSON or YAML and builds these; tests build them by
// hand. A `Topology` is built from declarations, which fills in port names, addresses
// and the links of hosts (`Topology+building.swift`). Way out: the simulator and the
// measurements read them. Everything is an array in file order, and nodes and links
// refer to each other by index, so that nothing depends on a hash seed. Derived from
// a topology alone: its tunnels (`Topology+tunnels.swift`) and the static shortest
// paths of its underlay (`UnderlayRoutes.swift`).

public import Basics

/// One experiment: what is built, what flows, what breaks, and what must hold.
public struct Scenario: Equatable, Sendable {
    public var name: String
    public var description: String
    public var topology: Topology
    public var seed: UInt64
    public var duration: Interval
    /// The time at the start that metrics leave out.
    public var warmup: Interval
    public var traffic: [TrafficEntry]
    /// In file order, which is the order of events at the same instant.
    public var events: [ScriptedEvent]
    public var expectations: [Expectation]
    public var record: RecordSettings

    public init(
        name: String, description: String = "", topology: Topology, seed: UInt64 = 1, duration: Interval,
        warmup: Interval = .zero, traffic: [TrafficEntry] = [], events: [ScriptedEvent] = [],
        expectations: [Expectation] = [], record: RecordSettings = RecordSettings()
    ) {
        self.name = name
        self.description = description
        self.topology = topology
        self.seed = seed
        self.duration = duration
        self.warmup = warmup
        self.traffic = traffic
        self.events = events
        self.expectations = expectations
        self.record = record
    }
}

/// What a run writes down besides its metrics.
public struct RecordSettings: Equatable, Sendable {
    /// The links whose packets are captured, by index.
    public var capturedLinks: [Int]
    /// How often a sample of every time series is taken.
    public var interval: Interval

    public init(capturedLinks: [Int] = [], interval: Interval = .milliseconds(100)) {
        self.capturedLinks = capturedLinks
        self.interval = interval
    }
}
