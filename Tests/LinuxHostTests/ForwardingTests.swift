import Basics
import LinuxHost
import LinuxSystem
import Machine
import TestKit
import Testing
import Wire

/// A machine that has the kernel change its routes as soon as it starts.
struct Forwarder: HostedMachine {
    let changes: [ForwardingChange]
    /// The prefixes that are to be spread over routers, after that.
    var spreads: [(prefix: IPPrefix, hops: [RouterHop])] = []

    var nextDeadline: Deadline? { nil }

    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        switch event {
        case .start:
            for change in changes { outbox.append(.program(change)) }
            for (prefix, hops) in spreads { outbox.spread(prefix, over: hops) }
        default: break
        }
    }
}

@Suite(.enabled(if: Privileges.suffice, "\(Privileges.reason)"), .serialized)
struct ForwardingTests {
    @Test func `what a neighbour tells leaves routes alone that other routing daemons have made`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        try routes.change {
            $0.createVeth(VethEnd("card", index: InterfaceIndex(10)), peer: VethEnd("far", index: InterfaceIndex(11)))
            for index in [10, 11] as [UInt32] {
                $0.changeLink(.index(InterfaceIndex(index)), LinkChange(isUp: true))
            }
            $0.addAddress(
                InterfaceAddress(.v4(IPv4Address(192, 0, 2, 1)), prefixLength: 24, on: InterfaceIndex(10)))
        }
        let prefix = try #require(IPPrefix("198.51.100.0/24"))
        let theirs = [20, 32].map { metric in
            KernelRoute(
                to: prefix, through: .v4(IPv4Address(192, 0, 2, 2)), on: InterfaceIndex(10), metric: metric)
        }
        try routes.change { batch in for route in theirs { batch.addRoute(route) } }
        let gateway = IPAddress.v4(IPv4Address(192, 0, 2, 3))
        func change(_ changes: ForwardingChange...) throws -> [KernelRoute] {
            let port = HostPort("card", role: .lan, addresses: [.v4(IPv4Address(192, 0, 2, 1))], gateways: [gateway])
            let configuration = HostConfiguration(
                ports: [port], clock: .startingNow(), random: SeededRandom(seed: 1, stream: "test"))
            let machine = try RunningMachine(in: namespace, configuration) { Forwarder(changes: changes) }
            // What is asked is answered after the start.
            try #require(machine.ask { _ in true } == true)
            machine.stop()
            return try routes.routes().filter { $0.destination == prefix }
        }
        let told = try change(.route(prefix, over: PortID(0), through: gateway))
        #expect(told.count == 3 && told.filter { $0.gateway != gateway } == theirs, "\(told)")
        #expect(try change(.unroute(prefix)) == theirs)
    }

    @Test func `what several neighbours tell leads to all of them, in both families, until it is withdrawn`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        let (own4, own6) = (IPAddress.v4(IPv4Address(192, 0, 2, 1)), try #require(IPAddress("2001:db8::1")))
        try routes.change {
            $0.createVeth(VethEnd("card", index: InterfaceIndex(10)), peer: VethEnd("far", index: InterfaceIndex(11)))
            for index in [10, 11] as [UInt32] {
                $0.changeLink(.index(InterfaceIndex(index)), LinkChange(isUp: true))
            }
            $0.addAddress(InterfaceAddress(own4, prefixLength: 24, on: InterfaceIndex(10)))
            $0.addAddress(InterfaceAddress(own6, prefixLength: 64, on: InterfaceIndex(10)))
        }
        let prefixes = [try #require(IPPrefix("198.51.100.0/24")), try #require(IPPrefix("2001:db8:1::/48"))]
        let gateways = try [["192.0.2.2", "192.0.2.3", "192.0.2.4"], ["2001:db8::2", "2001:db8::3", "2001:db8::4"]]
            .map { try $0.map { try #require(IPAddress($0)) } }
        func run(_ changes: [ForwardingChange], _ hops: [[IPAddress]] = []) throws -> [KernelRoute] {
            let port = HostPort("card", role: .lan, addresses: [own4, own6], gateways: gateways.map { $0[0] })
            let configuration = HostConfiguration(
                ports: [port], clock: .startingNow(), random: SeededRandom(seed: 1, stream: "test"))
            let spreads = zip(prefixes, hops).map { prefix, hops in
                (prefix: prefix, hops: hops.map { RouterHop(port: PortID(0), gateway: $0) })
            }
            let machine = try RunningMachine(in: namespace, configuration) {
                Forwarder(changes: changes, spreads: spreads)
            }
            try #require(machine.ask { _ in true } == true)
            machine.stop()
            return try routes.routes().filter { prefixes.contains($0.destination) }
        }
        func expected(_ hops: [[IPAddress]]) -> [KernelRoute] {
            zip(prefixes, hops).map { prefix, hops in
                let nextHops = hops.map { KernelRoute.NextHop(through: $0, on: InterfaceIndex(10)) }
                return KernelRoute(to: prefix, over: nextHops, metric: 1_790)
            }
        }
        let single = zip(prefixes, gateways).map { ForwardingChange.route($0, over: PortID(0), through: $1[0]) }
        #expect(try run(single, gateways) == expected(gateways))
        let fewer = gateways.map { Array($0[1...]) }
        #expect(try run([], fewer) == expected(fewer))
        let one = zip(prefixes, gateways).map {
            KernelRoute(to: $0, through: $1[0], on: InterfaceIndex(10), metric: 1_790)
        }
        #expect(try run(single) == one)
        _ = try run([], gateways)
        #expect(try run(prefixes.map { .unroute($0) }).isEmpty)
    }
}
