/// The topology as a drawing.
struct SketchDrawing {
    private static let width = 1_200.0
    private static let height = 320.0
    private static let margin = 60.0

    /// A piece of a page.
    let text: String
    private let shapes: String

    /// A whole document, with what its classes look like.
    func document(style: String) -> String {
        """
        <svg viewBox="0 0 \(n(Self.width)) \(n(Self.height))" role="img" aria-label="Topology" \
        xmlns="http://www.w3.org/2000/svg">
        <style>
        \(style)
        </style>
        \(shapes)</svg>

        """
    }

    init(_ sketch: ReportModel.Sketch) {
        guard !sketch.nodes.isEmpty else {
            shapes = ""
            text = "<p class=\"note\">This topology is too large to be drawn here.</p>"
            return
        }
        var parts = ""
        for edge in sketch.edges where max(edge.from, edge.to) < sketch.nodes.count {
            let (from, to) = (Self.place(sketch.nodes[edge.from]), Self.place(sketch.nodes[edge.to]))
            parts +=
                "<line class=\"edge\(edge.isBroken ? " broken" : "")\" x1=\"\(n(from.x))\" y1=\"\(n(from.y))\" "
                + "x2=\"\(n(to.x))\" y2=\"\(n(to.y))\"><title>\(Markup.escaped(edge.text))</title></line>\n"
        }
        for node in sketch.nodes {
            let (x, y) = Self.place(node)
            let words = "<title>\(Markup.escaped("\(node.name), \(node.kind)"))</title>"
            switch node.kind {
            case "patronus":
                parts +=
                    "<rect class=\"node patronus\" x=\"\(n(x - 11))\" y=\"\(n(y - 11))\" width=\"22\" height=\"22\" "
                    + "rx=\"5\">\(words)</rect>\n"
            case "router":
                parts += "<circle class=\"node\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"9\">\(words)</circle>\n"
            case "host", "linux":
                parts += "<circle class=\"node host\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"6\">\(words)</circle>\n"
            default:
                parts +=
                    "<ellipse class=\"node cloud\" cx=\"\(n(x))\" cy=\"\(n(y))\" rx=\"17\" ry=\"10\">\(words)"
                    + "</ellipse>\n"
            }
            parts +=
                "<text class=\"halo middle\" x=\"\(n(x))\" y=\"\(n(y + 27))\">\(Markup.escaped(node.name))</text>\n"
        }
        shapes = parts
        text = """
            <svg viewBox="0 0 \(n(Self.width)) \(n(Self.height))" role="img" aria-label="Topology" \
            xmlns="http://www.w3.org/2000/svg">
            \(parts)</svg>
            <p class="note">Squares are Patronus nodes, large circles routers, small ones hosts, ellipses clouds. \
            Dashed links are those that the scenario touched.</p>
            """
    }

    private static func place(_ node: ReportModel.Sketch.Node) -> (x: Double, y: Double) {
        (margin * 2 + node.x * (width - 4 * margin), margin / 2 + node.y * (height - 1.5 * margin))
    }
}
