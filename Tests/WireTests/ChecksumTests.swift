import Basics
import TestKit
import Testing
import Wire

@Suite struct ChecksumTests {
    @Test func `the example of RFC 1071`() {
        var sum = Checksum()
        let octets: [UInt8] = [0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]
        sum.add(octets.span.bytes)
        #expect(sum.value == ~0xDDF2)
    }

    @Test func `the example of RFC 1624 §4`() {
        #expect(Checksum.updated(0xDD2F, from: 0x5555, to: 0x3285) == 0x0000)
    }

    @Test func `any length agrees with the sum taken word by word`() {
        forEachSeed { random in
            let octets = random.octets(Int(random.below(500)))
            var plain: UInt32 = 0
            for index in stride(from: 0, to: octets.count, by: 2) {
                plain += UInt32(octets[index]) << 8 | (index + 1 < octets.count ? UInt32(octets[index + 1]) : 0)
            }
            while plain >> 16 != 0 { plain = plain & 0xFFFF + plain >> 16 }
            var sum = Checksum()
            sum.add(octets.span.bytes)
            try #require(sum.value == ~UInt16(plain))
            let cut = Int(random.below(UInt64(octets.count / 2 + 1))) * 2
            var pieces = Checksum()
            pieces.add(Array(octets[..<cut]).span.bytes)
            pieces.add(Array(octets[cut...]).span.bytes)
            try #require(pieces.value == sum.value)
        }
    }

    @Test func `a sum of the largest words does not overflow`() {
        var sum = Checksum()
        let octets = [UInt8](repeating: 0xFF, count: 65_535)
        for _ in 0..<100 { sum.add(Array(octets.dropLast()).span.bytes) }
        #expect(sum.value == 0)
        var empty = Checksum()
        empty.add([UInt8]().span.bytes)
        #expect(empty.value == 0xFFFF)
    }

    @Test func `words, addresses and pseudo-headers count as their octets do`() throws {
        let source = try #require(IPAddress("2001:db8::1:2"))
        let destination = try #require(IPAddress("fe80::ffff"))
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocolNumber: 58, byteCount: 0x1_2345)
        var octets = Checksum()
        octets.add(
            [UInt8](
                hex: """
                    20010db8000000000000000000010002 fe80000000000000000000000000ffff
                    00012345 0000003a
                    """
            ).span.bytes)
        #expect(sum.value == octets.value)
        var four = Checksum()
        four.addPseudoHeader(
            source: .v4(IPv4Address(10, 0, 0, 1)), destination: .v4(IPv4Address(192, 168, 0, 255)), protocolNumber: 17,
            byteCount: 12)
        var plain = Checksum()
        plain.add([UInt8](hex: "0a000001 c0a800ff 00 11 000c").span.bytes)
        #expect(four.value == plain.value)
    }

    @Test func `an incremental update agrees with a new sum`() {
        forEachSeed { random in
            var words = (0..<10).map { _ in UInt16(truncatingIfNeeded: random.next()) }
            var before = Checksum()
            words.forEach { before.add($0) }
            let old = words[3]
            words[3] = UInt16(truncatingIfNeeded: random.next())
            var after = Checksum()
            words.forEach { after.add($0) }
            try #require(Checksum.updated(before.value, from: old, to: words[3]) == after.value)
        }
    }
}
