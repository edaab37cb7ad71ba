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

    @Test func `any length agrees with the sum taken word by word`() {
        forEachSeed { random in
            let octets = (0..<Int(random.below(200))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var plain: UInt32 = 0
            for index in stride(from: 0, to: octets.count, by: 2) {
                plain += UInt32(octets[index]) << 8 | (index + 1 < octets.count ? UInt32(octets[index + 1]) : 0)
            }
            while plain >> 16 != 0 { plain = plain & 0xFFFF + plain >> 16 }
            var sum = Checksum()
            sum.add(octets.span.bytes)
            try #require(sum.value == ~UInt16(plain))
        }
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
