public import Basics
public import Telemetry
public import Wire

extension Steering {
    /// A path that flows may take.
    public struct PathCandidate: Equatable, Sendable {
        public var tunnel: TunnelID
        /// The site at the tunnel's other end.
        public var site: UInt32
        /// The name of the port that the tunnel leaves by, which policies prefer.
        public var localPort: String
        public var remotePort: String
        /// Breaks ties between paths that are equally good; any unit.
        public var cost: Double

        public init(tunnel: TunnelID, site: UInt32, localPort: String, remotePort: String, cost: Double = 0) {
            self.tunnel = tunnel
            self.site = site
            self.localPort = localPort
            self.remotePort = remotePort
            self.cost = cost
        }
    }

    /// Which flows a policy is about; nil matches every flow.
    public struct Match: Equatable, Sendable {
        public var application: Application?
        public var source: IPPrefix?
        public var destination: IPPrefix?
        public var protocolNumber: UInt8?
        /// Matches the port of either end, so that a policy fits both directions.
        public var ports: ClosedRange<UInt16>?
        public var dscp: UInt8?

        public init(
            application: Application? = nil, source: IPPrefix? = nil, destination: IPPrefix? = nil,
            protocolNumber: UInt8? = nil, ports: ClosedRange<UInt16>? = nil, dscp: UInt8? = nil
        ) {
            self.application = application
            self.source = source
            self.destination = destination
            self.protocolNumber = protocolNumber
            self.ports = ports
            self.dscp = dscp
        }

        func fits(_ packet: PacketHead, _ application: Application) -> Bool {
            let flow = packet.flow
            if let wanted = self.application, !application.belongs(to: wanted) { return false }
            if let protocolNumber, protocolNumber != flow.protocolNumber { return false }
            if let dscp, dscp != packet.dscp { return false }
            if let source, !source.contains(flow.source) { return false }
            if let destination, !destination.contains(flow.destination) { return false }
            if let ports { return ports.contains(flow.destinationPort) || ports.contains(flow.sourcePort) }
            return true
        }
    }

    /// Which path the flows that match take.
    public struct Policy: Equatable, Sendable {
        public var name: String
        public var match: Match
        /// Nil holds paths to ``SLAClass/builtIn``.
        public var slaClass: SLAClass?
        /// Names of ports, best first; the ports that are not named come behind them.
        public var prefer: [String]
        /// The higher number wins, ties go by the order of the list.
        public var priority: Int

        public init(
            name: String, match: Match = Match(), slaClass: SLAClass? = nil, prefer: [String] = [], priority: Int = 100
        ) {
            self.name = name
            self.match = match
            self.slaClass = slaClass
            self.prefer = prefer
            self.priority = priority
        }
    }

    /// What a node is told about steering.
    public struct Configuration: Equatable, Sendable {
        /// In file order; a policy for everything else is added behind them.
        public var policies: [Policy]
        public var rules = Rules()
        public var applications = ApplicationTable.standard
        /// How many flows are remembered; beyond it the one that has been silent longest is forgotten.
        public var flowCapacity = 65_536
        /// After so much silence a flow has ended.
        public var idleTimeout = Interval.seconds(60)

        public init(policies: [Policy] = []) {
            self.policies = policies
        }
    }

    /// When a path is left and when it is returned to.
    public struct Rules: Equatable, Sendable, BitwiseCopyable {
        public var leaveBelow = PathScore(50)
        /// How many evaluations in a row must be below it, at least 1; with 2 one outlier moves nothing.
        public var violationCount = 2
        public var returnAbove = PathScore(80)
        /// How long a path that failed must have been above it.
        public var failbackDelay = Interval.seconds(60)
        /// A path that fails again within this, counted from its last failure or return, doubles its failback delay.
        public var flapWindow = Interval.seconds(300)
        /// What doubling does not go beyond.
        public var longestFailbackDelay = Interval.seconds(900)
        /// By how many points another path must be better while no path is good enough.
        public var lastResortMargin = 10

        public init() {}
    }
}
