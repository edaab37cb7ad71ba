public import Basics
public import Foundation
public import Scenario
public import Telemetry
public import Traffic
public import Wire

/// What an agent, a process that runs one machine of a lab, is to be.
public struct AgentTask: Codable, Sendable {
    /// What the machine does.
    public enum Role: Codable, Equatable, Sendable {
        /// The node or end host that the topology has.
        case machine
        /// Sends the packets of a scripted attack, by the scenario's event.
        case attacker(event: Int)
    }

    /// A file that the scenario is made of.
    public struct Input: Codable, Sendable {
        public var path: String
        public var octets: Data

        public init(path: String, octets: Data) {
            self.path = path
            self.octets = octets
        }
    }

    /// The scenario's file first.
    public var inputs: [Input]
    public var seed: UInt64
    /// By its index in the topology.
    public var node: Int
    public var role: Role
    /// 0 at first, and one more with each restart.
    public var life: UInt64

    public init(inputs: [Input], seed: UInt64, node: Int, role: Role, life: UInt64) {
        self.inputs = inputs
        self.seed = seed
        self.node = node
        self.role = role
        self.life = life
    }
}

/// What the lab says to an agent.
public enum AgentOrder: Codable, Sendable {
    case task(AgentTask)
    /// Starts the machine at the instant zero of a clock of that epoch, or at once where that has passed.
    case go(epoch: UInt64)
    /// Sends a Cease to the peer of that index.
    case resetSession(peer: UInt32)
    /// Begins the session with that peer, which was stopped.
    case startSession(peer: UInt32)
    /// Ends the session with that peer until it is started.
    case stopSession(peer: UInt32, reason: String)
    /// Asks that peer for all that it has told.
    case refreshRoutes(peer: UInt32)
    /// Asks why packets to a prefix or an address go where they go; answered by ``AgentWord/explained(route:_:)``.
    case explain(route: String)
    /// Originates prefixes.
    case announce(PrefixSeries)
    /// Originates prefixes no more.
    case withdraw(PrefixSeries)
    /// Ends the machine; answered by ``AgentWord/finished(_:)``.
    case finish
}

/// One piece of a machine's telemetry.
public struct AgentRecord: Codable, Sendable {
    public var at: Instant
    public var record: TelemetryRecord

    public init(at: Instant, record: TelemetryRecord) {
        self.at = at
        self.record = record
    }
}

/// What an agent has to say when it is over.
public struct AgentReport: Codable, Sendable {
    public var flows: [FlowReport] = []
    public var dataplane: [DataplaneAccount] = []
    /// Packets that a node dropped though a tunnel was up.
    public var blackholedPackets: UInt64 = 0
    /// Where the kernel's routes are not those that the node wanted, in words.
    public var routeDisagreement: String?
    /// Packets of an attack that were sent.
    public var attackPackets: UInt64 = 0

    public init() {}
}

/// What an agent says to the lab.
public enum AgentWord: Codable, Sendable {
    /// It has everything that it needs, and waits for ``AgentOrder/go(epoch:)``.
    case ready
    case telemetry([AgentRecord])
    case finished(AgentReport)
    case explained(route: String, [String])
    /// It cannot go on, and why.
    case failed(String)
}
