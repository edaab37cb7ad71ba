/// Why a quantity in a file or on the command line was refused, in the user's words.
public struct QuantityError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A decimal number with its unit, split but not yet judged: `1.5` `ms`.
private struct Quantity {
    /// The digits without the point.
    let digits: UInt64
    /// How many of the digits stand behind the point.
    let decimals: Int
    let unit: String

    /// Nil where the text does not start with a decimal number of at most 18 digits.
    init?(_ text: String) {
        var digits: UInt64 = 0
        var decimals = 0
        var count = 0
        var pointSeen = false
        var rest = text.utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !pointSeen, count > 0 {
                pointSeen = true
            } else if byte >= 0x30, byte <= 0x39, count < 18 {
                digits = digits * 10 + UInt64(byte - 0x30)
                count += 1
                if pointSeen { decimals += 1 }
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard count > 0, !(pointSeen && decimals == 0) else { return nil }
        self.digits = digits
        self.decimals = decimals
        unit = String(Substring(rest))
    }

    /// The number times `scale`, where that is whole and fits.
    func scaled(by scale: UInt64) -> UInt64? {
        var numerator = digits
        var divisor: UInt64 = 1
        for _ in 0..<decimals { divisor *= 10 }
        let (product, overflow) = numerator.multipliedReportingOverflow(by: scale)
        guard !overflow else {
            let wide = numerator.multipliedFullWidth(by: scale)
            guard wide.high < divisor else { return nil }
            return divisor.dividingFullWidth(wide).quotient
        }
        numerator = product
        return numerator / divisor
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
        guard let value = quantity.scaled(by: scale), value <= UInt64(Int64.max) else {
            throw QuantityError("\"\(text)\" is too large for a \(kind)")
        }
        return value
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
        guard let quantity = Quantity(text), quantity.unit == "%" else {
            throw QuantityError("\"\(text)\" is not a ratio; write \(examples)")
        }
        var divisor = 100.0
        for _ in 0..<quantity.decimals { divisor *= 10 }
        let fraction = Double(quantity.digits) / divisor
        guard fraction <= 1 else {
            throw QuantityError("\"\(text)\" is more than 100%")
        }
        self.init(fraction)
    }
}
