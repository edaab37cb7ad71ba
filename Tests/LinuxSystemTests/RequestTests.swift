import LinuxSystem
import TestKit
import Testing
import Wire

/// The octets of requests, which no kernel has to be asked for; numbers lie in the order of a little-endian machine.
@Suite(.enabled(if: UInt16(1).littleEndian == 1, "the octets are those of a little-endian machine"))
struct RequestTests {
    private func octets(_ build: (inout NetlinkBatch) -> Void) -> String {
        var batch = NetlinkBatch()
        build(&batch)
        return batch.octets.hex
    }

    @Test func `a veth is one request with its peer nested four deep`() {
        let expected = [
            "6c000000", "1000", "0506", "00000000", "00000000",  // length, RTM_NEWLINK, request|ack|excl|create
            "00", "00", "0000", "0c000000", "00000000", "00000000",  // family, type, index 12, flags, mask
            "0700", "0300", "6e300000",  // IFLA_IFNAME "n0"
            "4400", "1280",  // IFLA_LINKINFO, nested
            "0900", "0100", "7665746800000000",  // IFLA_INFO_KIND "veth"
            "3400", "0280",  // IFLA_INFO_DATA, nested
            "3000", "0180",  // VETH_INFO_PEER, nested
            "00", "00", "0000", "00000000", "00000000", "00000000",  // the peer's own header
            "0700", "0300", "68300000",  // IFLA_IFNAME "h0"
            "0800", "0400", "0e060000",  // IFLA_MTU 1550
            "0a00", "0100", "02000000002a0000",  // IFLA_ADDRESS
        ]
        let actual = octets {
            $0.createVeth(
                VethEnd("n0", index: InterfaceIndex(12)),
                peer: VethEnd("h0", mtu: 1_550, address: MACAddress(locallyAdministered: 42)))
        }
        #expect(actual == expected.joined())
    }

    @Test func `an address is given as the interface's own and as that of the prefix`() {
        let expected = [
            "28000000", "1400", "0506", "00000000", "00000000",  // length, RTM_NEWADDR, request|ack|excl|create
            "02", "18", "00", "00", "07000000",  // AF_INET, /24, flags, scope, index 7
            "0800", "0200", "0a010203",  // IFA_LOCAL 10.1.2.3
            "0800", "0100", "0a010203",  // IFA_ADDRESS
        ]
        let actual = octets {
            $0.addAddress(
                InterfaceAddress(.v4(IPv4Address(10, 1, 2, 3)), prefixLength: 24, on: InterfaceIndex(7)))
        }
        #expect(actual == expected.joined())
    }

    @Test func `a route names its table, who made it, and how far it reaches`() {
        let expected = [
            "34000000", "1800", "0506", "00000000", "00000000",  // length, RTM_NEWROUTE, request|ack|excl|create
            "02", "10", "00", "00",  // AF_INET, /16 to, /0 from, type of service
            "fe", "04", "00", "01", "00000000",  // main table, static, universe, unicast, flags
            "0800", "0100", "0a020000",  // RTA_DST 10.2.0.0
            "0800", "0500", "0a0102fe",  // RTA_GATEWAY 10.1.2.254
            "0800", "0400", "07000000",  // RTA_OIF 7
        ]
        let actual = octets {
            $0.addRoute(
                KernelRoute(
                    to: .v4(IPv4Prefix(IPv4Address(10, 2, 0, 0), length: 16)),
                    through: .v4(IPv4Address(10, 1, 2, 254)), on: InterfaceIndex(7)))
        }
        #expect(actual == expected.joined())
    }

    @Test func `the requests of a batch follow each other with rising numbers`() {
        var batch = NetlinkBatch()
        for number: UInt32 in 1...2_000 { batch.deleteLink(.index(InterfaceIndex(number))) }
        let octets = batch.octets
        let count = batch.count
        #expect(count == 2_000 && octets.count == 2_000 * 32)
        let numbers = (0..<2_000).map {
            octets.span.bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 32 + 8, as: UInt32.self)
        }
        let indices = (0..<2_000).map {
            octets.span.bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 32 + 20, as: UInt32.self)
        }
        #expect(numbers == Array(0..<2_000) && indices == Array(1...2_000))
    }

    @Test func `a name or mark longer than any goes into no other field`() {
        var batch = NetlinkBatch()
        let endless = String(repeating: "x", count: 100_000)
        batch.createVeth(VethEnd(endless), peer: VethEnd(endless))
        batch.changeLink(.named(endless), LinkChange(alias: endless))
        let octets = batch.octets
        #expect(octets.count < 2_048)
    }

    @Test func `every request is as it was`() throws {
        let interface = InterfaceIndex(7)
        let six = try #require(IPAddress("2001:db8::7"))
        let mac = MACAddress(locallyAdministered: 9)
        let address = InterfaceAddress(six, prefixLength: 64, on: interface)
        let neighbour = Neighbour(six, at: mac, on: interface)
        let route = KernelRoute(to: IPPrefix(six, length: 48), on: interface, metric: 20)
        let change = LinkChange(isUp: true, mtu: 1_400, address: mac, name: "c", alias: "mark")
        let lines = [
            "delete link  " + octets { $0.deleteLink(.named("a")) },
            "change link  " + octets { $0.changeLink(.index(interface), change) },
            "set down     " + octets { $0.changeLink(.named("a"), LinkChange(isUp: false)) },
            "address      " + octets { $0.addAddress(address) },
            "no address   " + octets { $0.removeAddress(address) },
            "neighbour    " + octets { $0.addNeighbour(neighbour) },
            "no neighbour " + octets { $0.removeNeighbour(neighbour) },
            "route        " + octets { $0.addRoute(route) },
            "no route     " + octets { $0.removeRoute(route) },
        ]
        try expectGolden(lines.joined(separator: "\n") + "\n", named: "requests.txt")
    }
}
