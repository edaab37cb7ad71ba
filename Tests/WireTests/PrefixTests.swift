import Basics
import TestKit
import Testing
import Wire

@Suite struct PrefixTests {
    private func draw(_ random: inout SeededRandom) -> IPPrefix {
        let few = random.next() & random.next()
        if random.chance(Ratio(0.5)) {
            return IPPrefix(.v4(IPv4Address(bits: UInt32(truncatingIfNeeded: few))), length: Int(random.below(33)))
        }
        return IPPrefix(.v6(IPv6Address(high: few, low: random.next())), length: Int(random.below(129)))
    }

    @Test func `a prefix contains the addresses that share its bits`() {
        forEachSeed(2_000) { random in
            let prefix = draw(&random)
            let width = prefix.isIPv4 ? 32 : 128
            try #require(prefix.contains(prefix.address))
            try #require(prefix.overlaps(IPPrefix(host: prefix.address)))
            let flipped = Int(random.below(UInt64(width)))
            let bits = prefix.address.bits ^ (1 << UInt128(width - 1 - flipped))
            let other: IPAddress =
                prefix.isIPv4 ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits))) : .v6(IPv6Address(bits: bits))
            try #require(prefix.contains(other) == (flipped >= prefix.length))
            try #require(IPPrefix(other, length: prefix.length).contains(prefix.address) == prefix.contains(other))
            try #require(IPPrefix(prefix.description) == prefix)
        }
    }

    @Test func `overlap means that one holds the other, and never across families`() {
        forEachSeed(2_000) { random in
            let (left, right) = (draw(&random), draw(&random))
            let nested =
                left.isIPv4 == right.isIPv4
                && (left.length <= right.length ? left.contains(right.address) : right.contains(left.address))
            try #require(left.overlaps(right) == nested)
            try #require(right.overlaps(left) == nested)
            try #require([left < right, left == right, right < left].count { $0 } == 1)
        }
    }

    @Test func `addresses order by family, then by value`() {
        let addresses = ["0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::", "ffff::"]
        let parsed = addresses.compactMap { IPAddress($0) }
        #expect(parsed.reversed().sorted() == parsed)
        #expect(parsed.map(\.description) == addresses)
        let ports = [1, 2].map { SocketAddress(parsed[1], port: $0) } + [SocketAddress(parsed[2], port: 0)]
        #expect(ports.reversed().sorted() == ports)
        #expect(IPv6Address(high: 1, low: .max) + 1 == IPv6Address(high: 2, low: 0))
        #expect(IPv4Address(10, 0, 0, 255) + 1 == IPv4Address(10, 0, 1, 0))
        #expect(parsed[3].bits == 0 && parsed[1].bits == 0x0A00_0001)
    }

    @Test func `link-local and multicast are told by their first bits`() throws {
        #expect(try #require(IPv6Address("fe80::1")).isLinkLocal)
        #expect(try #require(IPv6Address("febf::1")).isLinkLocal)
        #expect(try !#require(IPv6Address("fec0::1")).isLinkLocal)
        #expect(try #require(IPv6Address("ff02::1")).isMulticast)
        #expect(try !#require(IPv6Address("fe02::1")).isMulticast)
    }
}
