import BGP
import Basics
import Wire

/// Lists and route maps of a node's `bgp` key.
extension TopologyDecoder {
    func prefixLists(_ cursor: Cursor) -> [(name: String, list: PrefixList)] {
        namedLists(cursor, "prefix list", (KnownKeys.prefixList, KnownKeys.prefixListEntry)) { object in
            guard let permission = permission(object),
                let prefix = object.required("prefix", "\"prefix\": \"10.0.0.0/8\"")?.prefix()
            else { return nil }
            let width = prefix.isIPv4 ? 32 : 128
            let shortest = object["atLeast"]?.integer(in: prefix.length...width)
            let longest = object["atMost"]?.integer(in: (shortest ?? prefix.length)...width)
            guard shortest != nil || longest != nil else { return PrefixList.Entry(permission, prefix) }
            return PrefixList.Entry(permission, prefix, lengths: (shortest ?? prefix.length)...(longest ?? width))
        }.map { ($0.name, PrefixList($0.entries)) }
    }

    func communityLists(_ cursor: Cursor) -> [(name: String, list: CommunityList)] {
        namedLists(cursor, "community list", (KnownKeys.communityList, KnownKeys.communityListEntry)) { object in
            guard let permission = permission(object),
                let community = object.required("community", "\"community\": \"65000:1\"")?.community()
            else { return nil }
            return CommunityList.Entry(permission, community)
        }.map { ($0.name, CommunityList($0.entries)) }
    }

    private func namedLists<Entry>(
        _ cursor: Cursor, _ what: String, _ keys: (list: [String], entry: [String]), _ entry: (ObjectCursor) -> Entry?
    ) -> [(name: String, entries: [Entry])] {
        var result: [(name: String, entries: [Entry])] = []
        for element in cursor.elements(expected: "a list of lists, [{ \"name\": …, \"entries\": [] }]") ?? [] {
            guard let object = element.object(keys: keys.list),
                let place = object.required("name", "\"name\": \"customers\""),
                let name = place.newName(what, among: result.map(\.name))
            else { continue }
            let entries = object.required("entries", "\"entries\": []")?.elements(expected: "a list of entries") ?? []
            result.append((name, entries.compactMap { $0.object(keys: keys.entry).flatMap(entry) }))
        }
        return result
    }

    private func permission(_ object: ObjectCursor) -> Permission? {
        switch object.required("action", "\"action\": \"permit\"")?.word(PermissionName.self, what: "action") {
        case .permit: .permit
        case .deny: .deny
        case nil: nil
        }
    }

    func readRouteMaps(_ cursor: Cursor, _ names: inout BGPNames) {
        for element in cursor.elements(expected: "a list of route maps, [{ \"name\": …, \"rules\": [] }]") ?? [] {
            guard let object = element.object(keys: KnownKeys.routeMap),
                let place = object.required("name", "\"name\": \"from-provider\""),
                let name = place.newName("route map", among: names.routeMaps.map(\.name))
            else { continue }
            let rules = object.required("rules", "\"rules\": []")?.elements(expected: "a list of rules") ?? []
            names.routeMaps.append((name, RoutePolicy(rules.compactMap { rule($0, names) })))
        }
    }

    private func rule(_ cursor: Cursor, _ names: BGPNames) -> PolicyRule? {
        guard let object = cursor.object(keys: KnownKeys.routeMapRule),
            let sequence = object.required("sequence", "\"sequence\": 10")?.integer(in: 0...4_294_967_295),
            let permission = permission(object)
        else { return nil }
        return PolicyRule(
            sequence: UInt32(sequence), permission,
            conditions: object["match"]?.object(keys: KnownKeys.routeMapMatch).map { conditions($0, names) } ?? [],
            settings: object["set"]?.object(keys: KnownKeys.routeMapSet).map { settings($0) } ?? [])
    }

    private func conditions(_ object: ObjectCursor, _ names: BGPNames) -> [PolicyCondition] {
        let prefixLists = names.prefixLists.map { (name: $0.name, value: $0.list) }
        let communityLists = names.communityLists.map { (name: $0.name, value: $0.list) }
        let found: [PolicyCondition?] = [
            object["prefix"]?.prefix().map { .prefix($0) },
            object["prefixList"]?.named("prefix list", among: prefixLists).map { .prefixList($0) },
            object["asPath"]?.pathPattern().map { .path($0) },
            object["community"]?.community().map { .community($0) },
            object["communityList"]?.named("community list", among: communityLists).map { .communityList($0) },
            object["originValidity"]?.word(ValidityName.self, what: "validity").map { .originValidity($0.validity) },
        ]
        return found.compactMap { $0 }
    }

    private func settings(_ object: ObjectCursor) -> [PolicySetting] {
        let numbers = 0...4_294_967_295
        let found: [PolicySetting?] = [
            object["localPreference"]?.integer(in: numbers).map { .localPreference(UInt32($0)) },
            object["med"]?.integer(in: numbers).map { .multiExitDiscriminator(UInt32($0)) },
            object["community"]?.community().map { .community($0) },
            object["asPathPrepend"]?.object(keys: KnownKeys.asPathPrepend).flatMap { prepending($0) },
            object["nextHop"]?.address().map { .nextHop($0) },
        ]
        return found.compactMap { $0 }
    }

    private func prepending(_ object: ObjectCursor) -> PolicySetting? {
        guard let number = object.required("asn", "\"asn\": 65001")?.integer(in: 1...4_294_967_294),
            let count = object.required("count", "\"count\": 2")?.integer(in: 1...20)
        else { return nil }
        return .prependPath(UInt32(number), count: UInt8(count))
    }

    func origins(_ cursor: Cursor) -> [OriginAuthorization] {
        (cursor.elements(expected: "a list of authorizations, [{ \"prefix\": …, \"asn\": … }]") ?? []).compactMap {
            guard let object = $0.object(keys: KnownKeys.origin),
                let prefix = object.required("prefix", "\"prefix\": \"10.1.0.0/16\"")?.prefix(),
                let number = object.required("asn", "\"asn\": 65001")?.integer(in: 0...4_294_967_295)
            else { return nil }
            let longest = object["maximumLength"]?.integer(in: prefix.length...(prefix.isIPv4 ? 32 : 128))
            return OriginAuthorization(prefix, maximumLength: longest, autonomousSystem: UInt32(number))
        }
    }
}

private enum PermissionName: String, CaseIterable { case permit, deny }

private enum ValidityName: String, CaseIterable {
    case valid, invalid
    case notFound = "not-found"

    var validity: OriginValidity {
        switch self {
        case .valid: .valid
        case .invalid: .invalid
        case .notFound: .notFound
        }
    }
}

extension Cursor {
    /// A plain address.
    func address() -> IPAddress? {
        guard let (address, length) = portAddress() else { return nil }
        guard length == nil else {
            fault("an address stands alone here; leave out its length")
            return nil
        }
        return address
    }

    /// A community, as in `65000:1` (RFC 1997), or by its well-known name.
    func community() -> Community? {
        guard let text = string(expected: "a community such as \"65000:1\"") else { return nil }
        if let community = Community(text) { return community }
        fault("\"\(shown(text))\" is no community; write one such as \"65000:1\", both parts from 0 to 65535")
        return nil
    }

    fileprivate func pathPattern() -> ASPathPattern? {
        guard let text = string(expected: "a pattern of AS numbers such as \"^65001 .*\"") else { return nil }
        if let pattern = ASPathPattern(text) { return pattern }
        fault(
            "\"\(shown(text))\" is no pattern; write AS numbers, \".\" for any one, \".*\" for any run, "
                + "\"^\" and \"$\" for the ends")
        return nil
    }
}
