import Basics
import Emulator
import LinuxSystem
import Plan
import Scenario
import Testing
import Wire

@Suite(.enabled(if: Privilege.isThere, "\(Privilege.reason)"), .serialized)
struct GroundTests {
    private let state = StateFolder()

    private func built(_ plan: GroundPlan, _ name: String = "test") throws -> Ground {
        let lab = try #require(LabName(name))
        return try Ground.build(plan, journal: state.store.begin(lab, topology: plan.topology))
    }

    @Test func `datagrams cross a row of routers both ways in both families`() throws {
        let plan = try plan(row())
        let ground = try built(plan)
        let near = try ground.namespace(ofNode: 0)
        let far = try ground.namespace(ofNode: 4)
        for isIPv4 in [true, false] {
            let addresses = [0, 4].compactMap { node in
                plan.namespaces[node].ports[0].addresses.first { $0.address.isIPv4 == isIPv4 }?.address
            }
            try #require(addresses.count == 2)
            let isThere = try exchange(near, at: addresses[0], far, at: addresses[1])
            #expect(isThere, "\(addresses)")
        }
        ground.tearDown()
    }

    @Test func `hosts of one LAN reach their node and each other by it`() throws {
        let ground = try built(try plan(site()))
        let node = try ground.namespace(ofNode: 0)
        let a = try ground.namespace(ofNode: 1)
        let b = try ground.namespace(ofNode: 2)
        let texts = [("10.1.0.1", "10.1.0.10", "10.1.0.11"), ("fd00:1::1", "fd00:1::a", "fd00:1::b")]
        for (gateway, first, second) in texts {
            let gateway = try #require(IPAddress(gateway))
            let (first, second) = (try #require(IPAddress(first)), try #require(IPAddress(second)))
            let isNodeReached = try exchange(a, at: first, node, at: gateway)
            let isOtherReached = try exchange(a, at: first, b, at: second)
            let isNodeReachedByOther = try exchange(b, at: second, node, at: gateway)
            #expect(isNodeReached && isOtherReached && isNodeReachedByOther, "\(first)")
        }
        ground.tearDown()
    }

    @Test func `neighbours in the shipped branch exchange datagrams over its veths`() throws {
        let scenario = try shippedScenario("branch-blackout")
        let plan = try GroundPlan(scenario, RunPlan(scenario, replays: []))
        let ground = try built(plan)
        for link in plan.links where link.kind == .veth {
            let ends = [link.first, link.second].map { plan.namespaces[$0.namespace].ports[$0.port].addresses[0] }
            let near = try ground.namespace(ofNode: link.first.namespace)
            let far = try ground.namespace(ofNode: link.second.namespace)
            let isThere = try exchange(near, at: ends[0].address, far, at: ends[1].address)
            #expect(isThere, "\(link.name)")
        }
        ground.tearDown()
    }

    @Test func `every port has its mark, its hardware address and its MTU, and is up`() throws {
        let scenario = try shippedScenario("branch-blackout")
        let plan = try GroundPlan(scenario, RunPlan(scenario, replays: []))
        let ground = try built(plan, "marked")
        for (index, namespace) in plan.namespaces.enumerated() {
            var routes = try RouteSocket(in: ground.namespace(ofNode: index))
            let links = try routes.links().filter { $0.name != "lo" && $0.kind != "sit" }
            #expect(links.map(\.name).sorted() == namespace.ports.map(\.name).sorted())
            for (number, port) in namespace.ports.enumerated() {
                let link = try routes.existingLink(.named(port.name))
                #expect(link.index == ground.interface(ofNode: index, port: number))
                #expect(link.alias == "patronus:marked:\(namespace.name):\(port.name)")
                #expect(link.address == port.hardwareAddress && link.mtu == port.mtu && link.isUp)
                #expect(link.kind == (plan.links[port.link].kind == .wire ? "tun" : "veth"))
                let addresses = try routes.addresses(on: link.index).filter { !$0.isLinkLocal }
                let expected = port.addresses.map { "\($0.address)/\($0.prefixLength)" }
                #expect(addresses.map { "\($0.address)/\($0.prefixLength)" }.sorted() == expected.sorted())
            }
            let found = try routes.routes()
            for route in namespace.routes {
                let isThere = found.contains {
                    $0.destination == route.destination && $0.gateway == route.gateway
                        && $0.interface == ground.interface(ofNode: index, port: route.port)
                }
                #expect(isThere, "\(namespace.name): \(route.destination)")
            }
        }
        ground.tearDown()
    }

    @Test func `the TAPs of a wire are handed out once`() throws {
        let scenario = try shippedScenario("branch-blackout")
        let plan = try GroundPlan(scenario, RunPlan(scenario, replays: []))
        var ground = try built(plan)
        let index = try #require(plan.links.firstIndex { $0.kind == .wire })
        let veth = try #require(plan.links.firstIndex { $0.kind == .veth })
        var names: [String] = []
        if let taps = ground.takeTaps(ofLink: index) { names = [taps.first.name, taps.second.name] }
        let (isThereAgain, hasVeth) = (ground.takeTaps(ofLink: index) != nil, ground.takeTaps(ofLink: veth) != nil)
        let link = plan.links[index]
        #expect(names == [link.first, link.second].map { plan.namespaces[$0.namespace].ports[$0.port].name })
        #expect(!isThereAgain && !hasVeth)
        ground.tearDown()
    }

    @Test func `a veth loses its carrier, and with it comes everything back`() throws {
        let plan = try plan(row())
        var ground = try built(plan)
        let near = try ground.namespace(ofNode: 0)
        let far = try ground.namespace(ofNode: 4)
        var addresses: [[IPAddress]] = []
        for isIPv4 in [true, false] {
            addresses.append(
                [0, 4].compactMap { node in
                    plan.namespaces[node].ports[0].addresses.first { $0.address.isIPv4 == isIPv4 }?.address
                })
        }
        for link in plan.links.indices {
            try ground.setCarrier(ofLink: link, isUp: false)
            for end in [plan.links[link].first, plan.links[link].second] {
                var routes = try RouteSocket(in: ground.namespace(ofNode: end.namespace))
                let state = try routes.existingLink(.index(ground.interface(ofNode: end.namespace, port: end.port)))
                #expect(!state.hasCarrier)
            }
            try ground.setCarrier(ofLink: link, isUp: true)
            for pair in addresses {
                let isThere = try exchange(near, at: pair[0], far, at: pair[1])
                #expect(isThere, "link \(link), \(pair[0])")
            }
        }
        ground.tearDown()
    }

    @Test func `a host has every address of its prefixes`() throws {
        var nodes = [TopologyNode(name: "server", kind: .host), TopologyNode(name: "client", kind: .host)]
        nodes[0].prefixes = [IPPrefix("192.0.2.0/24"), IPPrefix("2001:db8:5::/64")].compactMap { $0 }
        let topology = Topology(
            name: "pair", nodes: nodes, links: [LinkDeclaration(EndDeclaration(0), EndDeclaration(1))])
        let plan = try plan(topology)
        let ground = try built(plan)
        let server = try ground.namespace(ofNode: 0)
        let client = try ground.namespace(ofNode: 1)
        for target in ["192.0.2.77", "2001:db8:5::77"] {
            let target = try #require(IPAddress(target))
            let source = try #require(
                plan.namespaces[1].ports[0].addresses.first { $0.address.isIPv4 == target.isIPv4 }?.address)
            let isThere = try exchange(client, at: source, server, at: target)
            #expect(isThere, "\(target)")
        }
        ground.tearDown()
    }

    @Test func `another process finds a node's namespace by the journal`() throws {
        let plan = try plan(row())
        let ground = try built(plan, "found")
        let name = try #require(LabName("found"))
        let found = try #require(state.store.lab(name))
        #expect(found.isAlive && found.nodes == ["n0", "n1", "n2", "n3", "n4"] && found.topology == "row")
        let identities = try (
            found.namespace(ofNode: "n3").identity, ground.namespace(ofNode: 3).identity
        )
        #expect(identities.0 == identities.1)
        #expect(throws: GroundError.self) { _ = try found.namespace(ofNode: "nobody") }
        ground.tearDown()
        #expect(throws: GroundError.self) { _ = try found.namespace(ofNode: "n3") }
    }

    @Test func `letting go of a hundred namespaces takes less than 20 ms`() throws {
        let ring = Topology(
            name: "ring", nodes: (0..<100).map { TopologyNode(name: "h\($0)", kind: .host) },
            links: (0..<100).map { LinkDeclaration(EndDeclaration($0), EndDeclaration(($0 + 1) % 100)) })
        let ground = try built(try plan(ring))
        let clock = ContinuousClock()
        let start = clock.now
        ground.tearDown()
        #expect(clock.now - start < .milliseconds(20))
    }
}

extension InterfaceAddress {
    /// RFC 4291 §2.5.6.
    var isLinkLocal: Bool {
        if case .v6(let address) = address { return address.bits >> 118 == 0x3FA }
        return false
    }
}
