import Basics
import Foundation
import FoundationXML

/// A graph as a Topology Zoo file holds it.
struct GraphMLGraph: Equatable {
    struct Node: Equatable {
        var id: String
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

/// Reads GraphML as far as the Topology Zoo uses it; nothing is fetched and no entity is expanded.
final class GraphMLReader: NSObject, XMLParserDelegate {
    private let file: String
    private let log: FaultLog
    private var graph = GraphMLGraph()
    private var nodeIndices: [String: Int] = [:]
    /// The names of `<key>` elements by their id, which `<data>` refers to.
    private var attributeNames: [String: String] = [:]
    private var edges: [(source: String, target: String, rate: BitRate?, position: Position)] = []
    private var elements: [String] = []
    private var dataName: String?
    private var text = ""
    private var hasFault = false

    /// The graph, or nil where the file has a fault, which goes to `log`.
    static func read(_ file: InputFile, log: FaultLog) -> GraphMLGraph? {
        let reader = GraphMLReader(file: file.path, log: log)
        // A document type could define entities that grow without bound, and the Zoo uses none.
        if Data(file.bytes).range(of: Data("<!DOCTYPE".utf8)) != nil {
            reader.fault(
                "the file has a document type; write GraphML without <!DOCTYPE", at: Position(line: 1, column: 1))
            return nil
        }
        let parser = XMLParser(data: Data(file.bytes))
        parser.delegate = reader
        let isWellFormed = parser.parse()
        if !isWellFormed, !reader.hasFault {
            reader.fault(
                "this is no well-formed XML; check the tags around here",
                at: Position(line: max(parser.lineNumber, 1), column: max(parser.columnNumber, 1)))
        }
        reader.resolveEdges()
        return reader.hasFault ? nil : reader.graph
    }

    private init(file: String, log: FaultLog) {
        self.file = file
        self.log = log
    }

    private func fault(_ message: String, at position: Position) {
        hasFault = true
        log.add(Fault(file: file, line: position.line, column: position.column, path: pathText, message: message))
    }

    private var pathText: String { elements.isEmpty ? "$" : elements.joined(separator: ".") }

    private func position(_ parser: XMLParser) -> Position {
        Position(line: max(parser.lineNumber, 1), column: max(parser.columnNumber, 1))
    }

    // MARK: XMLParserDelegate

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        if elements.isEmpty, elementName != "graphml" {
            fault("the document is <\(elementName)>; it must be <graphml>", at: position(parser))
            parser.abortParsing()
            return
        }
        elements.append(elementName)
        guard elements.count <= 16 else {
            fault("elements are nested too deep for a graph", at: position(parser))
            parser.abortParsing()
            return
        }
        switch elementName {
        case "key":
            if let id = attributes["id"] { attributeNames[id] = attributes["attr.name"] ?? "" }
        case "graph":
            graph.isDirected = attributes["edgedefault"] == "directed"
        case "node":
            startNode(attributes, at: position(parser))
        case "edge":
            guard let source = attributes["source"], let target = attributes["target"] else {
                fault("the edge lacks a source or a target; write both", at: position(parser))
                return
            }
            edges.append((source, target, nil, position(parser)))
        case "data":
            dataName = attributes["key"].flatMap { attributeNames[$0] }
            text = ""
        default:
            break
        }
    }

    private func startNode(_ attributes: [String: String], at position: Position) {
        guard let id = attributes["id"] else {
            fault("the node has no id; give it one", at: position)
            return
        }
        guard nodeIndices[id] == nil else {
            fault("another node has the id \"\(id)\"; give each its own", at: position)
            return
        }
        nodeIndices[id] = graph.nodes.count
        graph.nodes.append(GraphMLGraph.Node(id: id))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if dataName != nil, text.utf8.count < 4_096 { text += string }
    }

    func parser(
        _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if elementName == "data", let name = dataName {
            let owner = elements.dropLast().last
            if owner == "node", !graph.nodes.isEmpty { setNode(name, at: position(parser)) }
            if owner == "edge", !edges.isEmpty, name == "LinkSpeedRaw" { setRate() }
            dataName = nil
        }
        if !elements.isEmpty { elements.removeLast() }
    }

    private func setNode(_ name: String, at position: Position) {
        let last = graph.nodes.count - 1
        let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
        switch name {
        case "label":
            graph.nodes[last].label = value
        case "Latitude":
            graph.nodes[last].latitude = coordinate(value, limit: 90, "latitude", at: position)
        case "Longitude":
            graph.nodes[last].longitude = coordinate(value, limit: 180, "longitude", at: position)
        default:
            break
        }
    }

    private func coordinate(_ value: String, limit: Double, _ what: String, at position: Position) -> Double? {
        guard let number = Double(value), number.isFinite, abs(number) <= limit else {
            fault(
                "\"\(value.prefix(32))\" is no \(what); write degrees from -\(Int(limit)) to \(Int(limit))",
                at: position)
            return nil
        }
        return number
    }

    private func setRate() {
        guard let number = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)), number >= 1, number < 1e15
        else {
            return
        }
        edges[edges.count - 1].rate = BitRate(bitsPerSecond: UInt64(number))
    }

    private func resolveEdges() {
        for edge in edges {
            guard let source = nodeIndices[edge.source], let target = nodeIndices[edge.target] else {
                let missing = nodeIndices[edge.source] == nil ? edge.source : edge.target
                fault(
                    "the edge leads to \"\(missing.prefix(32))\", which is no node; write the id of one",
                    at: edge.position)
                continue
            }
            graph.edges.append(GraphMLGraph.Edge(source: source, target: target, rate: edge.rate))
        }
        if graph.nodes.isEmpty, !hasFault {
            fault("the graph has no nodes; give a file of the Topology Zoo", at: Position(line: 1, column: 1))
        }
    }
}
