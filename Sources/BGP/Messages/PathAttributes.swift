public import Wire

/// Where a route came into BGP (RFC 4271 §5.1.1); the lower is preferred.
public enum Origin: UInt8, Comparable, Sendable, BitwiseCopyable {
    case interior = 0
    case exterior = 1
    case incomplete = 2

    public static func < (left: Origin, right: Origin) -> Bool { left.rawValue < right.rawValue }
}

/// Who formed an aggregate (RFC 4271 §5.1.7).
public struct Aggregator: Hashable, Sendable, BitwiseCopyable {
    public var autonomousSystem: UInt32
    public var identifier: IPv4Address

    public init(autonomousSystem: UInt32, identifier: IPv4Address) {
        self.autonomousSystem = autonomousSystem
        self.identifier = identifier
    }
}

/// An optional transitive attribute that is passed on unread (RFC 4271 §5).
public struct UnrecognizedAttribute: Hashable, Sendable {
    public var type: AttributeType
    /// With the Partial bit, as somebody on the way did not know it.
    public var flags: AttributeFlags
    public var value: [UInt8]

    public init(type: AttributeType, flags: AttributeFlags, value: [UInt8]) {
        self.type = type
        self.flags = flags
        self.value = value
    }
}

/// Optional transitive attributes that carry the Partial bit, which nobody may clear again (RFC 4271 §5).
public struct PartialAttributes: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let aggregator = PartialAttributes(rawValue: 1)
    public static let communities = PartialAttributes(rawValue: 2)
    public static let extendedCommunities = PartialAttributes(rawValue: 4)
    public static let largeCommunities = PartialAttributes(rawValue: 8)
    public static let onlyToCustomer = PartialAttributes(rawValue: 16)

    init(_ type: AttributeType) {
        switch type {
        case .aggregator: self = .aggregator
        case .communities: self = .communities
        case .extendedCommunities: self = .extendedCommunities
        case .largeCommunities: self = .largeCommunities
        case .onlyToCustomer: self = .onlyToCustomer
        default: self = []
        }
    }
}

/// All that an UPDATE says of the routes in it (RFC 4271 §5).
public struct PathAttributes: Hashable, Sendable {
    public var origin: Origin = .interior
    public var path = ASPath()
    public var nextHop: IPAddress
    public var multiExitDiscriminator: UInt32?
    public var localPreference: UInt32?
    public var isAtomicAggregate = false
    public var aggregator: Aggregator?
    public var communities: [Community] = []
    /// RFC 4456 §8.
    public var originatorID: IPv4Address?
    /// RFC 4456 §8.
    public var clusterList: [IPv4Address] = []
    /// RFC 4360, eight octets each.
    public var extendedCommunities: [UInt64] = []
    public var largeCommunities: [LargeCommunity] = []
    /// What the way to the next hop costs, added up over several ASes (RFC 7311 §3).
    public var accumulatedMetric: UInt64?
    /// The AS from which the route may go to customers only (RFC 9234 §5).
    public var onlyToCustomer: UInt32?
    /// Which of those that are known here somebody on the way did not know (RFC 4271 §4.3).
    public var partial: PartialAttributes = []
    /// In order of type.
    public var unrecognized: [UnrecognizedAttribute] = []

    /// RFC 4271 leaves it open; this is what every implementation takes.
    public static let defaultLocalPreference: UInt32 = 100

    public init(origin: Origin = .interior, path: ASPath = ASPath(), nextHop: IPAddress) {
        self.origin = origin
        self.path = path
        self.nextHop = nextHop
    }
}
