import Glibc
import LinuxSystem
import Testing
import Wire

/// Routes with several next hops, in the kernel.
@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"), .serialized)
struct MultipathRouteTests {
    /// A namespace with two links, `a` and `b`, on each of which two routers could be.
    private struct Ends: ~Copyable {
        let namespace: NetworkNamespace
        var routes: RouteSocket

        init(isIPv4: Bool) throws {
            let namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            try routes.change { batch in
                for (name, index) in [("a", 20), ("b", 30)] as [(String, UInt32)] {
                    batch.createVeth(
                        VethEnd(name, index: InterfaceIndex(index)),
                        peer: VethEnd("far-\(name)", index: InterfaceIndex(index + 1)))
                    batch.changeLink(.index(InterfaceIndex(index)), LinkChange(isUp: true))
                    batch.changeLink(.index(InterfaceIndex(index + 1)), LinkChange(isUp: true))
                    batch.addAddress(
                        InterfaceAddress(
                            MultipathRouteTests.router(1, on: index, isIPv4: isIPv4), prefixLength: isIPv4 ? 24 : 64,
                            on: InterfaceIndex(index)))
                }
            }
            self.namespace = namespace
            self.routes = routes
        }

        /// What `ip route` says of the prefix.
        func listed(isIPv4: Bool) throws -> String {
            let prefix = MultipathRouteTests.prefix(isIPv4: isIPv4)
            return try namespace.perform { () throws(SystemError) in
                // A child is where the thread is that starts it.
                let command = "/sbin/ip \(isIPv4 ? "-4" : "-6") route show \(prefix)"
                guard let stream = popen(command, "r") else { return "" }
                defer { pclose(stream) }
                var octets: [UInt8] = []
                while case let octet = getc(stream), octet != EOF { octets.append(UInt8(truncatingIfNeeded: octet)) }
                return String(decoding: octets, as: UTF8.self)
            }
        }

        /// Of the prefix, all routes.
        mutating func present(isIPv4: Bool) throws -> [KernelRoute] {
            try routes.routes().filter { $0.destination == MultipathRouteTests.prefix(isIPv4: isIPv4) }
        }
    }

    private static func router(_ host: UInt8, on interface: UInt32, isIPv4: Bool) -> IPAddress {
        isIPv4
            ? .v4(IPv4Address(192, 0, UInt8(interface), host))
            : .v6(IPv6Address(high: 0x2001_0DB8_0000_0000 | UInt64(interface), low: UInt64(host)))
    }

    private static func prefix(isIPv4: Bool) -> IPPrefix {
        isIPv4
            ? IPPrefix(.v4(IPv4Address(198, 51, 100, 0)), length: 24)
            : IPPrefix(.v6(IPv6Address(high: 0x2001_0DB8_00FF_0000, low: 0)), length: 48)
    }

    private static func hop(_ host: UInt8, on interface: UInt32, isIPv4: Bool) -> KernelRoute.NextHop {
        KernelRoute.NextHop(
            through: router(host, on: interface, isIPv4: isIPv4), on: InterfaceIndex(interface))
    }

    @Test(arguments: [true, false])
    func `a route with several next hops is set, replaced and removed, and others stay`(isIPv4: Bool) throws {
        var ends = try Ends(isIPv4: isIPv4)
        let prefix = Self.prefix(isIPv4: isIPv4)
        func route(_ hops: [KernelRoute.NextHop]) -> KernelRoute { KernelRoute(to: prefix, over: hops, metric: 1_790) }
        let theirs = KernelRoute(
            to: prefix, over: [Self.hop(9, on: 20, isIPv4: isIPv4), Self.hop(9, on: 30, isIPv4: isIPv4)], metric: 20)
        try ends.routes.change { $0.addRoute(theirs) }

        let two = route([Self.hop(2, on: 20, isIPv4: isIPv4), Self.hop(2, on: 30, isIPv4: isIPv4)])
        try ends.routes.change { $0.replaceRoute(two) }
        #expect(try ends.present(isIPv4: isIPv4) == [theirs, two])
        let listed = try ends.listed(isIPv4: isIPv4)
        for (link, interface) in [("a", 20), ("b", 30)] as [(String, UInt32)] {
            let router = Self.router(2, on: interface, isIPv4: isIPv4)
            #expect(listed.contains("nexthop via \(router) dev \(link) weight 1"), "\(listed)")
        }

        let three = route(two.nextHops + [Self.hop(3, on: 30, isIPv4: isIPv4)])
        try ends.routes.change { $0.replaceRoute(three) }
        #expect(try ends.present(isIPv4: isIPv4) == [theirs, three])

        // As one next hop the route is an ordinary one, and may become several again.
        let one = KernelRoute(
            to: prefix, through: Self.router(2, on: 30, isIPv4: isIPv4), on: InterfaceIndex(30), metric: 1_790)
        try ends.routes.change { $0.replaceRoute(one) }
        #expect(try ends.present(isIPv4: isIPv4) == [theirs, one])
        try ends.routes.change { $0.replaceRoute(three) }
        #expect(try ends.present(isIPv4: isIPv4) == [theirs, three])

        try ends.routes.change { $0.removeRoute(KernelRoute(to: prefix, metric: 1_790)) }
        #expect(try ends.present(isIPv4: isIPv4) == [theirs])
    }

    @Test func `routes of IPv4 lead through routers of IPv6`() throws {
        var ends = try Ends(isIPv4: false)
        let prefix = Self.prefix(isIPv4: true)
        let hops = [Self.hop(2, on: 20, isIPv4: false), Self.hop(2, on: 30, isIPv4: false)]
        let one = KernelRoute(to: prefix, through: hops[0].gateway, on: hops[0].interface, metric: 1_790)
        let several = KernelRoute(to: prefix, over: hops, metric: 1_790)
        for route in [one, several] {
            try ends.routes.change { $0.replaceRoute(route) }
            #expect(try ends.present(isIPv4: true) == [route])
        }
        let listed = try ends.listed(isIPv4: true)
        #expect(listed.contains("nexthop via inet6 \(hops[1].gateway) dev b weight 1"), "\(listed)")
    }

    @Test(arguments: [true, false])
    func `as many next hops as a node may use fit one request`(isIPv4: Bool) throws {
        var ends = try Ends(isIPv4: isIPv4)
        let hops = (2..<66).map { Self.hop($0, on: 20, isIPv4: isIPv4) }
        let route = KernelRoute(to: Self.prefix(isIPv4: isIPv4), over: hops, metric: 1_790)
        try ends.routes.change { $0.replaceRoute(route) }
        #expect(try ends.present(isIPv4: isIPv4) == [route])
    }

    @Test(arguments: [true, false])
    func `a route with several next hops is taken away and given back as it was`(isIPv4: Bool) throws {
        var ends = try Ends(isIPv4: isIPv4)
        let route = KernelRoute(
            to: Self.prefix(isIPv4: isIPv4),
            over: [Self.hop(2, on: 20, isIPv4: isIPv4), Self.hop(2, on: 30, isIPv4: isIPv4)], metric: 20)
        try ends.routes.change { $0.addRoute(route) }
        // Routes to their own links the kernel makes when it likes.
        let all = try ends.routes.savedRoutes().filter(\.hasGateway)
        let saved = try #require(all.first)
        #expect(saved.interfaces == [20, 30].map { InterfaceIndex($0) })
        try ends.routes.change { $0.removeRoute(saved) }
        #expect(try ends.present(isIPv4: isIPv4).isEmpty)
        try ends.routes.change { $0.addRoute(saved) }
        #expect(try ends.routes.savedRoutes().filter(\.hasGateway) == all)
    }
}
