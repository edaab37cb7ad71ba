import Basics
import Scenario

/// Finds places for a topology's nodes: links pull, nodes push each other away.
enum TopologySketch {
    private static let nodeLimit = 60

    static func drawn(_ record: RunRecord) -> ReportModel.Sketch {
        let broken = Set(
            record.incidents.filter { $0.kind == .linkDown || $0.kind == .linkChanged }.map(\.subject))
        let isDrawn = record.scenario.topology.nodes.count <= nodeLimit
        return isDrawn ? drawn(record.scenario.topology, broken: broken) : .init(nodes: [], edges: [])
    }

    /// The topology, whatever its size; `broken` links are set off.
    static func drawn(_ topology: Topology, broken: Set<Int> = []) -> ReportModel.Sketch {
        let edges = topology.links.enumerated().map { index, link in
            ReportModel.Sketch.Edge(
                from: link.first.node, to: link.second.node, text: words(link), isBroken: broken.contains(index))
        }
        let places = Self.places(count: topology.nodes.count, edges: edges.map { ($0.from, $0.to) })
        let nodes = topology.nodes.enumerated().map { index, node in
            ReportModel.Sketch.Node(
                name: node.name, kind: node.kind.rawValue, x: Downsampling.rounded(places[index].x),
                y: Downsampling.rounded(places[index].y))
        }
        return .init(nodes: nodes, edges: edges)
    }

    private static func words(_ link: TopologyLink) -> String {
        var parts = [link.name]
        if let rate = link.forward.rate { parts.append(rate.description) }
        if let delay = link.forward.delay { parts.append(delay.description) }
        return parts.joined(separator: ", ")
    }

    private typealias Place = (x: Double, y: Double)

    /// Fruchterman and Reingold's way (1991), from a fixed start and with a fixed number of steps.
    private static func places(count: Int, edges: [(Int, Int)]) -> [Place] {
        var random = SeededRandom(seed: 1)
        var places: [Place] = (0..<count).map { _ in
            (random.unit(), random.unit())
        }
        let ideal = (1 / Double(count)).squareRoot()
        let stepCount = 400
        for step in 0..<stepCount {
            let heat = 0.1 * Double(stepCount - step) / Double(stepCount)
            var forces: [Place] = Array(repeating: (0, 0), count: count)
            func push(_ first: Int, _ second: Int, _ strength: (Double) -> Double) {
                let x = places[first].x - places[second].x
                let y = places[first].y - places[second].y
                let distance = max(0.001, (x * x + y * y).squareRoot())
                let force = strength(distance) / distance
                forces[first].x += x * force
                forces[first].y += y * force
                forces[second].x -= x * force
                forces[second].y -= y * force
            }
            for first in 0..<count {
                for second in (first + 1)..<max(first + 1, count) { push(first, second) { ideal * ideal / $0 } }
            }
            for (first, second) in edges where first != second { push(first, second) { -$0 * $0 / ideal } }
            for index in places.indices {
                let size = max(
                    0.000_001, (forces[index].x * forces[index].x + forces[index].y * forces[index].y).squareRoot())
                let reach = min(size, heat) / size
                places[index].x += forces[index].x * reach
                places[index].y += forces[index].y * reach
            }
        }
        return spread(places)
    }

    /// Stretches the places over the whole area, its longer side along the page.
    private static func spread(_ places: [Place]) -> [Place] {
        let xs = places.map(\.x)
        let ys = places.map(\.y)
        guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() else {
            return places
        }
        let isTall = bottom - top > right - left
        return places.map { place in
            let x = right > left ? (place.x - left) / (right - left) : 0.5
            let y = bottom > top ? (place.y - top) / (bottom - top) : 0.5
            return isTall ? (y, x) : (x, y)
        }
    }
}
