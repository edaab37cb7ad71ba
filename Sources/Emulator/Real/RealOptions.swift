public import Basics

/// How much a node may do to this machine.
public struct RealOptions: Sendable {
    /// Takes interfaces by which the machine is reached, too.
    public var allowsManagement = false
    /// Runs the data plane in generic mode where a driver refuses it.
    public var allowsGeneric = false
    /// Leaves interfaces the addresses that they have, among which are those of the topology.
    public var keepsAddresses = false
    /// Gives everything back unless somebody confirms in this time.
    public var confirmWithin: Interval?

    public init() {}
}

/// Why a node ended.
public enum RealEnd: Equatable, Sendable {
    /// Somebody wanted it to.
    case asked
    /// Nobody confirmed in time.
    case unconfirmed
    case signal(Int32)
}
