import Basics
import Scenario

/// Reads and judges a scenario file.
struct ScenarioDecoder {
    let session: LoadingSession
    /// The topology's nodes; nil where its file could not be made out, so that no name can be judged.
    var nodes: [TopologyNode]?
    /// Nil where the topology has a fault, so that no link can be judged.
    var topology: Topology?
    var duration: Interval?
    var warmup: Interval = .zero
    var trafficNames: [String] = []

    /// The scenario; nil where anything at all is wrong with it or with its topology.
    static func decode(_ root: Cursor, session: LoadingSession) -> Scenario? {
        guard let object = root.object(keys: KnownKeys.scenario) else { return nil }
        var decoder = ScenarioDecoder(session: session)
        let name = object["name"]?.name(forbidden: "/") ?? FilePath.stem(root.file)
        let description = object["description"]?.string() ?? ""
        decoder.decodeTopology(object)
        let seed = object["seed"].map { $0.unsigned64() } ?? 1
        decoder.decodeTimes(object)
        let traffic = decoder.decodeTraffic(object["traffic"])
        let events = decoder.decodeEvents(object["events"])
        let expectations = decoder.decodeExpectations(object["expect"])
        let record = decoder.decodeRecord(object["record"])
        guard session.log.isClean, let topology = decoder.topology, let duration = decoder.duration, let seed else {
            return nil
        }
        return Scenario(
            name: name, description: description, topology: topology, seed: seed, duration: duration,
            warmup: decoder.warmup, traffic: traffic, events: events, expectations: expectations, record: record)
    }

    private mutating func decodeTopology(_ object: ObjectCursor) {
        guard let cursor = object.required("topology", "\"topology\": \"../topologies/dual-isp-branch.json\""),
            let name = cursor.string(expected: "the path of a topology file")
        else { return }
        let path = FilePath.resolve(name, from: cursor.file)
        guard let root = session.document(path, namedBy: cursor) else { return }
        let decoded = TopologyDecoder.decode(root, session: session)
        nodes = decoded?.nodes
        topology = decoded?.topology
    }

    private mutating func decodeTimes(_ object: ObjectCursor) {
        duration = object.required("duration", "\"duration\": \"60s\"")?.period()
        guard let cursor = object["warmup"], let time = cursor.duration() else { return }
        warmup = time
        if let duration, time >= duration {
            cursor.fault("the warm-up takes all of the run's \(duration); write a shorter one")
        }
    }

    private func decodeRecord(_ cursor: Cursor?) -> RecordSettings {
        var record = RecordSettings()
        guard let object = cursor?.object(keys: KnownKeys.record) else { return record }
        record.interval =
            object["interval"]?.duration(in: .milliseconds(1)...Interval.seconds(3_600)) ?? record.interval
        if let pcap = object["pcap"] { record.capturedLinks = capturedLinks(pcap) }
        return record
    }

    private func capturedLinks(_ cursor: Cursor) -> [Int] {
        let everything = topology.map { Array($0.links.indices) } ?? []
        if case .string("all") = cursor.node.value { return everything }
        var result: [Int] = []
        for element in cursor.elements(expected: "\"all\" or a list of links, [\"branch:wan-a--isp-a\"]") ?? [] {
            if case .string("all") = element.node.value { return everything }
            guard let link = self.link(element) else { continue }
            if !result.contains(link) { result.append(link) }
        }
        return result
    }

    // MARK: References

    /// The index of the node that a value names; 0 where the topology is too broken to tell.
    func node(_ cursor: Cursor) -> Int? {
        guard let name = cursor.string(expected: "the name of a node") else { return nil }
        guard let nodes else { return 0 }
        if let index = nodes.firstIndex(where: { $0.name == name }) { return index }
        let advice = NearestName.advice(for: name, among: nodes.map(\.name))
        cursor.fault("there is no node \"\(cursor.shown(name))\"; \(advice)")
        return nil
    }

    /// The index of the host that a value names.
    func host(_ cursor: Cursor) -> Int? {
        guard let index = node(cursor) else { return nil }
        guard let nodes else { return index }
        guard nodes[index].kind == .host else {
            let kind = nodes[index].kind.rawValue
            let hosts = nodes.filter { $0.kind == .host }.prefix(8).map { "\"\($0.name)\"" }.joined(separator: ", ")
            cursor.fault(
                "\"\(nodes[index].name)\" is a \(kind); name a host\(hosts.isEmpty ? "" : " such as \(hosts)")")
            return nil
        }
        return index
    }

    /// The index of the link that a value names; 0 where the topology is too broken to tell.
    func link(_ cursor: Cursor) -> Int? {
        guard let name = cursor.string(expected: "the name of a link, \"branch:wan-a--isp-a\"") else { return nil }
        guard let topology else { return 0 }
        if let index = topology.linkIndex(named: name) { return index }
        let advice = NearestName.advice(for: name, among: topology.links.map(\.name))
        cursor.fault("there is no link \"\(cursor.shown(name))\"; \(advice)")
        return nil
    }

    /// A moment before the end of the run.
    func moment(_ cursor: Cursor, what: String) -> Interval? {
        guard let time = cursor.duration() else { return nil }
        if let duration, time >= duration {
            cursor.fault("\(what) at \(time), but the run ends at \(duration); write an earlier time")
            return nil
        }
        return time
    }
}
