public import Basics
public import Telemetry
public import Wire

/// One change of a data plane: what a node asks of its host.
public enum DataplaneChange: Equatable, Sendable, BitwiseCopyable {
    /// Makes an interface a port, or no port for an empty role.
    case setPort(DataplanePort, role: DataplanePortRole, address: MACAddress)
    /// Puts a source prefix on a list.
    case list(IPPrefix, FirewallList)
    /// Takes it off.
    case unlist(IPPrefix, FirewallList)
    case setRoute(IPPrefix, DataplaneRoute)
    case removeRoute(IPPrefix)
    case setNeighbor(IPAddress, on: DataplanePort, DataplaneNeighbor)
    case removeNeighbor(IPAddress, on: DataplanePort)
    case setTunnel(TunnelID, DataplaneTunnel)
    case removeTunnel(TunnelID)
    case steer(FiveTuple, DataplaneSteering)
    case unsteer(FiveTuple)
    /// Forgets what the flow table has of a flow, in both directions.
    case forget(FiveTuple)
    case setLimits(FloodGuardLimits)
    case setSampling(DataplaneSampling)
    /// The number that hides the flood guard's buckets.
    case setSeed(UInt64)
    /// The time of a data plane whose clock is virtual.
    case setTime(Instant)
}
