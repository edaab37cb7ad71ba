public import Wire

/// What a rule asks of a route; all its conditions must hold.
public enum PolicyCondition: Equatable, Sendable {
    /// The prefix itself, at no other length.
    case prefix(IPPrefix)
    case prefixList(PrefixList)
    case path(ASPathPattern)
    case community(Community)
    case largeCommunity(LargeCommunity)
    /// At least one of the route's communities is let through by the list.
    case communityList(CommunityList)
    case originValidity(OriginValidity)

    func holds(for prefix: IPPrefix, _ attributes: PathAttributes, _ origins: OriginTable?) -> Bool {
        switch self {
        case .prefix(let wanted): wanted == prefix
        case .prefixList(let list): list.permits(prefix)
        case .path(let pattern): pattern.matches(attributes.path)
        case .community(let community): attributes.communities.contains(community)
        case .largeCommunity(let community): attributes.largeCommunities.contains(community)
        case .communityList(let list): list.permits(attributes.communities)
        case .originValidity(let wanted):
            (origins?.validity(of: prefix, from: attributes.path.originator) ?? .notFound) == wanted
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

    /// Whether no route has a chance.
    var deniesEverything: Bool { rules.isEmpty && otherwise == .deny }

    public static let acceptAll = RoutePolicy([], otherwise: .permit)
    public static let denyAll = RoutePolicy([])

    /// The attributes with which the first rule that matches lets the route through; nil where it does not.
    public func apply(
        to attributes: PathAttributes, of prefix: IPPrefix, origins: OriginTable? = nil
    ) -> PathAttributes? {
        rule(for: attributes, of: prefix, origins: origins).map { changed(attributes, by: $0) }
    }

    /// The number of the rule that lets a route through, one behind the last where none matches; nil where it is not.
    func rule(for attributes: PathAttributes, of prefix: IPPrefix, origins: OriginTable?) -> Int? {
        let place = rules.firstIndex { rule in
            rule.conditions.allSatisfy { $0.holds(for: prefix, attributes, origins) }
        }
        guard let place else { return otherwise == .permit ? rules.count : nil }
        return rules[place].permission == .permit ? place : nil
    }

    /// What a rule makes of a route that it lets through.
    func changed(_ attributes: PathAttributes, by rule: Int) -> PathAttributes {
        guard rule < rules.count else { return attributes }
        var attributes = attributes
        for setting in rules[rule].settings { setting.apply(to: &attributes) }
        return attributes
    }
}
