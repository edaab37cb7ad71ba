import Basics
import TestKit
import Testing
import Wire

@Suite struct PrefixSeriesTests {
    private func draw(_ random: inout SeededRandom, atMost limit: UInt64 = 200) throws -> PrefixSeries {
        let isIPv4 = random.chance(Ratio(0.5))
        let bits = UInt128(random.next()) << 64 | UInt128(random.next())
        let address: IPAddress =
            isIPv4 ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits))) : .v6(IPv6Address(bits: bits))
        let length = Int(random.below(isIPv4 ? 33 : 129))
        let spare = Int(random.below(UInt64(length) + 1))
        let most = min(limit, 1 << UInt64(min(spare, 32)))
        let block = IPPrefix(address, length: length - spare)
        return try #require(PrefixSeries(count: 1 + Int(random.below(most)), length: length, in: block))
    }

    @Test func `its prefixes follow each other without a gap, and it contains no others`() {
        forEachSeed(500) { random in
            let series = try draw(&random)
            let width = series.first.isIPv4 ? 32 : 128
            let step = UInt128(1) << UInt128(min(width - series.first.length, 127))
            for index in 0..<series.count {
                let prefix = series[index]
                try #require(prefix.length == series.first.length)
                try #require(index == 0 || prefix.address.bits - series[index - 1].address.bits == step)
                try #require(series.contains(prefix))
            }
            let longer = IPPrefix(series.first.address, length: series.first.length == 0 ? 1 : series.first.length - 1)
            try #require(!series.contains(longer))
            let following = series[series.count - 1].address.bits &+ step
            if width == 32, following <= UInt128(UInt32.max) {
                let next = IPv4Address(bits: UInt32(following))
                try #require(!series.contains(IPPrefix(.v4(next), length: series.first.length)))
            }
        }
    }

    @Test func `its cover has the same addresses, in as few prefixes as there can be`() {
        forEachSeed(500) { random in
            let series = try draw(&random)
            let cover = series.cover
            var index = 0
            for prefix in cover {
                // Each stands for the next 2^n of the series.
                try #require(series[index].address == prefix.address)
                index += 1 << (series.first.length - prefix.length)
            }
            try #require(index == series.count)
            for (left, right) in zip(cover, cover.dropFirst()) where left.length == right.length {
                try #require(!IPPrefix(left.address, length: left.length - 1).contains(right.address))
            }
        }
    }

    @Test func `so many prefixes as there are numbers have a cover like any others`() throws {
        for count in [1 << 62, 1 << 62 + 1, Int.max] {
            let series = try #require(PrefixSeries("::/64 +\(count)"))
            #expect(series.cover.count == count.nonzeroBitCount)
            #expect(series.cover.first == IPPrefix("::/2"))
        }
    }

    @Test func `a block has room for so many and no more`() throws {
        let block = try #require(IPPrefix("20.0.0.0/16"))
        #expect(PrefixSeries(count: 256, length: 24, in: block)?[255].description == "20.0.255.0/24")
        #expect(PrefixSeries(count: 257, length: 24, in: block) == nil)
        #expect(PrefixSeries(count: 1, length: 15, in: block) == nil)
        #expect(PrefixSeries(count: 1, length: 33, in: block) == nil)
        #expect(PrefixSeries(count: 0, length: 24, in: block) == nil)
        let wide = try #require(IPPrefix("::/0"))
        #expect(PrefixSeries(count: 3, length: 128, in: wide)?[2].description == "::2/128")
    }

    @Test func `it is read as it is written, and anything else is refused`() {
        forEachSeed(500) { random in
            let series = try draw(&random)
            let text = series.description
            try #require(PrefixSeries(text) == series)
            let tampered = String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
            guard let read = PrefixSeries(tampered) else { return }
            try #require(read.count > 0 && read.contains(read[read.count - 1]))
        }
        for text in [
            "", "10.0.0.0", "10.0.0.0/8 ", "10.0.0.0/8 2", "10.0.0.0/8 +0", "10.0.0.0/8 +1", "10.0.0.0/8 +247",
            "10.0.0.0/8 +2 +2", "255.255.255.255/32 +2", "ffff::/16 +2", "0.0.0.0/0 +2", "::/0 +2",
            "20.0.0.0/24 ++5", "20.0.0.0/24 +-5", "20.0.0.0/24 +",
        ] {
            #expect(PrefixSeries(text) == nil, "\(text)")
        }
        #expect(PrefixSeries("10.0.0.0/8 +246")?.count == 246)
    }
}
