import BFD
import BGP
import Basics
import Scenario
import Wire

/// A node's `bgp` key: neighbours outside the overlay, and the policies towards them.
extension TopologyDecoder {
    mutating func bgp(_ cursor: Cursor, of node: Int) -> BGPDeclaration? {
        guard let object = cursor.object(keys: KnownKeys.bgp) else { return nil }
        var result = BGPDeclaration()
        result.networks = object["networks"].map { networks($0) } ?? []
        var names = BGPNames()
        names.prefixLists = object["prefixLists"].map { prefixLists($0) } ?? []
        names.communityLists = object["communityLists"].map { communityLists($0) } ?? []
        if let maps = object["routeMaps"] { readRouteMaps(maps, &names) }
        result.origins = object["origins"].flatMap { originTable($0) }
        result.aggregates =
            object["aggregates"].map { aggregates($0, besides: nodes[node].lan + result.networks) } ?? []
        let groups = object["groups"].map { self.groups($0, names) } ?? []
        result.collectors = object["bmp"].map { collectors($0) } ?? []
        result.maximumPaths = object["maximumPaths"]?.integer(in: 1...64) ?? 1
        result.spreadsOverNeighbors = object["multipathRelax"]?.bool() ?? false
        if let relaxed = object["multipathRelax"], result.spreadsOverNeighbors, object["maximumPaths"] == nil {
            relaxed.warn("this does nothing while one path is used; write \"maximumPaths\": 2")
        }
        for element in object["neighbors"]?.elements(expected: "a list of neighbours, [{ … }]") ?? [] {
            guard let neighbor = neighbor(element, of: node, names, groups) else { continue }
            result.neighbors.append(neighbor)
            neighborPlaces.append((node, neighbor, element))
        }
        for element in object["listen"]?.elements(expected: "a list of ranges, [{ \"range\": … }]") ?? [] {
            guard let listener = listener(element, of: node, groups) else { continue }
            result.listeners.append(listener)
            listenerPlaces.append((node, listener, element))
        }
        if let cluster = object["cluster"].flatMap({ cluster($0) }) {
            for index in result.neighbors.indices {
                result.neighbors[index].settings.session.reflection?.cluster = cluster
            }
            for index in result.listeners.indices {
                result.listeners[index].settings.session.reflection?.cluster = cluster
            }
        }
        if let whole = object["confederation"], let confederation = confederation(whole) {
            result.confederation = confederation
            confederationPlaces.append((node, confederation, whole))
        }
        return result
    }

    private func networks(_ cursor: Cursor) -> [IPPrefix] {
        (cursor.elements(expected: "a list of prefixes, [\"10.2.0.0/16\"]") ?? []).compactMap { element in
            element.prefix().flatMap { element.mayAnnounce($0) ? $0 : nil }
        }
    }

    private func aggregates(_ cursor: Cursor, besides networks: [IPPrefix]) -> [Aggregate] {
        var result: [Aggregate] = []
        for element in cursor.elements(expected: "a list of aggregates, [{ \"prefix\": \"10.0.0.0/8\" }]") ?? [] {
            guard let object = element.object(keys: KnownKeys.aggregate),
                let place = object.required("prefix", "\"prefix\": \"10.0.0.0/8\""), let prefix = place.prefix(),
                place.mayAnnounce(prefix)
            else { continue }
            guard prefix.length > 0 else {
                place.fault("\(prefix) is every address; write a longer prefix")
                continue
            }
            if networks.contains(prefix) || result.contains(where: { $0.prefix == prefix }) {
                place.fault("\(prefix) is announced already; leave it out here")
                continue
            }
            result.append(Aggregate(prefix, isSummaryOnly: object["summaryOnly"]?.bool() ?? false))
        }
        return result
    }

    /// A list, or the name of a file as RPKI validators write it.
    private func originTable(_ cursor: Cursor) -> OriginTable? {
        guard case .string = cursor.node.value else { return OriginTable(origins(cursor)) }
        guard let file = session.attachment(cursor, expected: "a file of authorizations, \"vrps.csv\"") else {
            return nil
        }
        return OriginFileReader.read(file, log: session.log).map { OriginTable($0) }
    }

    private func cluster(_ cursor: Cursor) -> IPv4Address? {
        guard let address = cursor.address() else { return nil }
        guard case .v4(let number) = address, number != .any else {
            cursor.fault("a cluster's number looks like an IPv4 address; write \"10.0.0.1\"")
            return nil
        }
        return number
    }

    private func confederation(_ cursor: Cursor) -> Confederation? {
        guard let object = cursor.object(keys: KnownKeys.confederation),
            let identifier = object.required("identifier", "\"identifier\": 65000").flatMap({ autonomousSystem($0) })
        else { return nil }
        let members =
            object.required("members", "\"members\": [65001, 65002]")?
            .elements(expected: "a list of AS numbers, [65001, 65002]") ?? []
        return Confederation(identifier: identifier, members: members.compactMap { autonomousSystem($0) })
    }
}
