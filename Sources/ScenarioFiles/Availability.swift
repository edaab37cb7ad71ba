import Scenario

/// What the formats know and this version does not do yet.
enum Availability {
    /// The applications that traffic can be generated for.
    static let applications: [ApplicationName] = [.cbr, .fileTransfer, .voip, .web, .replay]

    /// The attacks that can be carried out.
    static let attacks: [AttackKind] = [.synFlood, .udpFlood, .icmpFlood, .dnsAmplification]

    /// Why an event of that kind cannot happen; nil where it can.
    static func obstacle(to kind: ScriptedEvent.Kind) -> String? {
        switch kind {
        case .linkSet, .linkDown, .linkUp, .linkFlap, .nodeKill, .nodeRestart, .bgp: nil
        case .cloud: unavailable("event \"cloud\"")
        case .attack(let attack) where !attacks.contains(attack.kind): unavailable("attack \"\(attack.kind.rawValue)\"")
        case .attack: nil
        }
    }

    static func unavailable(_ what: String) -> String {
        "\(what) is not available in this version; leave it out"
    }
}

extension Availability {
    /// What a node of a known kind lacks in this version; nil where it lacks nothing.
    static func warning(about node: TopologyNode) -> String? {
        switch node.kind {
        case .linux: "a node of kind \"linux\" is only emulated; the simulator lets it stand idle"
        case .router where node.autonomousSystem != nil:
            "routers take static shortest paths in this version; \"asn\" has no effect"
        case .patronus, .router, .host: nil
        default: "a node of kind \"\(node.kind.rawValue)\" stands idle in this version"
        }
    }

    static let collectorWarning =
        "the simulator has no collectors: a node tells them its routes in namespaces and as a real node only"

    static func encryptionWarning(_ encryption: TunnelEncryption) -> String {
        "\"\(encryption.rawValue)\" is not available in this version; tunnels send in clear, as with \"none\""
    }
}
