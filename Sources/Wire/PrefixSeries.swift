/// Prefixes of one length that follow each other without a gap, such as a routing table made up for a test.
public struct PrefixSeries: Hashable, Sendable, BitwiseCopyable {
    public let first: IPPrefix
    public let count: Int

    /// One prefix alone.
    public init(_ prefix: IPPrefix) {
        self.init(from: prefix, count: 1)
    }

    private init(from first: IPPrefix, count: Int) {
        self.first = first
        self.count = count
    }

    /// The first `count` prefixes of that length in a block; nil where the block has not as many, or none is wanted.
    public init?(count: Int, length: Int, in block: IPPrefix) {
        let width = block.isIPv4 ? 32 : 128
        guard count > 0, length >= block.length, length <= width else { return nil }
        let spare = min(length - block.length, 62)
        guard count <= 1 << spare else { return nil }
        self.init(from: IPPrefix(block.address, length: length), count: count)
    }

    public subscript(index: Int) -> IPPrefix {
        precondition(index >= 0 && index < count)
        switch first {
        case .v4(let prefix):
            guard prefix.length > 0 else { return first }
            let bits = prefix.address.bits &+ (UInt32(truncatingIfNeeded: index) << (32 - UInt32(prefix.length)))
            return .v4(IPv4Prefix(IPv4Address(bits: bits), length: Int(prefix.length)))
        case .v6(let prefix):
            guard prefix.length > 0 else { return first }
            let bits = prefix.address.bits &+ (UInt128(index) << (128 - UInt128(prefix.length)))
            return .v6(IPv6Prefix(IPv6Address(bits: bits), length: Int(prefix.length)))
        }
    }

    /// Whether the prefix is one of them.
    public func contains(_ prefix: IPPrefix) -> Bool {
        guard prefix.isIPv4 == first.isIPv4, prefix.length == first.length else { return false }
        return first.address <= prefix.address && prefix.address <= self[count - 1].address
    }

    /// The fewest prefixes that have the same addresses.
    public var cover: [IPPrefix] {
        var result: [IPPrefix] = []
        var index = 0
        while index < count {
            // As long as both halves are whole, two prefixes are one that is shorter.
            var size = 1
            var prefix = self[index]
            while prefix.length > 0, size <= (count - index) / 2 {
                let shorter = IPPrefix(prefix.address, length: prefix.length - 1)
                guard shorter.address == prefix.address else { break }
                prefix = shorter
                size *= 2
            }
            result.append(prefix)
            index += size
        }
        return result
    }
}

extension PrefixSeries: LosslessStringConvertible {
    /// `10.1.0.0/17`, or `20.0.0.0/24 +20000` for more than one.
    public var description: String { count == 1 ? "\(first)" : "\(first) +\(count)" }

    public init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count <= 2, let first = IPPrefix(String(name)) else { return nil }
        guard parts.count == 2 else {
            self.init(first)
            return
        }
        // A number may have a sign of its own, which has no place here.
        let digits = parts[1].dropFirst()
        guard parts[1].first == "+", digits.first != "+", let count = Int(digits), count > 1, first.length > 0 else {
            return nil
        }
        let (last, width) = first.isIPv4 ? (UInt128(UInt32.max), 32) : (UInt128.max, 128)
        guard UInt128(count - 1) <= (last - first.address.bits) >> UInt128(width - first.length) else { return nil }
        self.init(from: first, count: count)
    }
}

extension PrefixSeries: Codable {
    /// Reads the text that ``description`` is.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let series = PrefixSeries(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no series of prefixes")
        }
        self = series
    }

    /// Writes ``description``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
