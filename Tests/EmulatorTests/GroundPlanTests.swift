import Basics
import Emulator
import LinuxSystem
import Plan
import Scenario
import TestKit
import Testing
import Wire

struct GroundPlanTests {
    @Test func `the plan of a shipped topology is what its golden file says`() throws {
        let scenario = try shippedScenario("branch-blackout")
        let plan = try GroundPlan(scenario, RunPlan(scenario, replays: []))
        try expectGolden(plan.describe().joined(separator: "\n") + "\n", named: "branch-ground.txt")
    }

    @Test func `the same scenario has the same plan`() throws {
        let scenario = try shippedScenario("abilene")
        let plans = try (0..<2).map { _ in try GroundPlan(scenario, RunPlan(scenario, replays: [])) }
        #expect(plans[0] == plans[1])
    }

    @Test func `flows are told apart by their ports where a node spreads them, and nowhere else`() throws {
        var node = TopologyNode(name: "one", kind: .patronus, autonomousSystem: 65_001)
        var bgp = BGPDeclaration()
        func hashing() throws -> [[String]] {
            node.bgp = bgp
            let nodes = [node, TopologyNode(name: "two", kind: .router), TopologyNode(name: "three", kind: .linux)]
            let links = [1, 2].map { LinkDeclaration(EndDeclaration(0), EndDeclaration($0)) }
            let topology = Topology(name: "three", nodes: nodes, links: links)
            let scenario = Scenario(name: "three", topology: topology, duration: .seconds(1))
            return try GroundPlan(scenario, RunPlan(scenario, replays: [])).namespaces.map { namespace in
                namespace.parameters.filter { $0.name.contains("multipath") }.map { "\($0.name) = \($0.value)" }
            }
        }
        #expect(try hashing() == [[], [], []])
        bgp.maximumPaths = 2
        let wanted = ["ipv4", "ipv6"].map { "\($0)/fib_multipath_hash_policy = 1" }
        #expect(try hashing() == [wanted, [], []])
    }

    private func kind(_ change: (inout LinkSettings) -> Void, _ events: [ScriptedEvent] = []) throws
        -> GroundPlan.LinkKind
    {
        var settings = LinkSettings()
        change(&settings)
        return try plan(row(settings), events: events).links[0].kind
    }

    @Test func `a link is a wire for whatever a veth does not do to packets`() throws {
        #expect(try kind { _ in } == .veth)
        #expect(try kind { $0.delay = .microseconds(50) } == .veth)
        #expect(try kind { $0.costPerGigabyte = 2 } == .veth)
        #expect(try kind { $0.maximumTransmissionUnit = 9_000 } == .veth)
        #expect(try kind { $0.delay = .milliseconds(1) } == .wire)
        #expect(try kind { $0.jitter = .microseconds(1) } == .wire)
        #expect(try kind { $0.rate = BitRate(bitsPerSecond: 1_000_000) } == .wire)
        #expect(try kind { $0.loss = .independent(Ratio(0.1)) } == .wire)
        #expect(try kind { $0.corrupt = Ratio(0.1) } == .wire)
        #expect(try kind { $0.trace = DeliveryTrace(file: "x", opportunities: [1]) } == .wire)
    }

    @Test func `a link that a scenario changes is a wire, and one that only loses its carrier is none`() throws {
        func event(_ kind: ScriptedEvent.Kind) -> [ScriptedEvent] {
            [ScriptedEvent(at: .zero, label: "event", kind: kind)]
        }
        var changes = LinkSettings()
        changes.loss = .independent(Ratio(0.5))
        let set = event(.linkSet(link: 0, directions: .both, changes: changes, over: nil))
        #expect(try kind({ _ in }, set) == .wire)
        #expect(try kind({ _ in }, event(.linkDown(link: 0, directions: .both, lasting: nil))) == .veth)
        #expect(try kind({ _ in }, event(.linkDown(link: 0, directions: .forward, lasting: nil))) == .wire)
        #expect(try kind({ _ in }, event(.linkDown(link: 1, directions: .forward, lasting: nil))) == .veth)
        // The row's second machine is a router, which is at the link's end, and so is the third, which is not.
        #expect(try kind({ _ in }, event(.nodeKill(node: 1))) == .wire)
        #expect(try kind({ _ in }, event(.nodeRestart(node: 1, after: .seconds(1)))) == .wire)
        #expect(try kind({ _ in }, event(.nodeKill(node: 2))) == .veth)
    }

    @Test func `a plan that this kernel has no room for is warned of, with what to do`() throws {
        // Four links: eight ends, of which each knows the other by one address over IPv4 and by two over IPv6.
        let plan = try plan(row())
        func warnings(_ ipv4: Int?, _ ipv6: Int?, _ openFiles: Int = 1_024) -> [String] {
            plan.warnings(
                under: KernelLimits(ipv4Neighbours: ipv4, ipv6Neighbours: ipv6, openFiles: openFiles))
        }
        #expect(warnings(8, 16).isEmpty)
        #expect(warnings(nil, nil).isEmpty)
        #expect(
            warnings(7, 1_024) == [
                "up to 8 IPv4 neighbours at once, and the kernel keeps 7, of all namespaces together: packets to the "
                    + "others are lost; run `sysctl -w net.ipv4.neigh.default.gc_thresh3=4096`"
            ])
        // Two for each of five namespaces, no TAP, and 128.
        #expect(warnings(8, 16, 138).isEmpty)
        #expect(
            warnings(8, 16, 137) == ["138 open files, and a process may have 137; raise the limit (ulimit -n)"])
        // Two links of both kinds, and an overlay.
        let both = try EmulatorTests.plan(site())
        #expect(
            both.warnings(under: KernelLimits(ipv4Neighbours: 4, ipv6Neighbours: 7, openFiles: 1_024)).map {
                String($0.prefix(24))
            } == ["up to 5 IPv4 neighbours ", "up to 8 IPv6 neighbours "])
    }

    @Test func `hosts of one LAN are reached by a route each`() throws {
        let plan = try plan(site())
        let node = plan.namespaces[0]
        #expect(node.ports.map(\.name) == ["lan0", "lan1"])
        #expect(node.ports.allSatisfy { $0.addresses.allSatisfy { !$0.isWholePrefixThere } })
        #expect(
            node.routes.map { "\($0.destination) \($0.port)" }.sorted() == [
                "10.1.0.10/32 0", "10.1.0.11/32 1", "fd00:1::a/128 0", "fd00:1::b/128 1",
            ])
        let host = plan.namespaces[1]
        #expect(host.routes.contains { $0.destination.length == 0 && $0.gateway == IPAddress("10.1.0.1") })
        #expect(node.overlay?.mtu ?? 0 < 1_500)
    }

    @Test func `a port that no interface can be is refused with its name`() throws {
        func fault(_ name: String) -> GroundError? {
            let nodes = ["a", "b"].map { TopologyNode(name: $0, kind: .router) }
            let topology = Topology(
                name: "t", nodes: nodes, links: [LinkDeclaration(EndDeclaration(0, port: name), EndDeclaration(1))])
            let scenario = Scenario(name: "t", topology: topology, duration: .seconds(1))
            do throws(GroundError) {
                _ = try GroundPlan(scenario, RunPlan(scenario, replays: []))
                return nil
            } catch {
                return error
            }
        }
        #expect(fault("a-name-of-15-oct") == .interfaceName("a:a-name-of-15-oct", .tooLong))
        #expect(fault("a-name-of-15-oc") == nil)
        #expect(fault("all") == .interfaceName("a:all", .reserved))
        #expect(fault("lo") == .interfaceName("a:lo", .reserved))
        #expect(fault("a/b") == .interfaceName("a:a/b", .unfitCharacter))
        #expect(fault("ä") == .interfaceName("a:ä", .unfitCharacter))
    }

    @Test func `a cloud's gateway is refused`() throws {
        let nodes = [TopologyNode(name: "a", kind: .router), TopologyNode(name: "aws", kind: .awsTransitGateway)]
        let topology = Topology(
            name: "t", nodes: nodes, links: [LinkDeclaration(EndDeclaration(0), EndDeclaration(1))])
        #expect(throws: GroundError.cloudNode("aws", .awsTransitGateway)) { _ = try plan(topology) }
    }

    @Test func `names of labs are short and plain`() {
        #expect(LabName("branch-1.a_b")?.text == "branch-1.a_b")
        for text in ["", "-a", "../x", "a/b", "a b", ".new", String(repeating: "a", count: 33)] {
            #expect(LabName(text) == nil, "\(text)")
        }
        #expect(LabName(forTopology: "Dual ISP / branch").text == "Dual-ISP---branch")
        #expect(LabName(forTopology: "/").text == "lab")
    }
}
