import Basics
public import Scenario

/// A topology as a picture that stands alone, and as a graph for Graphviz.
public struct TopologyDrawing {
    private let topology: Topology

    public init(_ topology: Topology) {
        self.topology = topology
    }

    /// An SVG document.
    public var svg: String {
        SketchDrawing(TopologySketch.drawn(topology)).document(style: Self.style)
    }

    /// A graph in the DOT language.
    public var dot: String {
        var lines = ["graph \(Self.quoted(topology.name)) {", "  node [fontname=\"sans-serif\"];"]
        for node in topology.nodes {
            lines.append("  \(Self.quoted(node.name)) [shape=\(Self.shape(node.kind))];")
        }
        for link in topology.links {
            let ends = [link.first, link.second].map { Self.quoted(topology.nodes[$0.node].name) }
            var words: [String] = []
            if let rate = link.forward.rate { words.append(rate.description) }
            if let delay = link.forward.delay { words.append(delay.description) }
            let label = words.isEmpty ? "" : " label=\(Self.quoted(words.joined(separator: ", ")))"
            let ports = "taillabel=\(Self.quoted(link.first.port)) headlabel=\(Self.quoted(link.second.port))"
            lines.append("  \(ends[0]) -- \(ends[1]) [\(ports)\(label)];")
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    private static func shape(_ kind: NodeKind) -> String {
        switch kind {
        case .patronus: "box"
        case .router: "circle"
        case .host, .linux: "plaintext"
        default: "ellipse"
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static let style = """
        svg { background: #fff; font: 13px system-ui, sans-serif; }
        .edge { stroke: #8a94a6; stroke-width: 1.4; }
        .node { fill: #fff; stroke: #8a94a6; stroke-width: 1.6; }
        .node.patronus { fill: #2f6fde; stroke: #2f6fde; }
        .node.host { stroke: #1f9d74; }
        .node.cloud { stroke: #c2691c; }
        .middle { text-anchor: middle; }
        .halo { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; }
        """
}
