import Basics
import Scenario
import ScenarioFiles
import TestKit
import Testing

/// Shipped files, spoilt at random: they load or are refused, and nothing traps.
@Suite struct FuzzTests {
    private static let fragments = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "null", "true", "-1", "1e999", "0", "\"0\"", "\"\"", "[]",
        "{}",
        "99999999999999999999", "\"100%\"", "\"1Gbit\"", "\"::/0\"", "\u{0}", "é", "#", "//", "<", ">", "&amp;", "&a;",
    ]

    private func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var result = bytes
        for _ in 0...random.below(4) where !result.isEmpty {
            let index = Int(random.below(UInt64(result.count)))
            switch random.below(6) {
            case 0: result[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: result[index] ^= 1 << UInt8(random.below(8))
            case 2: result.removeSubrange(index..<min(result.count, index + 1 + Int(random.below(40))))
            case 3: result.removeSubrange(index...)
            case 4:
                let fragment = Self.fragments[Int(random.below(UInt64(Self.fragments.count)))]
                result.insert(contentsOf: fragment.utf8, at: index)
            default:
                let end = min(result.count, index + 1 + Int(random.below(60)))
                result.insert(contentsOf: result[index..<end], at: index)
            }
        }
        return result
    }

    /// Loads with one file spoilt; a scenario that loads must be usable.
    private func load(_ files: [InputFile], spoiling path: String, _ random: inout SeededRandom, as name: String) {
        var files = files
        guard let index = files.firstIndex(where: { $0.path == path }) else { return }
        files[index].bytes = mutate(files[index].bytes, &random)
        do throws(Faults) {
            let topology = try ScenarioLoader(.memory(files)).load(name).scenario.topology
            _ = topology.tunnels()
            _ = UnderlayRoutes(topology, includingTransitLinks: true)
        } catch {
            if error.all.isEmpty { Issue.record("\(name) is refused without a fault") }
        }
    }

    @Test func `a spoilt scenario or topology never traps`() throws {
        let files = try shippedFiles().filter { !$0.path.hasSuffix(".pcap") && !$0.path.contains("traces") }
        let names = ["abilene", "branch-flap", "node-restart", "branch-brownout"]
        forEachSeed(400) { random in
            let name = "scenarios/\(names[Int(random.below(4))]).json"
            let topology = name.contains("abilene") ? "topologies/abilene.json" : "topologies/dual-isp-branch.json"
            load(files, spoiling: random.below(2) == 0 ? name : topology, &random, as: name)
        }
    }

    @Test func `a spoilt YAML document never traps`() throws {
        let text = try octets("scenarios/branch-flap.json")
        let block = Array("a:\n  - b: &x {c: 1}\n  - *x\n  - |\n    text\nd: !!str 5\n? e\n: f\n".utf8)
        forEachSeed(300) { random in
            let parsed = ParsedDocument(mutate(random.below(2) == 0 ? text : block, &random), file: "a.yaml")
            try #require(parsed.root != nil || !parsed.faults.isEmpty)
        }
    }

    @Test func `a spoilt graph never traps`() throws {
        let files = try shippedFiles().filter { $0.path.contains("bilene") }
        forEachSeed(150) { random in
            load(files, spoiling: "topologies/Abilene.graphml", &random, as: "scenarios/abilene.json")
        }
    }

    @Test func `a spoilt trace never traps`() {
        let topology = Example.topology.replacing("\"12ms\"", with: "\"12ms\", \"trace\": \"good.trace\"")
        guard case .memory(let files) = Example.files(topology: topology) else { return }
        forEachSeed(300) { random in
            load(files, spoiling: "good.trace", &random, as: "small.json")
        }
    }

    @Test func `spoilt authorizations never trap`() {
        let topology = Example.topology.replacing(
            "\"asn\": 65002", with: "\"asn\": 65002, \"bgp\": { \"origins\": \"vrps.csv\" }")
        guard case .memory(var files) = Example.files(topology: topology) else { return }
        let text = "ASN,IP Prefix,Max Length,Trust Anchor\r\nAS65003,10.3.0.0/16,24,x\n65004,fd04::/32,,x\nAS0,::/0,9\n"
        files.append(InputFile(path: "vrps.csv", bytes: Array(text.utf8)))
        forEachSeed(300) { random in load(files, spoiling: "vrps.csv", &random, as: "small.json") }
    }

    @Test func `random octets are no document`() throws {
        forEachSeed(300) { random in
            let bytes = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let json = ParsedDocument(bytes, file: "a.json")
            try #require(json.root != nil || !json.faults.isEmpty)
            let yaml = ParsedDocument(bytes, file: "a.yaml")
            try #require(yaml.root != nil || !yaml.faults.isEmpty)
        }
    }
}
