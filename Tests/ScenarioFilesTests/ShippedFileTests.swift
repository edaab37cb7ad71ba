import Basics
import Foundation
import Scenario
import ScenarioFiles
import TestKit
import Testing
import Wire

@Suite struct ShippedFileTests {
    @Test func `every shipped scenario and topology loads without a warning`() throws {
        let scenarios = try fileNames(in: "scenarios", ending: ".json")
        #expect(scenarios.count >= 10)
        let loader = ScenarioLoader(.memory(try shippedFiles()))
        for path in scenarios {
            let loaded = try loader.load(path)
            #expect(loaded.warnings.isEmpty, "\(path): \(loaded.warnings)")
            #expect(!loaded.scenario.expectations.isEmpty, "\(path)")
            #expect("scenarios/\(loaded.scenario.name).json" == path)
        }
        for path in try fileNames(in: "topologies", ending: ".json") {
            #expect(try loader.loadTopology(path).warnings.isEmpty, "\(path)")
        }
    }

    @Test func `addresses, ports, links and tunnels of a topology are these`() throws {
        let loader = ScenarioLoader(.memory(try shippedFiles()))
        for name in ["dual-isp-branch", "lte-branch", "abilene"] {
            let topology = try loader.loadTopology("topologies/\(name).json").topology
            try expectGolden(table(of: topology), named: "\(name).txt")
        }
    }

    @Test func `a run is repeated from its stored inputs alone`() throws {
        for name in ["lte-backup", "abilene", "replay"] {
            let path = projectFolder.appending(path: "scenarios/\(name).json").path
            let first = try ScenarioLoader(.disk).load(path)
            let again = try ScenarioLoader(.memory(first.inputs)).load(path)
            #expect(first.scenario == again.scenario)
            #expect(first.inputs == again.inputs)
        }
        let path = projectFolder.appending(path: "scenarios/lte-backup.json").path
        let inputs = try ScenarioLoader(.disk).load(path).inputs
        #expect(
            inputs.map { $0.path.split(separator: "/").last } == [
                "lte-backup.json", "lte-branch.json", "ATT-LTE-driving-2016.up", "ATT-LTE-driving-2016.down",
            ])
    }

    private func table(of topology: Topology) -> String {
        var lines = ["topology \(topology.name)"]
        for (index, node) in topology.nodes.enumerated() {
            let overlay = node.kind == .patronus ? " overlay \(OverlayAddresses.address(ofNode: index))" : ""
            let lan = node.lan.isEmpty ? "" : " lan \(node.lan.map(\.description).joined(separator: " "))"
            lines.append("node \(index) \(node.name) \(node.kind.rawValue)\(lan)\(overlay)")
        }
        for (index, link) in topology.links.enumerated() {
            lines.append("link \(index) \(link.name)\(link.isLAN ? " LAN" : "")")
            for direction in LinkDirection.allCases {
                let end = link.source(direction)
                let settings = link.settings(direction)
                lines.append(
                    "  \(topology.nodes[end.node].name):\(end.port) "
                        + end.addresses.map(\.description).joined(separator: " ")
                        + " rate \(settings.rate.map { "\($0)" } ?? "none") delay \(settings.delay ?? .zero)")
            }
        }
        for tunnel in topology.tunnels() { lines.append("tunnel \(tunnel.name)") }
        let routes = UnderlayRoutes(topology)
        for (index, node) in topology.nodes.enumerated() where !routes.routes[index].isEmpty {
            lines.append("routes of \(node.name)")
            for route in routes.routes[index] where route.prefix.isIPv4 {
                let far = topology.farEnd(route.port).node
                lines.append("  \(route.prefix) \(topology.portName(route.port)) -> \(topology.nodes[far].name)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
