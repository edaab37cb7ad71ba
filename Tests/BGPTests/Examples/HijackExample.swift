import BGP
import Basics
import Foundation
import Wire

/// One of BGPy's worked examples: ASes with what they are to each other, how each guards itself, and the Loc-RIBs that
/// must come of it (`engine_gt.yaml`), with where their packets end (`outcomes_gt.yaml`).
struct HijackExample {
    /// A route that an AS must have in the end.
    struct Expected {
        /// The AS itself first.
        var path: [UInt32] = []
        var nextHop: UInt32 = 0
        /// Whether the example puts it there.
        var isSeed = false
    }

    struct Node {
        var customers: [UInt32] = []
        var peers: [UInt32] = []
        var providers: [UInt32] = []
        var policy = ""
        var routes: [IPPrefix: Expected] = [:]

        var neighbors: [UInt32] { customers + peers + providers }
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../../shared/data/bgp/bgpy").standardizedFileURL
    static let isPresent = FileManager.default.fileExists(atPath: folder.path)

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("ex_") }.sorted()
    }

    let name: String
    private(set) var nodes: [UInt32: Node] = [:]
    /// 0 for the attacker, 1 for the victim, 2 for nowhere.
    private(set) var outcomes: [UInt32: Int] = [:]

    init(_ name: String) throws {
        self.name = name
        let file = Self.folder.appending(path: name)
        read(try String(contentsOf: file.appending(path: "engine_gt.yaml"), encoding: .utf8))
        for line in try String(contentsOf: file.appending(path: "outcomes_gt.yaml"), encoding: .utf8).split(
            separator: "\n")
        {
            let parts = line.split(separator: ":").map { $0.filter { $0 != " " } }
            if parts.count == 2, let number = UInt32(parts[0]) { outcomes[number] = Int(parts[1]) }
        }
    }

    /// Which policies the example calls for, without the form in which BGPy has them.
    var policies: Set<String> {
        Set(nodes.values.map { $0.policy.replacingOccurrences(of: "%20Full", with: "") })
    }

    /// Reads the lines by their depth, as the files are written by a program and all alike.
    private mutating func read(_ text: String) {
        var number: UInt32 = 0
        var key = ""
        var isInTable = false
        var prefix: IPPrefix?
        for line in text.split(separator: "\n") {
            let depth = line.prefix { $0 == " " }.count
            let content = line.dropFirst(depth)
            let field = content.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let value = content.split(separator: " ").last.map(String.init) ?? ""
            let item = content.hasPrefix("- ") ? UInt32(content.dropFirst(2)) : nil
            switch depth {
            case 4:
                number = UInt32(field) ?? 0
                nodes[number] = Node()
                isInTable = false
            case 6:
                if let item {
                    if key == "customers" { nodes[number]?.customers.append(item) }
                    if key == "peers" { nodes[number]?.peers.append(item) }
                    if key == "providers" { nodes[number]?.providers.append(item) }
                } else {
                    key = field
                    if key == "policy" { nodes[number]?.policy = String(value.dropFirst("!yamlable/".count)) }
                }
            case 8: isInTable = field == "local_rib"
            case 10 where isInTable:
                prefix = IPPrefix(field)
                if let prefix { nodes[number]?.routes[prefix] = Expected() }
            case 12 where isInTable:
                guard let prefix else { continue }
                if let item {
                    if key == "as_path" { nodes[number]?.routes[prefix]?.path.append(item) }
                } else {
                    key = field
                    if key == "next_hop_asn" { nodes[number]?.routes[prefix]?.nextHop = UInt32(value) ?? 0 }
                    if key == "seed_asn" { nodes[number]?.routes[prefix]?.isSeed = value != "null" }
                }
            default: break
            }
        }
    }
}
