/// The number of a path attribute (RFC 4271 §4.3 and the registry).
public struct AttributeType: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static func < (left: AttributeType, right: AttributeType) -> Bool { left.rawValue < right.rawValue }

    public static let origin = AttributeType(rawValue: 1)
    public static let path = AttributeType(rawValue: 2)
    public static let nextHop = AttributeType(rawValue: 3)
    public static let multiExitDiscriminator = AttributeType(rawValue: 4)
    public static let localPreference = AttributeType(rawValue: 5)
    public static let atomicAggregate = AttributeType(rawValue: 6)
    public static let aggregator = AttributeType(rawValue: 7)
    public static let communities = AttributeType(rawValue: 8)
    public static let originatorID = AttributeType(rawValue: 9)
    public static let clusterList = AttributeType(rawValue: 10)
    public static let multiprotocolReachable = AttributeType(rawValue: 14)
    public static let multiprotocolUnreachable = AttributeType(rawValue: 15)
    public static let extendedCommunities = AttributeType(rawValue: 16)
    public static let fourOctetPath = AttributeType(rawValue: 17)
    public static let fourOctetAggregator = AttributeType(rawValue: 18)
    public static let ipv6ExtendedCommunities = AttributeType(rawValue: 25)
    public static let accumulatedMetric = AttributeType(rawValue: 26)
    public static let largeCommunities = AttributeType(rawValue: 32)
    public static let onlyToCustomer = AttributeType(rawValue: 35)
}

/// The first octet of a path attribute (RFC 4271 §4.3).
public struct AttributeFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let optional = AttributeFlags(rawValue: 0x80)
    public static let transitive = AttributeFlags(rawValue: 0x40)
    public static let partial = AttributeFlags(rawValue: 0x20)
    public static let extendedLength = AttributeFlags(rawValue: 0x10)
}
