public import Basics
public import Telemetry
public import Traffic

/// What a run says of itself, whichever host it ran on: the material of every metric and report.
public struct RunRecord: Sendable {
    public var scenario: Scenario
    public var seed: UInt64
    /// `sim` or `netns`.
    public var backend: String
    /// The instant at which the run ended.
    public var end: Instant
    /// The overlay's tunnels, by ``TunnelID``.
    public var tunnels: [OverlayTunnel]
    public var flows: [FlowDescription]
    /// One report for each direction of each flow that carried anything.
    public var flowReports: [FlowReport]
    /// What happened to links and nodes, spread out: a flap is one incident for each time that it went down.
    public var incidents: [Incident]
    /// What the nodes said, in order of time.
    public var telemetry: [TimedRecord]
    public var links: [LinkAccount]
    /// What the nodes' data planes counted, by node and then by cause; nothing that is 0.
    public var dataplanes: [DataplaneAccount]
    public var conservation: [ConservationAccount]
    /// One for each scripted attack, in the order of events.
    public var attacks: [AttackAccount]
    /// Whether the nodes had data planes that policed what came in; else nothing may be said of how they did it.
    public var isPoliced: Bool
    /// What was sent, while attacks lasted, by everybody else.
    public var duringAttacks: LegitimateAccount
    public var violations: [InvariantViolation]
    /// Why the figures mean nothing: what the machine was too busy to do in time.
    ///
    /// Empty in virtual time.
    public var invalidity: [String]
    /// One for each whole second; empty where the host is not repeatable.
    public var checkpoints: [Checkpoint]
    public var eventCount: UInt64
    public var packetHops: UInt64

    public init(scenario: Scenario, seed: UInt64, backend: String, end: Instant) {
        self.scenario = scenario
        self.seed = seed
        self.backend = backend
        self.end = end
        tunnels = scenario.topology.tunnels()
        flows = []
        flowReports = []
        incidents = []
        telemetry = []
        links = []
        dataplanes = []
        conservation = []
        attacks = []
        isPoliced = false
        duringAttacks = LegitimateAccount()
        violations = []
        invalidity = []
        checkpoints = []
        eventCount = 0
        packetHops = 0
    }
}

/// One flow of the scenario's traffic, and how the network knows it.
public struct FlowDescription: Equatable, Sendable {
    /// Unique in the run, from 1.
    public var number: UInt32
    /// The entry of the scenario's traffic, by index.
    public var entry: Int
    /// The five-tuples of both directions, where they are known beforehand.
    public var forwardKey: FlowKey?
    public var reverseKey: FlowKey?

    public init(number: UInt32, entry: Int, forwardKey: FlowKey? = nil, reverseKey: FlowKey? = nil) {
        self.number = number
        self.entry = entry
        self.forwardKey = forwardKey
        self.reverseKey = reverseKey
    }
}

/// A piece of telemetry with who said it, and when.
public struct TimedRecord: Equatable, Sendable {
    public var at: Instant
    /// The node's index in the topology.
    public var node: Int
    public var record: TelemetryRecord

    public init(at: Instant, node: Int, record: TelemetryRecord) {
        self.at = at
        self.node = node
        self.record = record
    }
}

/// One scripted thing as it took effect: ground truth for what is measured.
public struct Incident: Equatable, Sendable {
    /// What was done.
    public enum Kind: String, CaseIterable, Sendable {
        /// The carrier went.
        case linkDown
        /// The settings changed.
        case linkChanged
        case nodeKilled
        case sessionReset
        /// A node originated prefixes that it had not originated before.
        case prefixesAnnounced
        /// A node originated prefixes no more.
        case prefixesWithdrawn
        /// Hostile traffic set out for a node or host.
        case attack
    }

    public var kind: Kind
    /// The event of the scenario, by index.
    public var event: Int
    public var label: String
    /// The link's or the node's index.
    public var subject: Int
    public var start: Instant
    /// When the cause was gone; nil where it lasted.
    public var end: Instant?
    /// Whether traffic is expected to suffer: a carrier loss, a kill, or settings that got worse.
    public var isDisruptive: Bool

    public init(
        kind: Kind, event: Int, label: String, subject: Int, start: Instant, end: Instant?, isDisruptive: Bool
    ) {
        self.kind = kind
        self.event = event
        self.label = label
        self.subject = subject
        self.start = start
        self.end = end
        self.isDisruptive = isDisruptive
    }
}

/// What one direction of a link did with its packets.
public struct LinkAccount: Equatable, Sendable {
    /// The link's index in the topology.
    public var link: Int
    public var direction: LinkDirection
    public var offered: UInt64
    public var offeredBytes: UInt64
    public var duplicated: UInt64
    public var delivered: UInt64
    public var deliveredBytes: UInt64
    public var inFlight: UInt64
    /// By the raw value of ``DropCause``.
    public var dropped: [UInt64]

    public init(link: Int, direction: LinkDirection) {
        self.link = link
        self.direction = direction
        offered = 0
        offeredBytes = 0
        duplicated = 0
        delivered = 0
        deliveredBytes = 0
        inFlight = 0
        dropped = Array(repeating: 0, count: DropCause.allCases.count)
    }

    /// Whether every packet is accounted for.
    public var isBalanced: Bool { offered + duplicated == delivered + inFlight + dropped.reduce(0, +) }
}

/// What became of the packets of one five-tuple in one direction; key 0 is what the network itself says.
public struct ConservationAccount: Equatable, Sendable {
    public var key: FlowKey
    public var sent: UInt64
    public var duplicated: UInt64
    public var delivered: UInt64
    public var inFlight: UInt64
    /// By the raw value of ``DropCause``; empty where nothing was dropped.
    public var dropped: [UInt64]

    public init(
        key: FlowKey, sent: UInt64, duplicated: UInt64, delivered: UInt64, inFlight: UInt64, dropped: [UInt64]
    ) {
        self.key = key
        self.sent = sent
        self.duplicated = duplicated
        self.delivered = delivered
        self.inFlight = inFlight
        self.dropped = dropped
    }

    /// Whether every packet is accounted for.
    public var isBalanced: Bool { sent + duplicated == delivered + inFlight + dropped.reduce(0, +) }

    /// Packets that a node's data plane refused: the flood guard, or the deny list.
    public var refused: UInt64 { dropped(.policed) + dropped(.denied) }

    /// How many packets that cause took.
    public func dropped(_ cause: DropCause) -> UInt64 {
        dropped.isEmpty ? 0 : dropped[Int(cause.rawValue)]
    }
}

/// The packets of one scripted attack; what became of them is in the account of that key.
public struct AttackAccount: Equatable, Sendable {
    /// The event of the scenario, by index.
    public var event: Int
    public var key: FlowKey
    /// How many packets arrived at a port of a node, and so at its data plane.
    public var reachedNodes: UInt64

    public init(event: Int, key: FlowKey, reachedNodes: UInt64) {
        self.event = event
        self.key = key
        self.reachedNodes = reachedNodes
    }
}

/// Packets that no attack sent.
public struct LegitimateAccount: Equatable, Sendable {
    public var sent: UInt64
    /// Those that a node's data plane refused.
    public var refused: UInt64

    public init(sent: UInt64 = 0, refused: UInt64 = 0) {
        self.sent = sent
        self.refused = refused
    }
}

/// Something that must never be, and was.
public struct InvariantViolation: Equatable, Sendable {
    /// Which rule was broken.
    public enum Kind: String, CaseIterable, Sendable {
        /// A packet's time to live ran out on its way round.
        case forwardingLoop
        /// A node had no path for a packet while a tunnel to its site was up.
        case blackhole
        /// The kernel's routes are not those that BGP chose.
        case ribFibDisagreement
        /// Packets came from nowhere or went nowhere.
        case conservation
        /// An object of the kernel was left behind.
        case leak
    }

    public var kind: Kind
    public var at: Instant
    /// The node's index, where one is concerned.
    public var node: Int?
    public var text: String

    public init(kind: Kind, at: Instant, node: Int? = nil, text: String) {
        self.kind = kind
        self.at = at
        self.node = node
        self.text = text
    }
}

/// The fingerprint of a run up to the end of a second, whole and by device.
public struct Checkpoint: Equatable, Sendable {
    /// The second that ends here, from 0.
    public var second: UInt64
    public var fingerprint: UInt64
    /// By the index of the topology's nodes.
    public var devices: [UInt64]

    public init(second: UInt64, fingerprint: UInt64, devices: [UInt64]) {
        self.second = second
        self.fingerprint = fingerprint
        self.devices = devices
    }
}
