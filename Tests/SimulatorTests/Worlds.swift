import Basics
import Scenario
import Simulator
import Traffic
import Wire

/// Small worlds for tests.
enum Worlds {
    static func settings(_ change: (inout LinkSettings) -> Void) -> LinkSettings {
        var settings = LinkSettings()
        change(&settings)
        return settings
    }

    /// Two hosts joined by one link.
    static func pair(
        _ forward: LinkSettings, reverse: LinkSettings? = nil, duration: Interval, traffic: [TrafficEntry],
        events: [ScriptedEvent] = [], seed: UInt64 = 1
    ) -> Scenario {
        let topology = Topology(
            name: "pair",
            nodes: [TopologyNode(name: "left", kind: .host), TopologyNode(name: "right", kind: .host)],
            links: [LinkDeclaration(EndDeclaration(0), EndDeclaration(1), forward: forward, reverse: reverse)])
        return Scenario(
            name: "pair", topology: topology, seed: seed, duration: duration, traffic: traffic, events: events)
    }

    /// Hosts at both ends of a row of routers.
    static func chain(
        routers: Int, _ settings: LinkSettings, duration: Interval, traffic: [TrafficEntry], seed: UInt64 = 1
    ) -> Scenario {
        var nodes = [TopologyNode(name: "left", kind: .host)]
        nodes += (0..<routers).map { TopologyNode(name: "r\($0)", kind: .router) }
        nodes.append(TopologyNode(name: "right", kind: .host))
        let links = (1..<nodes.count).map {
            LinkDeclaration(EndDeclaration($0 - 1), EndDeclaration($0), forward: settings)
        }
        return Scenario(
            name: "chain", topology: Topology(name: "chain", nodes: nodes, links: links), seed: seed,
            duration: duration, traffic: traffic)
    }

    /// Two sites with two providers each; `left` and `right` are hosts on their LANs.
    static func dualProvider(
        duration: Interval, traffic: [TrafficEntry], events: [ScriptedEvent] = [], seed: UInt64 = 1,
        failbackDelay: Interval = .seconds(5), spare: Bool = false, usesDataplane: Bool = false
    ) -> Scenario {
        var nodes = [
            site("hq", 1), site("branch", 2),
            TopologyNode(name: "isp-a", kind: .router), TopologyNode(name: "isp-b", kind: .router),
            TopologyNode(name: "right", kind: .host, attachment: 0),
            TopologyNode(name: "left", kind: .host, attachment: 1),
        ]
        var links = [
            wan(1, "wan-a", 2, .megabits(50), .milliseconds(12)), wan(1, "wan-b", 3, .megabits(20), .milliseconds(35)),
            wan(0, "wan-a", 2, .gigabits(1), .milliseconds(3)), wan(0, "wan-b", 3, .gigabits(1), .milliseconds(4)),
        ]
        if spare {
            nodes.append(TopologyNode(name: "elsewhere", kind: .router))
            nodes.append(TopologyNode(name: "island", kind: .host))
            links.append(
                LinkDeclaration(
                    EndDeclaration(7), EndDeclaration(6), forward: settings { $0.loss = .independent(Ratio(0.5)) }))
        }
        let voice = SLAClass(
            name: "voice", latency: .milliseconds(150), jitter: .milliseconds(30), loss: Ratio(0.01))
        let topology = Topology(
            name: "dual", nodes: nodes, links: links,
            overlay: OverlayConfiguration(failbackDelay: failbackDelay, usesDataplane: usesDataplane),
            slaClasses: [voice],
            steering: [
                SteeringPolicy(
                    name: "voice-first", match: SteeringMatch(application: "voip"), slaClass: 0,
                    preferredPorts: ["wan-a"], priority: 200)
            ])
        return Scenario(
            name: "dual", topology: topology, seed: seed, duration: duration, traffic: traffic, events: events)
    }

    static func calls(_ flows: Int = 1, from: Int = 5, to: Int = 4, start: Interval = .seconds(8)) -> TrafficEntry {
        TrafficEntry(name: "calls", application: .voip, from: from, to: to, flows: flows, start: start)
    }

    static func constantRate(
        _ rate: BitRate, packetSize: UInt64 = 1_000, from: Int = 0, to: Int = 1, start: Interval = .zero
    ) -> TrafficEntry {
        TrafficEntry(
            name: "load", application: .constantRate(rate: rate, packetSize: ByteCount(packetSize)), from: from, to: to,
            start: start)
    }

    /// Runs a scenario to its end.
    static func record(_ scenario: Scenario, seed: UInt64? = nil) -> RunRecord {
        var simulation = Simulation(scenario, seed: seed)
        simulation.run(until: .zero + scenario.duration)
        return simulation.finish()
    }

    private static func site(_ name: String, _ number: UInt8) -> TopologyNode {
        TopologyNode(
            name: name, kind: .patronus, autonomousSystem: 65_000 + UInt32(number),
            lan: [.v4(IPv4Prefix(IPv4Address(10, number, 0, 0), length: 16))])
    }

    private static func wan(
        _ node: Int, _ port: String, _ router: Int, _ rate: BitRate, _ delay: Interval
    ) -> LinkDeclaration {
        let link = settings {
            $0.rate = rate
            $0.delay = delay
        }
        return LinkDeclaration(EndDeclaration(node, port: port), EndDeclaration(router), forward: link)
    }
}

extension RunRecord {
    /// The report on one direction of one flow.
    func report(_ flow: UInt32 = 1, _ direction: FlowDirection = .forward) -> FlowReport? {
        flowReports.first { $0.flow == flow && $0.direction == direction }
    }
}
