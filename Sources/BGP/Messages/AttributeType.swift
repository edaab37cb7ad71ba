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
    public static let largeCommunities = AttributeType(rawValue: 32)
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

/// What is right for one attribute, and what happens if it is not (RFC 7606 §7).
struct AttributeRule {
    enum Length {
        case exactly(Int)
        /// One or more of that size.
        case multiple(of: Int)
        case any
    }

    enum Response {
        case treatAsWithdraw
        case discard
        case reset
    }

    let flags: AttributeFlags
    let length: Length
    let response: Response
    /// From an external neighbour it is discarded, whatever it says.
    var isInternalOnly = false

    /// The rule of an attribute that is known here.
    static func of(_ type: AttributeType, isFourOctet: Bool) -> AttributeRule? {
        switch type {
        case .origin: AttributeRule(flags: .transitive, length: .exactly(1), response: .treatAsWithdraw)
        case .path: AttributeRule(flags: .transitive, length: .any, response: .treatAsWithdraw)
        case .nextHop: AttributeRule(flags: .transitive, length: .exactly(4), response: .treatAsWithdraw)
        case .multiExitDiscriminator:
            AttributeRule(flags: .optional, length: .exactly(4), response: .treatAsWithdraw)
        case .localPreference:
            AttributeRule(
                flags: .transitive, length: .exactly(4), response: .treatAsWithdraw, isInternalOnly: true)
        case .atomicAggregate: AttributeRule(flags: .transitive, length: .exactly(0), response: .discard)
        case .aggregator:
            AttributeRule(
                flags: [.optional, .transitive], length: .exactly(isFourOctet ? 8 : 6), response: .discard)
        case .communities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 4), response: .treatAsWithdraw)
        case .originatorID:
            AttributeRule(flags: .optional, length: .exactly(4), response: .treatAsWithdraw, isInternalOnly: true)
        case .clusterList:
            AttributeRule(
                flags: .optional, length: .multiple(of: 4), response: .treatAsWithdraw, isInternalOnly: true)
        case .multiprotocolReachable, .multiprotocolUnreachable:
            AttributeRule(flags: .optional, length: .any, response: .reset)
        case .extendedCommunities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 8), response: .treatAsWithdraw)
        case .fourOctetPath: AttributeRule(flags: [.optional, .transitive], length: .any, response: .discard)
        case .fourOctetAggregator:
            AttributeRule(flags: [.optional, .transitive], length: .exactly(8), response: .discard)
        case .largeCommunities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 12), response: .treatAsWithdraw)
        default: nil
        }
    }

    func allows(length count: Int) -> Bool {
        switch length {
        case .exactly(let size): count == size
        case .multiple(let size): count > 0 && count % size == 0
        case .any: true
        }
    }
}
