/// What a machine looks like at one instant, for people.
public struct NodeState: Codable, Sendable {
    /// One tunnel as its node judges it.
    public struct TunnelState: Codable, Sendable {
        public var name: String
        /// `up`, `degraded` or `down`.
        public var state: String
        public var latencyMilliseconds: Double?
        public var jitterMilliseconds: Double?
        public var lossReceived: Double?
        public var lossSent: Double?

        public init(
            name: String, state: String, latencyMilliseconds: Double? = nil, jitterMilliseconds: Double? = nil,
            lossReceived: Double? = nil, lossSent: Double? = nil
        ) {
            self.name = name
            self.state = state
            self.latencyMilliseconds = latencyMilliseconds
            self.jitterMilliseconds = jitterMilliseconds
            self.lossReceived = lossReceived
            self.lossSent = lossSent
        }
    }

    /// One BGP session.
    public struct SessionState: Codable, Sendable {
        public var peer: String
        /// By the name that RFC 4271 gives it.
        public var state: String

        public init(peer: String, state: String) {
            self.peer = peer
            self.state = state
        }
    }

    public var name: String
    /// Seconds since the lab's clock began.
    public var uptime: Double
    public var tunnels: [TunnelState] = []
    public var sessions: [SessionState] = []
    /// Prefixes that are routed into the overlay.
    public var overlayPrefixes: [String] = []
    /// How many flows were put on each path, by the tunnel's name, in order.
    public var pathChanges: Int = 0
    public var droppedPackets: UInt64 = 0

    public init(name: String, uptime: Double) {
        self.name = name
        self.uptime = uptime
    }
}
