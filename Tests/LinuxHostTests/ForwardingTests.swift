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

    var nextDeadline: Deadline? { nil }

    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        switch event {
        case .start: for change in changes { outbox.append(.program(change)) }
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
}
