import Basics
import Scenario

extension TopologyDecoder {
    /// What a steering policy may match: behaviours and protocols.
    enum MatchedApplication: String, CaseIterable {
        case unknown, web, video, voip, fileTransfer, gaming, vpn, p2p
        case http, https, ssh, ftp, dns, smtp, quic, webrtc, torrent
    }

    private enum TransportName: String, CaseIterable {
        case tcp, udp, icmp
    }

    private enum PatternName: String, CaseIterable {
        case fullMesh = "full-mesh"
        case hubAndSpoke = "hub-and-spoke"
    }

    mutating func decodeOverlay(_ object: ObjectCursor) {
        if let cursor = object["overlay"], let keys = cursor.object(keys: KnownKeys.overlay) {
            overlay.tunnels = keys["tunnels"].flatMap { tunnels($0) } ?? overlay.tunnels
            overlay.encryption =
                keys["encryption"]?.word(TunnelEncryption.self, what: "encryption") ?? overlay.encryption
            if overlay.encryption != .none {
                keys["encryption"]?.warn(Availability.encryptionWarning(overlay.encryption))
            }
            overlay.probeInterval =
                keys["probeInterval"]?.duration(in: .milliseconds(1)...Interval.seconds(60)) ?? overlay.probeInterval
            overlay.detectMultiplier = keys["detectMultiplier"]?.integer(in: 1...255) ?? overlay.detectMultiplier
            overlay.failbackDelay = keys["failbackDelay"]?.duration() ?? overlay.failbackDelay
            overlay.usesDataplane = keys["dataplane"]?.bool() ?? overlay.usesDataplane
        }
        decodeSLAClasses(object["slaClasses"])
        decodeSteering(object["steering"])
    }

    private func tunnels(_ cursor: Cursor) -> TunnelPattern? {
        guard case .array = cursor.node.value else {
            guard case .string = cursor.node.value else {
                cursor.mismatch("\"full-mesh\", \"hub-and-spoke\" or a list of pairs [[\"hq\", \"branch\"]]")
                return nil
            }
            switch cursor.word(PatternName.self, what: "pattern of tunnels") {
            case .fullMesh: return .fullMesh
            case .hubAndSpoke:
                if !nodes.contains(where: \.isHub) {
                    cursor.fault("there is no hub; give a patronus node \"role\": \"hub\"")
                }
                return .hubAndSpoke
            case nil: return nil
            }
        }
        var pairs: [NodePair] = []
        for element in cursor.elements(expected: "a list of pairs") ?? [] {
            guard let ends = element.elements(expected: "a pair of nodes, [\"hq\", \"branch\"]") else { continue }
            guard ends.count == 2 else {
                element.fault("a pair has two nodes, not \(ends.count); write [\"hq\", \"branch\"]")
                continue
            }
            guard let first = overlayNode(ends[0]), let second = overlayNode(ends[1]) else { continue }
            let pair = NodePair(first, second)
            if first == second {
                element.fault("a tunnel leads from one node to another; write two different ones")
            } else if pairs.contains(pair) || pairs.contains(NodePair(second, first)) {
                element.fault("the pair stands twice; leave one of the two out")
            } else {
                pairs.append(pair)
            }
        }
        return .pairs(pairs)
    }

    private func overlayNode(_ cursor: Cursor) -> Int? {
        guard let index = nodeIndex(cursor) else { return nil }
        guard nodes[index].kind == .patronus else {
            cursor.fault("\"\(nodes[index].name)\" is a \(nodes[index].kind.rawValue); name a patronus node")
            return nil
        }
        return index
    }

    private mutating func decodeSLAClasses(_ cursor: Cursor?) {
        for element in cursor?.elements(expected: "a list of SLA classes, [ { \"name\": \"voice\" } ]") ?? [] {
            guard let object = element.object(keys: KnownKeys.slaClass),
                let place = object.required("name", "\"name\": \"voice\""), let name = place.name(forbidden: "\"")
            else { continue }
            if slaClasses.contains(where: { $0.name == name }) {
                place.fault("another SLA class is named \"\(name)\"; choose another name")
            }
            slaClasses.append(
                SLAClass(
                    name: name, latency: object["latency"]?.period(), jitter: object["jitter"]?.period(),
                    loss: object["loss"]?.ratio()))
        }
    }

    private mutating func decodeSteering(_ cursor: Cursor?) {
        let ports = wanPortNames()
        for element in cursor?.elements(expected: "a list of policies, [ { \"name\": \"voice-first\" } ]") ?? [] {
            guard let object = element.object(keys: KnownKeys.steeringPolicy),
                let place = object.required("name", "\"name\": \"voice-first\""), let name = place.name(forbidden: "\"")
            else { continue }
            if steering.contains(where: { $0.name == name }) {
                place.fault("another policy is named \"\(name)\"; choose another name")
            }
            var policy = SteeringPolicy(name: name)
            policy.match = object["match"].map { match($0) } ?? policy.match
            policy.slaClass = object["sla"].flatMap { slaClass($0) }
            policy.preferredPorts = object["prefer"].map { preferred($0, among: ports) } ?? []
            policy.priority = object["priority"]?.integer(in: 0...1_000_000) ?? policy.priority
            steering.append(policy)
        }
    }

    private func match(_ cursor: Cursor) -> SteeringMatch {
        guard let object = cursor.object(keys: KnownKeys.steeringMatch) else { return SteeringMatch() }
        return SteeringMatch(
            application: object["application"]?.word(MatchedApplication.self, what: "application")?.rawValue,
            source: object["source"]?.prefix(), destination: object["destination"]?.prefix(),
            transport: object["transport"]?.word(TransportName.self, what: "transport")?.rawValue,
            port: object["port"]?.integer(in: 1...65_535).map { UInt16($0) })
    }

    private func slaClass(_ cursor: Cursor) -> Int? {
        guard let name = cursor.string(expected: "the name of an SLA class") else { return nil }
        if let index = slaClasses.firstIndex(where: { $0.name == name }) { return index }
        let advice = NearestName.advice(for: name, among: slaClasses.map(\.name))
        cursor.fault("there is no SLA class \"\(cursor.shown(name))\"; \(advice)")
        return nil
    }

    private func preferred(_ cursor: Cursor, among known: [String]) -> [String] {
        var result: [String] = []
        for element in cursor.elements(expected: "a list of ports, [\"wan-a\"]") ?? [] {
            guard let name = element.string(expected: "the name of a port") else { continue }
            if known.contains(name) || hasLostLinks {
                result.append(name)
            } else {
                let advice = NearestName.advice(for: name, among: known)
                element.fault("no patronus node has a WAN port \"\(element.shown(name))\"; \(advice)")
            }
        }
        return result
    }

    /// The names of all WAN ports, those included that have none in the file.
    private func wanPortNames() -> [String] {
        var result: [String] = []
        var unnamed = [Int](repeating: 0, count: nodes.count)
        for link in links {
            for end in [link.first, link.second] where nodes[end.node].kind == .patronus {
                guard let port = end.port else {
                    unnamed[end.node] += 1
                    continue
                }
                if !result.contains(port) { result.append(port) }
            }
        }
        for number in 0..<(unnamed.max() ?? 0) where !result.contains("eth\(number)") { result.append("eth\(number)") }
        return result
    }
}
