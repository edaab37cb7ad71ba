import Scenario
import ScenarioFiles
import Testing

@Suite struct YAMLTests {
    private static let topology = """
        # The same as the example in JSON.
        name: small
        nodes:
          hq: { kind: patronus, asn: 65001, lan: [10.1.0.0/16], role: hub }
          branch: &site
            kind: patronus
            asn: 65002
            lan: ["10.2.0.0/16"]
          isp: { kind: router }
          server: { kind: host, at: hq }
          laptop: { kind: host, at: branch }
        links:
          - endpoints: [ "branch:wan-a", isp ]
            rate: 50Mbit
            delay: 12ms
          - { endpoints: [ "hq:wan-a", isp ], rate: 1Gbit, delay: 3ms }
        overlay: { tunnels: full-mesh, probeInterval: 100ms, detectMultiplier: 3 }
        slaClasses: [ { name: voice, latency: 150ms } ]
        steering:
          - { name: voice-first, match: { application: voip }, sla: voice, prefer: [ wan-a ] }

        """

    private func load(_ text: String) throws(Faults) -> Topology {
        let files = FileSource.memory([InputFile(path: "t.yaml", bytes: Array(text.utf8))])
        return try ScenarioLoader(files).loadTopology("t.yaml").topology
    }

    private func faults(_ text: String) -> [String] {
        do throws(Faults) {
            _ = try load(text)
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `YAML and JSON give the same topology`() throws {
        let fromJSON = try ScenarioLoader(Example.files()).loadTopology("small-topology.json").topology
        #expect(try load(Self.topology) == fromJSON)
    }

    @Test func `JSON read as YAML gives the same values`() throws {
        func values(_ node: DocumentNode) -> String {
            switch node.value {
            case .null: "null"
            case .bool(let value): "\(value)"
            case .number(let text): "number \(text)"
            case .string(let text): "string \(text)"
            case .array(let elements): "[" + elements.map(values).joined(separator: ",") + "]"
            case .object(let members): "{" + members.map { $0.key + ":" + values($0.node) }.joined(separator: ",") + "}"
            }
        }
        let paths = try fileNames(in: "scenarios", ending: ".json") + fileNames(in: "topologies", ending: ".json")
        for path in paths {
            let json = try #require(ParsedDocument(try octets(path), file: "a.json").root)
            let yaml = try #require(ParsedDocument(try octets(path), file: "a.yml").root)
            #expect(values(json) == values(yaml), "\(path)")
        }
    }

    @Test func `faults in YAML have their places too`() {
        #expect(
            faults(Self.topology.replacing("rate: 50Mbit", with: "rte: 50Mbit")) == [
                "t.yaml:14:5: links[0].rte: \"rte\" is no key here; did you mean \"rate\"?"
            ])
        #expect(
            faults(Self.topology.replacing("delay: 12ms", with: "delay: 12")) == [
                "t.yaml:15:12: links[0].delay: \"12\" needs a unit; write 250us, 20ms, 2s, 5m or 1h"
            ])
        #expect(faults("nodes: [\n").first?.hasPrefix("t.yaml:2:1: $: this is no YAML") == true)
        #expect(faults("a: 1\na: 2\n").first?.hasPrefix("t.yaml:1:1: $: the key \"a\" stands twice") == true)
        #expect(faults("name: *nothing\n").first?.hasPrefix("t.yaml:1:7: $: this is no YAML") == true)
    }

    @Test func `plain words stay what they look like`() throws {
        let text = "- no\n- 12:30\n- 1.10\n- 0x10\n- true\n- ~\n- \"5\"\n- !!str 7\n- 10s\n"
        let root = try #require(ParsedDocument(Array(text.utf8), file: "a.yaml").root)
        guard case .array(let elements) = root.value else {
            Issue.record("no list")
            return
        }
        #expect(
            elements.map(\.value) == [
                .string("no"), .string("12:30"), .number("1.10"), .string("0x10"), .bool(true), .null, .string("5"),
                .string("7"), .string("10s"),
            ])
    }

    @Test func `aliases that multiply are stopped`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [" + Array(repeating: alias, count: 10).joined(separator: ", ") + "]\n"
        }
        let parsed = ParsedDocument(Array(text.utf8), file: "bomb.yaml")
        #expect(parsed.root == nil)
        #expect(parsed.faults.count == 1)
    }
}
