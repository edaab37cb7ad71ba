import Basics
import LinuxSystem
import Testing
import Wire

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct DeviceTests {
    private static let port = InterfaceIndex(20)

    private func socket() throws(SystemError) -> RouteSocket {
        var routes = try RouteSocket(in: NetworkNamespace())
        try routes.change {
            $0.createVeth(VethEnd("a", index: Self.port), peer: VethEnd("b", index: InterfaceIndex(21)))
        }
        return routes
    }

    @Test func `bridges, intermediate devices and second addresses are made and told`() throws {
        var routes = try socket()
        try routes.change {
            $0.createDevice(.bridge, "br", index: InterfaceIndex(30))
            $0.createDevice(.intermediate, "mid")
            $0.createDevice(.secondAddress(on: Self.port), "second")
            $0.setBridge(InterfaceIndex(30), of: InterfaceIndex(21))
        }
        let links = try routes.links()
        let kinds = ["br", "mid", "second"].map { name in links.first { $0.name == name }?.kind }
        #expect(kinds == ["bridge", "ifb", "macvlan"])
        #expect(links.first { $0.name == "br" }?.index == InterfaceIndex(30))
    }

    @Test func `queueing disciplines are added, listed and removed`() throws {
        var routes = try socket()
        let disciplines: [QueueingDiscipline] = [
            .tokenBucket(rate: BitRate(bitsPerSecond: 10_000_000), burst: 10_000, limit: 100_000),
            .tokenBucketClasses(standard: 1), .classifierOnly,
        ]
        for discipline in disciplines {
            try routes.change { $0.addDiscipline(discipline, to: Self.port) }
            let found = try routes.disciplines(on: Self.port)
            let added = try #require(found.first { $0.kind == discipline.kind })
            #expect(added.isRoot == (discipline != .classifierOnly))
            if case .tokenBucketClasses = discipline {
                try routes.change {
                    $0.addClass(1, rate: BitRate(bitsPerSecond: 1_000_000), burst: 5_000, to: Self.port)
                }
            }
            try routes.change { $0.removeDiscipline(added) }
            let left = try routes.disciplines(on: Self.port)
            #expect(!left.contains { $0.kind == discipline.kind })
        }
    }

    @Test func `rules of both families are added, listed and removed`() throws {
        var routes = try socket()
        let rules = [
            RoutingRule(priority: 100, table: 1_000, mark: 7),
            RoutingRule(priority: 101, table: 200, isIPv4: false, input: "a"),
        ]
        try routes.change { batch in for rule in rules { batch.addRule(rule) } }
        let added = try routes.rules()
        #expect(rules.allSatisfy { added.contains($0) })
        try routes.change { batch in for rule in rules { batch.removeRule(rule) } }
        let left = try routes.rules()
        #expect(!rules.contains { left.contains($0) })
    }

    @Test func `a prefix is a namespace's own by a local route, and an address may come without a route`() throws {
        var routes = try socket()
        let prefix = try #require(IPPrefix("192.0.2.0/24"))
        let address = InterfaceAddress(
            .v4(IPv4Address(10, 1, 0, 1)), prefixLength: 16, on: Self.port, hasPrefixRoute: false)
        try routes.change {
            $0.changeLink(.index(Self.port), LinkChange(isUp: true))
            $0.addAddress(address)
            $0.addRoute(KernelRoute(to: prefix, on: InterfaceIndex(1), isLocal: true))
        }
        let addresses = try routes.addresses(on: Self.port)
        let found = try routes.routes()
        #expect(addresses.contains(address))
        #expect(!found.contains { $0.interface == Self.port && $0.destination.isIPv4 })
        try routes.change { $0.removeRoute(KernelRoute(to: prefix, on: InterfaceIndex(1), isLocal: true)) }
    }
}
