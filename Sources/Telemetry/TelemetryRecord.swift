public import Basics

/// The state of a tunnel as its node judges it.
public enum TunnelState: UInt8, CaseIterable, Codable, Sendable, BitwiseCopyable {
    case down
    case degraded
    case up
    case adminDown
}

/// What made a node change its mind about a tunnel or a flow's path.
public enum ChangeCause: UInt8, CaseIterable, Codable, Sendable, BitwiseCopyable {
    /// The first verdict after the start.
    case started
    /// BFD's detection time ran out (RFC 5880 §6.8.4).
    case detectionExpired
    /// The other end said that its session is down.
    case neighborSignaled
    /// The port lost its carrier.
    case portDown
    /// No probe came back for `detectMultiplier` intervals.
    case probesLost
    /// Latency, jitter or loss is outside the SLA class.
    case slaViolated
    /// The SLA class has been met again for the failback delay.
    case slaMet
    case sessionUp
    /// A preferred path is usable again.
    case failback
    /// The path in use is gone.
    case failover
    case policy
    case administrative
}

/// The state of a BGP session (RFC 4271 §8.2.2).
public enum BGPSessionState: UInt8, CaseIterable, Codable, Sendable, BitwiseCopyable {
    case idle
    case connect
    case active
    case openSent
    case openConfirm
    case established
}

/// What a node measured on one tunnel, in the direction towards it, over the last window.
public struct PathSample: Equatable, Codable, Sendable, BitwiseCopyable {
    /// One-way latency; negative where the clocks' offset is not known.
    public var latency: Interval
    public var roundTrip: Interval
    /// RFC 3550 §6.4.1.
    public var jitter: Interval
    /// Loss from the other end to this node.
    public var lossReceived: Ratio
    /// Loss from this node to the other end, as that one reports it.
    public var lossSent: Ratio

    @inlinable
    public init(
        latency: Interval = .zero, roundTrip: Interval = .zero, jitter: Interval = .zero, lossReceived: Ratio = .zero,
        lossSent: Ratio = .zero
    ) {
        self.latency = latency
        self.roundTrip = roundTrip
        self.jitter = jitter
        self.lossReceived = lossReceived
        self.lossSent = lossSent
    }
}

/// One thing that a node says about itself.
///
/// The host adds which node, and when.
public enum TelemetryRecord: Equatable, Codable, Sendable, BitwiseCopyable {
    case tunnelState(TunnelID, TunnelState, ChangeCause)
    case pathSample(TunnelID, PathSample)
    /// A flow was put on a path, or moved; nil is none (dropped, or local breakout).
    case pathChange(FlowKey, from: TunnelID?, to: TunnelID?, ChangeCause)
    /// The state of the session with the peer of that index in the node's configuration.
    case sessionState(peer: UInt32, BGPSessionState)
    /// The best path of so many prefixes changed.
    case bestPathChanged(prefixCount: UInt32)
    case dropped(DropCause)
}
