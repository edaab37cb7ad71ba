import Basics

/// A graph as a Topology Zoo file holds it.
struct GraphMLGraph: Equatable {
    struct Node: Equatable {
        var label = ""
        var latitude: Double?
        var longitude: Double?
    }

    struct Edge: Equatable {
        /// Indices of nodes.
        var source: Int
        var target: Int
        /// `LinkSpeedRaw`, where the file has it.
        var rate: BitRate?
    }

    var isDirected = false
    var nodes: [Node] = []
    var edges: [Edge] = []
}

/// Reads GraphML as far as the Topology Zoo uses it.
struct GraphMLReader {
    private let file: String
    private let log: FaultLog
    private var graph = GraphMLGraph()
    private var nodeIndices: [String: Int] = [:]
    /// The names of `<key>` elements by their id, which `<data>` refers to.
    private var attributeNames: [String: String] = [:]
    private var hasFault = false

    /// The graph, or nil where the file has a fault, which goes to `log`.
    static func read(_ file: InputFile, log: FaultLog) -> GraphMLGraph? {
        var reader = GraphMLReader(file: file.path, log: log)
        do throws(XMLScanner.Failure) {
            reader.readDocument(try XMLScanner.read(file.bytes))
        } catch {
            reader.fault(error.message, at: error.position, "$")
        }
        return reader.hasFault ? nil : reader.graph
    }

    private init(file: String, log: FaultLog) {
        self.file = file
        self.log = log
    }

    private mutating func fault(_ message: String, at position: Position, _ path: String) {
        hasFault = true
        log.add(Fault(file: file, line: position.line, column: position.column, path: path, message: message))
    }

    private mutating func readDocument(_ root: XMLElement) {
        guard root.name == "graphml" else {
            return fault("the document is <\(root.name.prefix(32))>; it must be <graphml>", at: root.position, "$")
        }
        for child in root.children where child.name == "key" {
            if let id = child["id"] { attributeNames[id] = child["attr.name"] ?? "" }
        }
        let graphs = root.children.filter { $0.name == "graph" }
        guard let element = graphs.first, graphs.count == 1 else {
            return fault(
                "there are \(graphs.count) graphs; give a file of the Topology Zoo, with one", at: root.position,
                "graphml")
        }
        graph.isDirected = element["edgedefault"] == "directed"
        for child in element.children where child.name == "node" { readNode(child) }
        for child in element.children where child.name == "edge" { readEdge(child) }
        if graph.nodes.isEmpty {
            fault("the graph has no nodes; give a file of the Topology Zoo", at: element.position, "graphml.graph")
        }
    }

    private mutating func readNode(_ element: XMLElement) {
        let path = "graphml.graph.node"
        guard let id = element["id"] else {
            return fault("the node has no id; give it one", at: element.position, path)
        }
        guard nodeIndices[id] == nil else {
            return fault(
                "another node has the id \"\(id.prefix(32))\"; give each its own", at: element.position, path)
        }
        nodeIndices[id] = graph.nodes.count
        var node = GraphMLGraph.Node()
        for data in element.children where data.name == "data" {
            switch data["key"].flatMap({ attributeNames[$0] }) {
            case "label": node.label = data.text
            case "Latitude": node.latitude = coordinate(data, limit: 90, "latitude")
            case "Longitude": node.longitude = coordinate(data, limit: 180, "longitude")
            default: break
            }
        }
        graph.nodes.append(node)
    }

    private mutating func coordinate(_ data: XMLElement, limit: Double, _ what: String) -> Double? {
        if let number = number(data.text), abs(number) <= limit { return number }
        fault(
            "\"\(data.text.prefix(32))\" is no \(what); write degrees from -\(Int(limit)) to \(Int(limit))",
            at: data.position, "graphml.graph.node.data")
        return nil
    }

    private mutating func readEdge(_ element: XMLElement) {
        let path = "graphml.graph.edge"
        guard let source = element["source"], let target = element["target"] else {
            return fault("the edge lacks a source or a target; write both", at: element.position, path)
        }
        guard let first = nodeIndices[source], let second = nodeIndices[target] else {
            let missing = nodeIndices[source] == nil ? source : target
            return fault(
                "the edge leads to \"\(missing.prefix(32))\", which is no node; write the id of one",
                at: element.position, path)
        }
        var edge = GraphMLGraph.Edge(source: first, target: second)
        for data in element.children where data.name == "data" {
            guard data["key"].flatMap({ attributeNames[$0] }) == "LinkSpeedRaw", let speed = number(data.text),
                speed >= 1, speed < 1e15
            else { continue }
            edge.rate = BitRate(bitsPerSecond: UInt64(speed))
        }
        graph.edges.append(edge)
    }

    private func number(_ text: String) -> Double? {
        let spaces: [Character] = [" ", "\t", "\n", "\r"]
        return Double(text.filter { !spaces.contains($0) }).flatMap { $0.isFinite ? $0 : nil }
    }
}
