import Basics
import Scenario
import Wire

extension Cursor {
    func duration(in range: ClosedRange<Interval> = .zero...Interval.longest) -> Interval? {
        guard let value = quantity("a duration such as \"20ms\"", Interval.init(parsing:)) else { return nil }
        guard range.contains(value) else {
            fault("\(value) is out of range; write a duration from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A duration above 0.
    func period() -> Interval? {
        duration(in: .nanoseconds(1)...Interval.longest)
    }

    func bitRate() -> BitRate? {
        guard let value = quantity("a rate such as \"100Mbit\"", BitRate.init(parsing:)) else { return nil }
        guard value.bitsPerSecond > 0 else {
            fault("the rate is 0; write a rate above it, such as \"64kbit\"")
            return nil
        }
        return value
    }

    /// A rate of bits or of packets.
    func attackRate() -> AttackRate? {
        guard case .string(let text) = node.value, text.hasSuffix("pps") else {
            return bitRate().map { .bits($0) }
        }
        let fastest: UInt64 = 10_000_000
        guard let rate = quantity("a rate such as \"20kpps\"", PacketRate.init(parsing:)) else { return nil }
        guard rate.packetsPerSecond > 0, rate.packetsPerSecond <= fastest else {
            fault("\(rate.packetsPerSecond)pps is out of range; write a rate from 1pps to 10Mpps")
            return nil
        }
        return .packets(rate)
    }

    func byteCount(in range: ClosedRange<UInt64>) -> ByteCount? {
        guard let value = quantity("a size such as \"64kB\"", ByteCount.init(parsing:)) else { return nil }
        guard range.contains(value.bytes) else {
            fault("\(value.bytes)B is out of range; write a size from \(range.lowerBound)B to \(range.upperBound)B")
            return nil
        }
        return value
    }

    func ratio() -> Ratio? {
        if case .number = node.value {
            return number(in: 0...1, expected: "a number from 0 to 1, or a percentage such as \"5%\"").map { Ratio($0) }
        }
        return quantity("a ratio such as \"5%\" or 0.05", Ratio.init(parsing:))
    }

    func prefix() -> IPPrefix? {
        guard let text = string(expected: "a prefix such as \"10.2.0.0/16\"") else { return nil }
        if let prefix = IPPrefix(text) { return prefix }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]), length >= 0,
            length <= (address.isIPv4 ? 32 : 128)
        {
            fault("\"\(shown(text))\" has bits behind the prefix; write \"\(IPPrefix(address, length: length))\"")
        } else if let address = IPAddress(text) {
            fault("\"\(address)\" has no length; write a prefix such as \"\(IPPrefix(host: address))\"")
        } else {
            fault("\"\(shown(text))\" is no prefix; write one such as \"10.2.0.0/16\" or \"2001:db8::/32\"")
        }
        return nil
    }

    /// An address, with or without the length of its prefix.
    func portAddress() -> (address: IPAddress, length: Int?)? {
        guard let text = string(expected: "an address such as \"192.0.2.1\"") else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if let first = parts.first, let address = IPAddress(String(first)) {
            if parts.count == 1 { return (address, nil) }
            if parts.count == 2, let length = Int(parts[1]), length >= 1, length <= (address.isIPv4 ? 32 : 128) {
                return (address, length)
            }
        }
        fault("\"\(shown(text))\" is no address; write one such as \"192.0.2.1\" or \"2001:db8::1/127\"")
        return nil
    }

    /// A quantity with its unit; a bare number goes through the same reader, which asks for the unit.
    private func quantity<T>(_ expected: String, _ parse: (String) throws(QuantityError) -> T) -> T? {
        let text: String
        switch node.value {
        case .string(let string): text = string
        case .number(let number): text = number
        default:
            mismatch(expected)
            return nil
        }
        guard text.utf8.count <= 64 else {
            fault("the quantity is too long; write \(expected)")
            return nil
        }
        do throws(QuantityError) {
            return try parse(text)
        } catch {
            fault(error.description)
            return nil
        }
    }
}

extension Interval {
    /// The longest duration that a file may name: a year.
    static var longest: Interval { .seconds(31_536_000) }
}
