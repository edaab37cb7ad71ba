public import Wire

/// What a rule asks of a route; all its conditions must hold.
public enum PolicyCondition: Equatable, Sendable {
    /// The prefix itself, at no other length.
    case prefix(IPPrefix)
    case prefixList(PrefixList)
    case path(ASPathPattern)
    case community(Community)
    case largeCommunity(LargeCommunity)

    func holds(for prefix: IPPrefix, _ attributes: PathAttributes) -> Bool {
        switch self {
        case .prefix(let wanted): wanted == prefix
        case .prefixList(let list): list.permits(prefix)
        case .path(let pattern): pattern.matches(attributes.path)
        case .community(let community): attributes.communities.contains(community)
        case .largeCommunity(let community): attributes.largeCommunities.contains(community)
        }
    }
}

/// What a rule changes in a route that it permits.
public enum PolicySetting: Equatable, Sendable {
    case localPreference(UInt32)
    case multiExitDiscriminator(UInt32)
    /// Adds the community where it is not there yet.
    case community(Community)
    case largeCommunity(LargeCommunity)
    case prependPath(UInt32, count: UInt8)
    case nextHop(IPAddress)

    func apply(to attributes: inout PathAttributes) {
        switch self {
        case .localPreference(let value): attributes.localPreference = value
        case .multiExitDiscriminator(let value): attributes.multiExitDiscriminator = value
        case .community(let community):
            if !attributes.communities.contains(community) { attributes.communities.append(community) }
        case .largeCommunity(let community):
            if !attributes.largeCommunities.contains(community) { attributes.largeCommunities.append(community) }
        case .prependPath(let number, let count): attributes.path.prepend(number, count: Int(count))
        case .nextHop(let address): attributes.nextHop = address
        }
    }
}

/// One step of a policy.
public struct PolicyRule: Equatable, Sendable {
    /// Rules are tried from the lowest number up.
    public var sequence: UInt32
    public var permission: Permission
    public var conditions: [PolicyCondition]
    public var settings: [PolicySetting]

    public init(
        sequence: UInt32, _ permission: Permission, conditions: [PolicyCondition] = [],
        settings: [PolicySetting] = []
    ) {
        self.sequence = sequence
        self.permission = permission
        self.conditions = conditions
        self.settings = settings
    }
}

/// What routes are let in from a peer or out to it, and how they are changed on the way.
public struct RoutePolicy: Equatable, Sendable {
    /// In order of their numbers.
    public let rules: [PolicyRule]
    /// For a route that no rule matches.
    public let otherwise: Permission

    /// Rules of the same number keep the order in which they are given.
    public init(_ rules: [PolicyRule], otherwise: Permission = .deny) {
        self.rules = rules.enumerated()
            .sorted { ($0.element.sequence, $0.offset) < ($1.element.sequence, $1.offset) }.map(\.element)
        self.otherwise = otherwise
    }

    public static let acceptAll = RoutePolicy([], otherwise: .permit)
    public static let denyAll = RoutePolicy([])

    /// The attributes with which the first rule that matches lets the route through; nil where it does not.
    public func apply(to attributes: PathAttributes, of prefix: IPPrefix) -> PathAttributes? {
        let rule = rules.first { rule in rule.conditions.allSatisfy { $0.holds(for: prefix, attributes) } }
        guard let rule else { return otherwise == .permit ? attributes : nil }
        guard rule.permission == .permit else { return nil }
        var attributes = attributes
        for setting in rule.settings { setting.apply(to: &attributes) }
        return attributes
    }
}
