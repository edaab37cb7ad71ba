import Basics
import Foundation
import Scenario

/// A graph of the Topology Zoo as nodes and links of a topology.
///
/// Nodes are named after their labels, in lower case with dashes, and numbered from
/// the second of a name on. A link's delay is the great-circle distance at 5 us per
/// km, in whole microseconds so that no machine's libm changes it; without
/// coordinates it has none. Edges beside each other stay links of their own, the
/// second named `a--b-2`; of a directed graph, an edge back is taken for the same.
struct GraphMLImport {
    private(set) var nodes: [TopologyNode] = []
    private(set) var links: [LinkDeclaration] = []
    /// Edges from a node to itself, which no link can be.
    private(set) var loopCount = 0

    init(_ graph: GraphMLGraph, kind: NodeKind, rate: BitRate?) {
        var names = NumberedNames()
        for node in graph.nodes {
            let stem = Self.name(of: node)
            let name = names.take(stem)
            nodes.append(TopologyNode(name: name, kind: kind))
        }
        var linkNames = NumberedNames()
        var directedPairs: Set<NodePair> = []
        for edge in graph.edges {
            guard edge.source != edge.target else {
                loopCount += 1
                continue
            }
            if graph.isDirected {
                if directedPairs.contains(NodePair(edge.target, edge.source)) { continue }
                directedPairs.insert(NodePair(edge.source, edge.target))
            }
            let stem = "\(nodes[edge.source].name)--\(nodes[edge.target].name)"
            let name = linkNames.take(stem)
            var settings = LinkSettings()
            settings.rate = rate ?? edge.rate
            settings.delay = Self.delay(from: graph.nodes[edge.source], to: graph.nodes[edge.target])
            links.append(
                LinkDeclaration(
                    name: name == stem ? nil : name, EndDeclaration(edge.source), EndDeclaration(edge.target),
                    forward: settings))
        }
    }

    private static func name(of node: GraphMLGraph.Node) -> String {
        let folded = node.label.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil).lowercased()
        var result = ""
        for character in folded.unicodeScalars {
            switch character {
            case "a"..."z", "0"..."9": result.unicodeScalars.append(character)
            default: if !result.isEmpty, !result.hasSuffix("-") { result += "-" }
            }
        }
        if result.hasSuffix("-") { result.removeLast() }
        return result.isEmpty ? "node" : String(result.prefix(48))
    }

    /// 5 us per km of great circle by the haversine formula on a sphere of 6371 km.
    static func delay(from: GraphMLGraph.Node, to: GraphMLGraph.Node) -> Interval? {
        guard let latitude = from.latitude, let longitude = from.longitude, let farLatitude = to.latitude,
            let farLongitude = to.longitude
        else { return nil }
        let radians = Double.pi / 180
        let latitudeSine = sin((farLatitude - latitude) * radians / 2)
        let longitudeSine = sin((farLongitude - longitude) * radians / 2)
        let square =
            latitudeSine * latitudeSine
            + cos(latitude * radians) * cos(farLatitude * radians) * longitudeSine * longitudeSine
        let kilometres = 2 * 6_371 * asin(min(1, square.squareRoot()))
        return .microseconds(Int64((kilometres * 5).rounded()))
    }
}

/// Gives each name out once: `a`, `a-2`, `a-3`, ….
private struct NumberedNames {
    private var taken: Set<String> = []
    private var counts: [String: Int] = [:]

    mutating func take(_ stem: String) -> String {
        var name = stem
        var number = counts[stem] ?? 1
        while !taken.insert(name).inserted {
            number += 1
            name = "\(stem)-\(number)"
        }
        counts[stem] = number
        return name
    }
}
