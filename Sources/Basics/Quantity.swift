/// Why a quantity in a file or on the command line was refused, in the user's words.
public struct QuantityError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A decimal number with its unit, split but not yet judged: `1.5` `ms`.
private struct Quantity {
    /// The digits without the point; nil where they do not fit 64 bits.
    let digits: UInt64?
    /// How many of the digits stand behind the point.
    let decimals: Int
    let unit: String

    /// Nil where the text does not start with a decimal number.
    init?(_ text: String) {
        var digits: UInt64? = 0
        var count = 0
        var wholeCount: Int?
        var rest = text.utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), wholeCount == nil, count > 0 {
                wholeCount = count
            } else if byte >= 0x30, byte <= 0x39 {
                digits = digits.flatMap { Self.appending(byte - 0x30, to: $0) }
                count += 1
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard count > 0, wholeCount != count else { return nil }
        self.digits = digits
        decimals = count - (wholeCount ?? count)
        unit = String(Substring(rest))
    }

    private static func appending(_ digit: UInt8, to number: UInt64) -> UInt64? {
        let (tenfold, overflowed) = number.multipliedReportingOverflow(by: 10)
        guard !overflowed else { return nil }
        let (sum, overflow) = tenfold.addingReportingOverflow(UInt64(digit))
        return overflow ? nil : sum
    }

    enum Scaled {
        case value(UInt64)
        case tooLarge
        case notWhole
    }

    /// The number times `scale`, which must be whole and fit 63 bits.
    func scaled(by scale: UInt64) -> Scaled {
        guard let digits else { return decimals > 0 ? .notWhole : .tooLarge }
        var product = digits.multipliedFullWidth(by: scale)
        for _ in 0..<decimals {
            let (high, carried) = product.high.quotientAndRemainder(dividingBy: 10)
            let (low, remainder) = (10 as UInt64).dividingFullWidth((carried, product.low))
            guard remainder == 0 else { return .notWhole }
            product = (high, low)
        }
        guard product.high == 0, product.low <= UInt64(Int64.max) else { return .tooLarge }
        return .value(product.low)
    }
}

private func parse(
    _ text: String, as kind: String, examples: String, units: KeyValuePairs<String, UInt64>
) throws(QuantityError) -> UInt64 {
    if text == "0" { return 0 }
    guard let quantity = Quantity(text) else {
        throw QuantityError("\"\(text)\" is not a \(kind); write \(examples)")
    }
    for (unit, scale) in units where unit == quantity.unit {
        switch quantity.scaled(by: scale) {
        case .value(let value): return value
        case .tooLarge: throw QuantityError("\"\(text)\" is too large for a \(kind)")
        case .notWhole: throw QuantityError("\"\(text)\" is not a whole number of \(units[0].key)")
        }
    }
    if quantity.unit.isEmpty {
        throw QuantityError("\"\(text)\" needs a unit; write \(examples)")
    }
    throw QuantityError("\"\(quantity.unit)\" is not a unit of a \(kind); write \(examples)")
}

extension Interval {
    /// Reads a duration such as `250us`, `20ms`, `1.5s`, `5m` or `1h`; a bare `0` is allowed.
    public init(parsing text: String) throws(QuantityError) {
        let value = try parse(
            text, as: "duration", examples: "250us, 20ms, 2s, 5m or 1h",
            units: [
                "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
                "h": 3_600_000_000_000,
            ])
        self.init(nanoseconds: Int64(value))
    }
}

extension BitRate {
    /// Reads a rate such as `64kbit`, `100Mbit` or `1Gbit`.
    public init(parsing text: String) throws(QuantityError) {
        let value = try parse(
            text, as: "rate", examples: "64kbit, 100Mbit or 1Gbit",
            units: ["bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000, "Tbit": 1_000_000_000_000])
        self.init(bitsPerSecond: value)
    }
}

extension PacketRate {
    /// Reads a packet rate such as `500pps` or `50kpps`.
    public init(parsing text: String) throws(QuantityError) {
        let value = try parse(
            text, as: "packet rate", examples: "500pps, 50kpps or 1Mpps",
            units: ["pps": 1, "kpps": 1_000, "Mpps": 1_000_000])
        self.init(packetsPerSecond: value)
    }
}

extension ByteCount {
    /// Reads a size such as `1500B`, `64kB` or `1MiB`.
    public init(parsing text: String) throws(QuantityError) {
        let value = try parse(
            text, as: "size", examples: "1500B, 64kB or 1MiB",
            units: [
                "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
                "KiB": 1_024, "MiB": 1_048_576, "GiB": 1_073_741_824,
            ])
        self.init(value)
    }
}

extension Ratio {
    /// Reads a percentage such as `5%` or `0.1%`.
    public init(parsing text: String) throws(QuantityError) {
        let examples = "5%, 0.1% or a number from 0 to 1"
        guard text != "0" else {
            self = .zero
            return
        }
        guard let quantity = Quantity(text), quantity.unit == "%", let percentage = Double(text.dropLast()) else {
            throw QuantityError("\"\(text)\" is not a ratio; write \(examples)")
        }
        // Reads the fraction itself rather than divide the percentage, which would round twice.
        guard percentage <= 100, let fraction = Double("\(text.dropLast())e-2") else {
            throw QuantityError("\"\(text)\" is more than 100%")
        }
        self.init(fraction)
    }
}
