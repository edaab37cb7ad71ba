import BGP
import Basics
import Scenario
import Wire

/// What came of a topology file; the topology itself only where nothing was wrong.
struct DecodedTopology {
    var nodes: [TopologyNode]
    var topology: Topology?
}

/// Reads and judges a topology file.
struct TopologyDecoder {
    /// Where a node or link was declared; nil for what was imported.
    struct Declared {
        var cursor: Cursor
        var keyPosition: Position
    }

    /// A prefix of a node's LAN or one that a cloud announces.
    struct OwnedPrefix {
        var prefix: IPPrefix
        var node: Int
        var cursor: Cursor
    }

    let session: LoadingSession
    let root: Cursor
    var nodes: [TopologyNode] = []
    var nodePlaces: [Declared?] = []
    /// Only looked up in, never iterated.
    var nodeIndices: [String: Int] = [:]
    var links: [LinkDeclaration] = []
    var linkPlaces: [Cursor?] = []
    /// Whether a link or a host's place could not be made out, so that nothing can be said of who reaches whom.
    var hasLostLinks = false
    var ownedPrefixes: [OwnedPrefix] = []
    /// The further addresses of hosts.
    var hostPrefixes: [OwnedPrefix] = []
    var overlay = OverlayConfiguration()
    var slaClasses: [SLAClass] = []
    var steering: [SteeringPolicy] = []
    /// Neighbours by node, with their place in the file.
    var neighborPlaces: [(node: Int, neighbor: BGPNeighborDeclaration, cursor: Cursor)] = []

    /// Ranges of callers by node, with their place in the file.
    var listenerPlaces: [(node: Int, listener: BGPListenerDeclaration, cursor: Cursor)] = []

    /// Confederations by node, with their place in the file.
    var confederationPlaces: [(node: Int, confederation: Confederation, cursor: Cursor)] = []

    static func decode(_ root: Cursor, session: LoadingSession) -> DecodedTopology? {
        guard let object = root.object(keys: KnownKeys.topology) else { return nil }
        let faultsBefore = session.log.faultCount
        var decoder = TopologyDecoder(session: session, root: root)
        let name = object["name"]?.name(forbidden: "/") ?? FilePath.stem(root.file)
        _ = object["description"]?.string()
        decoder.hasLostLinks = object.members.contains { !KnownKeys.topology.contains($0.key) }
        decoder.importGraph(object["import"])
        decoder.decodeNodes(object)
        decoder.decodeLinks(object["links"])
        decoder.decodeOverlay(object)
        decoder.checkAddresses()
        decoder.checkReachability()
        guard session.log.faultCount == faultsBefore else {
            return DecodedTopology(nodes: decoder.nodes, topology: nil)
        }
        let topology = Topology(
            name: name, nodes: decoder.nodes, links: decoder.links, overlay: decoder.overlay,
            slaClasses: decoder.slaClasses, steering: decoder.steering)
        decoder.checkNeighbors(of: topology)
        decoder.checkListeners(of: topology)
        decoder.checkConfederations(of: topology)
        guard session.log.faultCount == faultsBefore else {
            return DecodedTopology(nodes: decoder.nodes, topology: nil)
        }
        return DecodedTopology(nodes: decoder.nodes, topology: topology)
    }

    // MARK: Import

    private mutating func importGraph(_ cursor: Cursor?) {
        let nodeCount = nodes.count
        defer { if cursor != nil, nodes.count == nodeCount { hasLostLinks = true } }
        guard let cursor, let object = cursor.object(keys: KnownKeys.importGraph) else { return }
        var kind = NodeKind.router
        if let given = object["kind"], let word = given.word(NodeKind.self, what: "kind of node") {
            if word == .router || word == .patronus {
                kind = word
            } else {
                given.fault("\"\(word.rawValue)\" cannot be imported; write \"router\" or \"patronus\"")
            }
        }
        let rate = object["rate"]?.bitRate()
        guard let name = object.required("graphml", "\"graphml\": \"Abilene.graphml\""),
            let file = session.attachment(name, expected: "the path of a Topology Zoo GraphML file"),
            let graph = GraphMLReader.read(file, log: session.log)
        else { return }
        let imported = GraphMLImport(graph, kind: kind, rate: rate)
        if imported.loopCount > 0 {
            name.warn("\(imported.loopCount) edges from a node to itself are left out")
        }
        for node in imported.nodes {
            nodeIndices[node.name] = nodes.count
            nodes.append(node)
            nodePlaces.append(nil)
        }
        for link in imported.links {
            links.append(link)
            linkPlaces.append(nil)
        }
    }

    // MARK: Nodes

    private mutating func decodeNodes(_ object: ObjectCursor) {
        guard let cursor = object["nodes"] else {
            if object["import"] == nil {
                _ = object.required("nodes", "\"nodes\": { \"hq\": { \"kind\": \"patronus\" } }")
            }
            return
        }
        guard let members = cursor.members(expected: "an object with the nodes by name") else { return }
        var attachments: [(node: Int, cursor: Cursor)] = []
        var speakers: [(node: Int, cursor: Cursor)] = []
        for member in members {
            guard Cursor.judgeName(member.key, forbidden: " :>/\"", { member.value.fault($0, at: member.keyPosition) })
            else { continue }
            if nodeIndices[member.key] != nil {
                member.value.fault("an imported node has this name; choose another one", at: member.keyPosition)
                continue
            }
            let keys = member.value.object(keys: KnownKeys.node)
            let index = nodes.count
            nodeIndices[member.key] = index
            if let keys {
                nodes.append(node(member.key, at: index, keys))
            } else {
                nodes.append(TopologyNode(name: member.key, kind: .router))
            }
            nodePlaces.append(Declared(cursor: member.value, keyPosition: member.keyPosition))
            if let attachment = keys?["at"] { attachments.append((index, attachment)) }
            if let bgp = keys?["bgp"], nodes[index].kind == .patronus { speakers.append((index, bgp)) }
        }
        if nodes.isEmpty { cursor.fault("there are no nodes; write at least one") }
        if nodes.count > OverlayAddresses.nodeLimit {
            cursor.fault("there are \(nodes.count) nodes; at most \(OverlayAddresses.nodeLimit) fit")
        }
        for (index, cursor) in attachments { attach(index, cursor) }
        for (index, cursor) in speakers { nodes[index].bgp = bgp(cursor, of: index) }
    }

    private mutating func node(_ name: String, at index: Int, _ object: ObjectCursor) -> TopologyNode {
        let kind = object.required("kind", "\"kind\": \"patronus\"")?.word(NodeKind.self, what: "kind of node")
        var node = TopologyNode(name: name, kind: kind ?? .router)
        node.autonomousSystem = object["asn"].flatMap { autonomousSystem($0) }
        node.lan = object["lan"].map { lan($0, of: index) } ?? []
        node.role = object["role"]?.name(forbidden: "")
        node.region = object["region"]?.name(forbidden: "")
        node.prefixes = object["prefixes"].map { prefixes($0, of: index, isHost: kind == .host) } ?? []
        node.publicPrefixes = object["public"].map { publicPrefixes($0, within: node.lan) } ?? []
        node.commands = object["exec"].map { commands($0) } ?? []
        guard let kind else { return node }
        let owners: [(key: String, kinds: [NodeKind])] = [
            ("lan", [.patronus]), ("public", [.patronus]), ("role", [.patronus]), ("bgp", [.patronus]),
            ("at", [.host]), ("exec", [.linux]),
            ("region", NodeKind.allCases.filter(\.isCloud)),
            ("prefixes", [.host] + NodeKind.allCases.filter(\.isCloud)),
        ]
        for (key, kinds) in owners where !kinds.contains(kind) {
            guard let place = object.keyPosition(key) else { continue }
            let owner =
                kinds.count == 1
                ? "kind \"\(kinds[0].rawValue)\"" : kinds[0] == .host ? "a host or a cloud node" : "a cloud node"
            object[key]?.fault(
                "a node of kind \"\(kind.rawValue)\" has no \"\(key)\"; it belongs to \(owner)", at: place)
        }
        warnOfWhatIsLater(node, object)
        return node
    }

    private func warnOfWhatIsLater(_ node: TopologyNode, _ object: ObjectCursor) {
        if let warning = Availability.warning(about: node) { object.cursor.warn(warning) }
        for key in KnownKeys.laterNodeParts {
            object[key]?.warn("\"\(key)\" has no effect in this version", at: object.keyPosition(key))
        }
    }

    func autonomousSystem(_ cursor: Cursor) -> UInt32? {
        guard let number = cursor.integer(in: 1...4_294_967_294) else { return nil }
        // AS_TRANS (RFC 6793) and the last one of 16 bits (RFC 7300) are no network's.
        if number == 23_456 || number == 65_535 {
            cursor.fault("\(number) is reserved; write a private number such as 65001")
            return nil
        }
        return UInt32(number)
    }

    private mutating func lan(_ cursor: Cursor, of node: Int) -> [IPPrefix] {
        prefixes(cursor, of: node).filter { prefix in
            let width = prefix.isIPv4 ? 32 : 128
            if prefix.length >= 1, prefix.length <= width - 2 { return true }
            cursor.fault("\(prefix) is no size for a LAN; write a prefix from /1 to /\(width - 2)")
            return false
        }
    }

    private mutating func prefixes(_ cursor: Cursor, of node: Int, isHost: Bool = false) -> [IPPrefix] {
        var result: [IPPrefix] = []
        for element in cursor.elements(expected: "a list of prefixes, [\"10.2.0.0/16\"]") ?? [] {
            guard let prefix = element.prefix() else { continue }
            result.append(prefix)
            let owned = OwnedPrefix(prefix: prefix, node: node, cursor: element)
            if isHost { hostPrefixes.append(owned) } else { ownedPrefixes.append(owned) }
        }
        return result
    }

    private func publicPrefixes(_ cursor: Cursor, within lan: [IPPrefix]) -> [IPPrefix] {
        var result: [IPPrefix] = []
        for element in cursor.elements(expected: "a list of prefixes of the LAN, [\"203.0.113.0/24\"]") ?? [] {
            guard let prefix = element.prefix() else { continue }
            if lan.contains(where: { $0.covers(prefix) }) {
                result.append(prefix)
            } else {
                element.fault("\(prefix) is no part of the site's \"lan\"; write a prefix that lies in it")
            }
        }
        return result
    }

    private func commands(_ cursor: Cursor) -> [String] {
        (cursor.elements(expected: "a list of commands, [\"bgpd -f bgpd.conf\"]") ?? []).compactMap { $0.string() }
    }

    private mutating func attach(_ index: Int, _ cursor: Cursor) {
        guard nodes[index].kind == .host else { return }
        guard let site = nodeIndex(cursor) else {
            hasLostLinks = true
            return
        }
        switch nodes[site].kind {
        case .host, .linux:
            hasLostLinks = true
            cursor.fault("\"\(nodes[site].name)\" is a \(nodes[site].kind.rawValue); name a patronus node or a router")
        case .patronus where nodes[site].lan.isEmpty:
            hasLostLinks = true
            // A LAN that stands there but does not fit has been told already.
            let isMissing = nodePlaces[site]?.cursor.hasMember("lan") != true
            guard isMissing else { return }
            cursor.fault("\"\(nodes[site].name)\" has no \"lan\"; give it one, such as \"lan\": [\"10.2.0.0/16\"]")
        default:
            nodes[index].attachment = site
        }
    }

    // MARK: References

    /// The index of the node that a value names.
    func nodeIndex(_ cursor: Cursor) -> Int? {
        guard let name = cursor.string(expected: "the name of a node") else { return nil }
        return nodeIndex(named: name, cursor)
    }

    func nodeIndex(named name: String, _ cursor: Cursor) -> Int? {
        if let index = nodeIndices[name] { return index }
        let advice = NearestName.advice(for: name, among: nodes.map(\.name))
        cursor.fault("there is no node \"\(cursor.shown(name))\"; \(advice)")
        return nil
    }
}
