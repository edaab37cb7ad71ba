import Glibc
import LinuxSystem
import Testing
import Wire

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct RouteSocketTests {
    /// A namespace with a veth, both ends in it, the first with index 20 and the second with 21.
    private struct Pair: ~Copyable {
        let namespace: NetworkNamespace
        var routes: RouteSocket

        init() throws(SystemError) {
            let namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            try routes.change {
                $0.createVeth(
                    VethEnd("a", index: InterfaceIndex(20), mtu: 1_400), peer: VethEnd("b", index: InterfaceIndex(21)))
                $0.changeLink(.named("a"), LinkChange(isUp: true))
                $0.changeLink(.named("b"), LinkChange(isUp: true))
            }
            self.namespace = namespace
            self.routes = routes
        }
    }

    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `a veth joins two namespaces with the MTU and address that were asked for`() throws {
        let near = try NetworkNamespace()
        let far = try NetworkNamespace()
        var nearRoutes = try RouteSocket(in: near)
        var farRoutes = try RouteSocket(in: far)
        let mac = MACAddress(locallyAdministered: 7)
        try nearRoutes.change {
            $0.createVeth(VethEnd("near", mtu: 1_550), peer: VethEnd("far", mtu: 9_000, address: mac), in: far)
        }
        let one = try nearRoutes.existingLink(.named("near"))
        let other = try farRoutes.existingLink(.named("far"))
        #expect(one.kind == "veth" && one.mtu == 1_550 && one.peer == other.index)
        #expect(other.kind == "veth" && other.mtu == 9_000 && other.peer == one.index && other.address == mac)
        #expect(!one.isUp && !one.hasCarrier && one.program == nil)
    }

    @Test func `a link is changed, and found by name and by index`() throws {
        var pair = try Pair()
        let mac = MACAddress(locallyAdministered: 99)
        try pair.routes.change {
            $0.changeLink(.index(InterfaceIndex(20)), LinkChange(mtu: 1_600, address: mac, alias: "lab 42: a to b"))
        }
        let byName = try pair.routes.existingLink(.named("a"))
        let byIndex = try pair.routes.existingLink(.index(InterfaceIndex(20)))
        #expect(byName.name == byIndex.name && byName.index == InterfaceIndex(20))
        #expect(byName.mtu == 1_600 && byName.address == mac && byName.alias == "lab 42: a to b")
        #expect(byName.isUp && byName.hasCarrier && byName.operationalState == .up)
        try pair.routes.change { $0.changeLink(.named("b"), LinkChange(isUp: false)) }
        let (one, other) = (try pair.routes.existingLink(.named("a")), try pair.routes.existingLink(.named("b")))
        #expect(one.isUp && !one.hasCarrier && one.operationalState != .up)
        #expect(!other.isUp)
        try pair.routes.change { $0.changeLink(.index(InterfaceIndex(21)), LinkChange(name: "c")) }
        let renamed = try pair.routes.existingLink(.index(InterfaceIndex(21)))
        #expect(renamed.name == "c")
    }

    @Test func `a link that is deleted takes its peer along`() throws {
        var pair = try Pair()
        try pair.routes.change { $0.deleteLink(.named("b")) }
        let names = try pair.routes.links().map(\.name)
        let (one, other) = (try pair.routes.link(.named("a")), try pair.routes.link(.index(InterfaceIndex(21))))
        #expect(names == ["lo"] && one == nil && other == nil)
    }

    @Test func `addresses of both families are added, listed and removed`() throws {
        var pair = try Pair()
        let interface = InterfaceIndex(20)
        let four = InterfaceAddress(try address("10.1.2.3"), prefixLength: 24, on: interface)
        let six = InterfaceAddress(try address("2001:db8::7"), prefixLength: 64, on: interface)
        try pair.routes.change {
            $0.addAddress(four)
            $0.addAddress(six)
        }
        let added = try pair.routes.addresses(on: interface)
        #expect(added.contains(four) && added.contains(six))
        try pair.routes.change {
            $0.removeAddress(four)
            $0.removeAddress(six)
        }
        let left = try pair.routes.addresses(on: interface)
        #expect(!left.contains(four) && !left.contains(six))
    }

    @Test func `neighbours are added, changed, listed and removed`() throws {
        var pair = try Pair()
        let interface = InterfaceIndex(20)
        var four = Neighbour(try address("10.1.2.9"), at: MACAddress(locallyAdministered: 1), on: interface)
        let six = Neighbour(try address("2001:db8::9"), at: MACAddress(locallyAdministered: 2), on: interface)
        try pair.routes.change {
            $0.addNeighbour(four)
            $0.addNeighbour(six)
        }
        four.hardwareAddress = MACAddress(locallyAdministered: 3)
        try pair.routes.change { $0.addNeighbour(four) }
        let found = try pair.routes.neighbours(on: interface)
        #expect(found.contains(four) && found.contains(six) && found.count { $0.address == four.address } == 1)
        try pair.routes.change { $0.removeNeighbour(four) }
        let left = try pair.routes.neighbours(on: interface)
        #expect(!left.contains(four) && left.contains(six))
    }

    @Test func `routes are added, listed and removed`() throws {
        var pair = try Pair()
        let interface = InterfaceIndex(20)
        let direct = KernelRoute(to: try prefix("10.2.0.0/16"), on: interface, metric: 7)
        let far = KernelRoute(
            to: try prefix("0.0.0.0/0"), through: try address("10.1.2.254"), on: interface, metric: nil)
        let six = KernelRoute(
            to: try prefix("2001:db8:1::/48"), through: try address("2001:db8::1"), on: interface, metric: 50)
        let own = [("10.1.2.3", UInt8(24)), ("2001:db8::7", 64)]
        let addresses = try own.map { InterfaceAddress(try address($0), prefixLength: $1, on: interface) }
        try pair.routes.change { batch in
            for address in addresses { batch.addAddress(address) }
            for route in [direct, far, six] { batch.addRoute(route) }
        }
        let added = try pair.routes.routes()
        #expect(added.contains(direct) && added.contains(far) && added.contains(six))
        try pair.routes.change { batch in for route in [direct, far, six] { batch.removeRoute(route) } }
        let left = try pair.routes.routes()
        #expect(!left.contains(direct) && !left.contains(far) && !left.contains(six))
    }

    @Test func `a route through a gateway is removed by its prefix and metric alone`() throws {
        var pair = try Pair()
        let interface = InterfaceIndex(20)
        var own = [InterfaceAddress(try address("10.1.2.3"), prefixLength: 24, on: interface)]
        own.append(InterfaceAddress(try address("2001:db8::7"), prefixLength: 64, on: interface))
        let routes = [("203.0.113.0/24", "10.1.2.254"), ("2001:db8:1::/48", "2001:db8::1")]
        for ((prefix, gateway), own) in zip(routes, own) {
            let route = KernelRoute(
                to: try self.prefix(prefix), through: try address(gateway), on: interface, metric: 20)
            try pair.routes.change { batch in
                batch.addAddress(own)
                batch.addRoute(route)
            }
            try pair.routes.change { $0.removeRoute(KernelRoute(to: route.destination, metric: 20)) }
            let left = try pair.routes.routes()
            #expect(!left.contains { $0.destination == route.destination })
        }
    }

    @Test func `a refusal comes with what was asked and the kernel's own words`() throws {
        var pair = try Pair()
        let route = KernelRoute(to: try prefix("10.9.0.0/16"), through: try address("10.77.0.1"))
        var thrown: SystemError?
        do throws(SystemError) { try pair.routes.change { $0.addRoute(route) } } catch { thrown = error }
        #expect(thrown?.number == ENETUNREACH)
        #expect(
            thrown?.description
                == "add the route to 10.9.0.0/16 through 10.77.0.1: Network is unreachable: Nexthop has invalid gateway"
        )
    }

    @Test func `of a batch the others are carried out when one is refused`() throws {
        var pair = try Pair()
        let interface = InterfaceIndex(20)
        let addresses = (1...600).map {
            InterfaceAddress(.v4(IPv4Address(bits: 0x0A10_0000 + UInt32($0))), prefixLength: 32, on: interface)
        }
        var thrown: SystemError?
        do throws(SystemError) {
            try pair.routes.change { batch in
                for address in addresses.prefix(300) { batch.addAddress(address) }
                batch.deleteLink(.named("nobody"))
                for address in addresses { batch.addAddress(address) }
            }
        } catch {
            thrown = error
        }
        #expect(thrown?.number == ENODEV)
        #expect(thrown?.description.contains("delete interface nobody") == true)
        #expect(thrown?.description.contains("300 more were refused") == true)
        let found = try pair.routes.addresses(on: interface).count { $0.prefixLength == 32 }
        #expect(found == 600)
    }

    @Test func `a batch larger than the kernel takes at once is carried out whole`() throws {
        var pair = try Pair()
        let addresses = (0..<4_000).map {
            InterfaceAddress(
                .v4(IPv4Address(bits: 0x0A20_0000 + UInt32($0))), prefixLength: 32, on: InterfaceIndex(20))
        }
        try pair.routes.change { batch in for address in addresses { batch.addAddress(address) } }
        let found = try pair.routes.addresses(on: InterfaceIndex(20)).filter { $0.prefixLength == 32 }
        #expect(found.sorted { $0.address < $1.address } == addresses)
    }

    @Test func `many links are listed whole`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        try routes.change { batch in
            for number in 0..<40 { batch.createVeth(VethEnd("a\(number)"), peer: VethEnd("b\(number)")) }
        }
        let links = try routes.links()
        #expect(links.count == 81)
        #expect(links.map(\.index) == links.map(\.index).sorted())
    }

    @Test func `offloads are switched and read back, and the driver is named`() throws {
        let pair = try Pair()
        let offloads: [Offload] = [.genericReceive, .genericSegmentation, .transmitChecksum]
        for offload in offloads {
            for isOn in [true, false, true, false] {
                try pair.routes.set(offload, of: "a", to: isOn)
                let found = try pair.routes.isOn(offload, of: "a")
                #expect(found == isOn, "\(offload)")
            }
        }
        // Segments need checksums of their own, so one goes with the other.
        #expect(throws: SystemError.notAsAsked("the TCP segmentation (TSO) of a", asked: "on", found: "off")) {
            try pair.routes.set(.tcpSegmentation, of: "a", to: true)
        }
        let driver = try pair.routes.driver(of: "a")
        #expect(driver == "veth")
        #expect(throws: SystemError.self) { _ = try pair.routes.driver(of: "nobody") }
        #expect(throws: SystemError.self) {
            _ = try pair.routes.isOn(.genericReceive, of: "a name that no interface can have")
        }
    }
}
