import Basics
import TestKit
import Testing

@Suite struct FingerprintTests {
    private func fingerprint(of octets: [UInt8]) -> UInt64 {
        var fingerprint = Fingerprint()
        fingerprint.fold(octets.span.bytes)
        return fingerprint.value
    }

    @Test func `the values are these, on every machine and in every version`() {
        #expect(Fingerprint().value == 0xCBF2_9CE4_8422_2325)
        var words = Fingerprint()
        words.fold(1)
        words.fold(2, 3)
        #expect(words.value == 0x0A60_B4E2_BFB9_8484)
        #expect(fingerprint(of: []) == 0x4006_241B_DF2F_8B5B)
        #expect(fingerprint(of: Array(0..<20)) == 0x3848_12A6_5444_B9D6)
    }

    @Test func `two words are folded as one after the other`() {
        var together = Fingerprint()
        together.fold(7, 8)
        var apart = Fingerprint()
        apart.fold(7)
        apart.fold(8)
        #expect(together == apart)
    }

    @Test func `order, length and every bit count`() {
        forEachSeed(500) { random in
            let octets = random.octets(Int(random.below(40)))
            let value = fingerprint(of: octets)
            try #require(value == fingerprint(of: octets))
            try #require(value != fingerprint(of: octets + [0]))
            for place in octets.indices {
                var changed = octets
                changed[place] ^= 1 << UInt8(random.below(8))
                try #require(value != fingerprint(of: changed))
            }
            if octets.count > 1, octets.first != octets.last {
                var swapped = octets
                swapped.swapAt(0, octets.count - 1)
                try #require(value != fingerprint(of: swapped))
            }
        }
    }

    @Test func `runs of equal words do not meet`() {
        var seen: Set<UInt64> = []
        for word in [0, 1, .max, 0xA076_1D64_78BD_642F] as [UInt64] {
            var fingerprint = Fingerprint()
            for _ in 0..<10_000 {
                fingerprint.fold(word)
                seen.insert(fingerprint.value)
            }
        }
        #expect(seen.count == 40_000)
    }
}
