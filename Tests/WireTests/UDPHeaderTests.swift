import Basics
import TestKit
import Testing
import Wire

@Suite struct UDPHeaderTests {
    private func drawAddress(_ random: inout SeededRandom, isIPv4: Bool) -> IPAddress {
        isIPv4
            ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())))
            : .v6(IPv6Address(high: random.next(), low: random.next()))
    }

    private func isIntact(_ octets: [UInt8], from source: IPAddress, to destination: IPAddress) -> Bool {
        UDPHeader.isIntact(octets.span.bytes, from: source, to: destination)
    }

    private func checksum(of octets: [UInt8], from source: IPAddress, to destination: IPAddress) -> UInt16 {
        UDPHeader.checksum(of: octets.span.bytes, from: source, to: destination)
    }

    @Test func `a datagram is intact until a bit of it, or of its addresses, flips`() {
        forEachSeed(500) { random in
            let isIPv4 = random.chance(Ratio(0.5))
            let (source, destination) = (drawAddress(&random, isIPv4: isIPv4), drawAddress(&random, isIPv4: isIPv4))
            let payload = random.octets(Int(random.below(80)))
            let header = UDPHeader(
                sourcePort: UInt16(random.below(65_536)), destinationPort: UInt16(random.below(65_536)),
                payloadByteCount: payload.count)
            var octets = written { header.append(to: &$0) } + payload
            let sum = checksum(of: octets, from: source, to: destination)
            try #require(sum != 0)
            octets[6] = UInt8(sum >> 8)
            octets[7] = UInt8(sum & 255)
            var parsed = try UDPHeader(parsing: octets.span.bytes)
            try #require(parsed.checksum == sum)
            parsed.checksum = 0
            try #require(parsed == header)
            try #require(isIntact(octets, from: source, to: destination))
            var broken = octets
            let flipped = Int(random.below(UInt64(octets.count * 8)))
            broken[flipped / 8] ^= 1 << UInt8(flipped % 8)
            if broken[6] != 0 || broken[7] != 0 {
                try #require(!isIntact(broken, from: source, to: destination))
            }
            let other: IPAddress =
                switch source {
                case .v4(let address): .v4(IPv4Address(bits: address.bits ^ 1 << UInt32(random.below(32))))
                case .v6(let address): .v6(IPv6Address(bits: address.bits ^ 1 << UInt128(random.below(128))))
                }
            try #require(!isIntact(octets, from: other, to: destination))
        }
    }

    @Test func `no checksum is allowed over IPv4 alone (RFC 8200 §8.1)`() {
        let octets = [UInt8](hex: "1388 1389 000a 0000 abcd")
        let four = IPAddress.v4(IPv4Address(10, 0, 0, 1))
        let six = IPAddress.v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 1))
        #expect(isIntact(octets, from: four, to: four))
        #expect(!isIntact(octets, from: six, to: six))
        #expect(!isIntact(Array(octets[..<7]), from: four, to: four))
    }

    @Test func `a sum of 0 is sent as all ones`() {
        // Ports, length, protocol and payload that add up to 0xFFFF with addresses of 0.
        let any = IPAddress.v4(.any)
        let octets = [UInt8](hex: "0000 0000 000a 0000") + [0xFF, 0xFF &- 0x11 &- 0x0A &- 0x0A]
        #expect(checksum(of: octets, from: any, to: any) == 0xFFFF)
        let sent = [UInt8](hex: "0000 0000 000a ffff") + octets[8...]
        #expect(isIntact(sent, from: any, to: any))
    }

    @Test(arguments: [0, 7, 11])
    func `a length that does not fit is refused`(length: Int) {
        let octets = [UInt8](hex: "0001 0002") + [0, UInt8(length), 0, 0, 1, 2]
        #expect(throws: WireError.badLength(length)) { try UDPHeader(parsing: octets.span.bytes) }
        #expect(throws: WireError.truncated(needed: 2, available: 1)) {
            try octets[..<7].reading(UDPHeader.init(parsing:))
        }
    }
}
