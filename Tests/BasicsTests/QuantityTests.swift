import Basics
import TestKit
import Testing

@Suite struct QuantityTests {
    private static let durationExamples = "write 250us, 20ms, 2s, 5m or 1h"
    private static let rateExamples = "write 64kbit, 100Mbit or 1Gbit"

    private func message<Value>(_ read: () throws(QuantityError) -> Value) -> String {
        do throws(QuantityError) {
            _ = try read()
            return "accepted"
        } catch {
            return error.description
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("1ns", 1), ("250us", 250_000), ("20ms", 20_000_000), ("2s", 2_000_000_000),
            ("5m", 300_000_000_000), ("1h", 3_600_000_000_000), ("1.5s", 1_500_000_000), ("0.25ms", 250_000),
            ("0.000000001s", 1), ("007ms", 7_000_000), ("1.50000000000s", 1_500_000_000), ("0ms", 0),
            ("9223372036854775807ns", Int64.max), ("2562047h", 9_223_369_200_000_000_000),
        ] as [(String, Int64)])
    func `a duration is read to the nanosecond`(text: String, nanoseconds: Int64) throws {
        #expect(try Interval(parsing: text).nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        ("", "\"\" is not a duration; \(durationExamples)"),
        ("fast", "\"fast\" is not a duration; \(durationExamples)"),
        ("-5ms", "\"-5ms\" is not a duration; \(durationExamples)"),
        ("+5ms", "\"+5ms\" is not a duration; \(durationExamples)"),
        (".5s", "\".5s\" is not a duration; \(durationExamples)"),
        ("5.s", "\"5.s\" is not a duration; \(durationExamples)"),
        ("5", "\"5\" needs a unit; \(durationExamples)"),
        ("0.0", "\"0.0\" needs a unit; \(durationExamples)"),
        ("5 ms", "\" ms\" is not a unit of a duration; \(durationExamples)"),
        ("5MS", "\"MS\" is not a unit of a duration; \(durationExamples)"),
        ("1.2.3s", "\".3s\" is not a unit of a duration; \(durationExamples)"),
        ("1e3s", "\"e3s\" is not a unit of a duration; \(durationExamples)"),
        ("1.5ns", "\"1.5ns\" is not a whole number of ns"),
        ("0.0000000001s", "\"0.0000000001s\" is not a whole number of ns"),
        ("9223372036854775808ns", "\"9223372036854775808ns\" is too large for a duration"),
        ("2562048h", "\"2562048h\" is too large for a duration"),
        ("99999999999999999999999s", "\"99999999999999999999999s\" is too large for a duration"),
    ])
    func `a bad duration is refused in the user's words`(text: String, wanted: String) {
        #expect(message { () throws(QuantityError) in try Interval(parsing: text) } == wanted)
    }

    @Test(arguments: [
        ("0", 0), ("1bit", 1), ("64kbit", 64_000), ("100Mbit", 100_000_000), ("1Gbit", 1_000_000_000),
        ("2.5Gbit", 2_500_000_000), ("1Tbit", 1_000_000_000_000), ("0.5kbit", 500),
    ])
    func `a rate is read in powers of 1000`(text: String, bitsPerSecond: UInt64) throws {
        #expect(try BitRate(parsing: text).bitsPerSecond == bitsPerSecond)
    }

    @Test(arguments: [
        ("100", "\"100\" needs a unit; \(rateExamples)"),
        ("100mbit", "\"mbit\" is not a unit of a rate; \(rateExamples)"),
        ("100Mbps", "\"Mbps\" is not a unit of a rate; \(rateExamples)"),
        ("much", "\"much\" is not a rate; \(rateExamples)"),
        ("0.5bit", "\"0.5bit\" is not a whole number of bit"),
        ("10000000Tbit", "\"10000000Tbit\" is too large for a rate"),
    ])
    func `a bad rate is refused in the user's words`(text: String, wanted: String) {
        #expect(message { () throws(QuantityError) in try BitRate(parsing: text) } == wanted)
    }

    @Test func `packet rates and sizes have units of their own`() throws {
        #expect(try PacketRate(parsing: "500pps").packetsPerSecond == 500)
        #expect(try PacketRate(parsing: "50kpps").packetsPerSecond == 50_000)
        #expect(try PacketRate(parsing: "1.5Mpps").packetsPerSecond == 1_500_000)
        #expect(try ByteCount(parsing: "1500B").bytes == 1_500)
        #expect(try ByteCount(parsing: "64kB").bytes == 64_000)
        #expect(try ByteCount(parsing: "1MiB").bytes == 1_048_576)
        #expect(try ByteCount(parsing: "0.5KiB").bytes == 512)
        #expect(try ByteCount(parsing: "2TB").bytes == 2_000_000_000_000)
        #expect(
            message { () throws(QuantityError) in try PacketRate(parsing: "5kbit") }
                == "\"kbit\" is not a unit of a packet rate; write 500pps, 50kpps or 1Mpps")
        #expect(
            message { () throws(QuantityError) in try ByteCount(parsing: "1500") }
                == "\"1500\" needs a unit; write 1500B, 64kB or 1MiB")
        #expect(
            message { () throws(QuantityError) in try ByteCount(parsing: "100Mb") }
                == "\"Mb\" is not a unit of a size; write 1500B, 64kB or 1MiB")
    }

    @Test(arguments: [
        ("0", 0.0), ("0%", 0.0), ("5%", 0.05), ("0.1%", 0.001), ("7%", 0.07), ("99.9%", 0.999), ("100%", 1.0),
        ("100.000%", 1.0), ("0.00001%", 1e-7), ("33.333333333333336%", 0.33333333333333336),
    ])
    func `a percentage is read as the nearest fraction`(text: String, fraction: Double) throws {
        #expect(try Ratio(parsing: text).fraction == fraction)
    }

    @Test(arguments: [
        ("5", "\"5\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("0.05", "\"0.05\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("-1%", "\"-1%\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("nan%", "\"nan%\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("0x1%", "\"0x1%\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("%", "\"%\" is not a ratio; write 5%, 0.1% or a number from 0 to 1"),
        ("100.1%", "\"100.1%\" is more than 100%"),
        ("99999999999999999999999%", "\"99999999999999999999999%\" is more than 100%"),
    ])
    func `a bad ratio is refused in the user's words`(text: String, wanted: String) {
        #expect(message { () throws(QuantityError) in try Ratio(parsing: text) } == wanted)
    }

    @Test func `any text is read or refused, never a trap`() {
        let pieces = [
            "0", "1", "9", "18446744073709551615", ".", "-", "m", "s", "ns", "Gbit", "kB", "%", "e", " ", "\u{0301}",
            "٣",
        ]
        forEachSeed(2_000) { random in
            let text = (0..<random.below(6)).map { _ in pieces[Int(random.below(UInt64(pieces.count)))] }.joined()
            let duration = try? Interval(parsing: text)
            try #require((duration ?? .zero) >= .zero)
            let ratio = try? Ratio(parsing: text)
            try #require((ratio ?? .zero) <= .one)
            _ = try? BitRate(parsing: text)
            _ = try? PacketRate(parsing: text)
            _ = try? ByteCount(parsing: text)
        }
    }

    @Test func `what a quantity prints reads back as itself`() {
        forEachSeed(2_000) { random in
            let units: [Int64] = [1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000]
            let unit = units[Int(random.below(6))]
            let interval = Interval(nanoseconds: Int64(random.below(UInt64(Int64.max / unit))) * unit)
            try #require(try Interval(parsing: interval.description) == interval)
            let rate = BitRate(bitsPerSecond: (random.next() >> 1) >> random.below(63))
            try #require(try BitRate(parsing: rate.description) == rate)
            var fraction = random.unit()
            for _ in 0..<random.below(20) { fraction /= 8 }
            let ratio = Ratio(fraction)
            try #require(try Ratio(parsing: ratio.description) == ratio, "\(ratio)")
            let rounded = Ratio(Double(random.below(100_001)) / 100_000)
            try #require(try Ratio(parsing: rounded.description) == rounded)
        }
    }

    @Test(arguments: [
        (0.0, "0%"), (1.0, "100%"), (0.07, "7%"), (0.001, "0.1%"), (0.125, "12.5%"), (1e-7, "0.00001%"),
        (0.29, "29%"), (1.5e-5, "0.0015%"), (0.999, "99.9%"),
    ])
    func `a ratio prints as the shortest percentage`(fraction: Double, wanted: String) {
        #expect(Ratio(fraction).description == wanted)
    }
}
