/// An IPv6 address in host byte order.
public struct IPv6Address: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    public init(bits: UInt128) {
        high = UInt64(truncatingIfNeeded: bits >> 64)
        low = UInt64(truncatingIfNeeded: bits)
    }

    @inlinable
    public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    @inlinable
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The address `offset` places further on.
    @inlinable
    public static func + (address: IPv6Address, offset: UInt64) -> IPv6Address {
        IPv6Address(bits: address.bits &+ UInt128(offset))
    }

    @inlinable
    public static var any: IPv6Address { IPv6Address(high: 0, low: 0) }

    @inlinable
    public var isMulticast: Bool { high >> 56 == 0xFF }

    @inlinable
    public var isLinkLocal: Bool { high >> 54 == 0x3FA }
}

extension IPv6Address: LosslessStringConvertible {
    /// The canonical text form (RFC 5952), with an IPv4-mapped address's tail in dotted decimal (§5).
    public var description: String {
        if high == 0, low >> 32 == 0xFFFF {
            return "::ffff:\(IPv4Address(bits: UInt32(truncatingIfNeeded: low)))"
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        var best = (start: 0, count: 0)
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > max(1, best.count) { best = (index, end - index) }
            index = max(end, index + 1)
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard best.count > 0 else { return joined(groups[...]) }
        return joined(groups[..<best.start]) + "::" + joined(groups[(best.start + best.count)...])
    }

    /// Reads the text forms of RFC 4291 §2.2, an IPv4 tail included.
    public init?(_ text: String) {
        guard !text.contains("%"), text.utf8.count <= 45 else { return nil }
        let halves = Self.splitAtDoubleColon(text)
        guard let halves, let head = Self.groups(halves.head, endsAddress: halves.tail == nil) else { return nil }
        var bits: UInt128 = 0
        guard let tailText = halves.tail else {
            guard head.count == 8 else { return nil }
            for group in head { bits = bits << 16 | UInt128(group) }
            self.init(bits: bits)
            return
        }
        guard let tail = Self.groups(tailText, endsAddress: true), head.count + tail.count <= 7 else { return nil }
        for (index, group) in head.enumerated() { bits |= UInt128(group) << UInt128(112 - 16 * index) }
        for (index, group) in tail.reversed().enumerated() { bits |= UInt128(group) << UInt128(16 * index) }
        self.init(bits: bits)
    }

    /// The parts in front of and behind the one `::`; nil where there are two.
    private static func splitAtDoubleColon(_ text: String) -> (head: Substring, tail: Substring?)? {
        let bytes = Array(text.utf8)
        let places = bytes.indices.dropLast().filter { bytes[$0] == UInt8(ascii: ":") && bytes[$0 + 1] == bytes[$0] }
        guard let place = places.first else { return (text[...], nil) }
        guard places.count == 1 else { return nil }
        let utf8 = text.utf8
        let start = utf8.index(utf8.startIndex, offsetBy: place)
        let end = utf8.index(start, offsetBy: 2)
        return (text[..<start], text[end...])
    }

    /// The groups of one side of the `::`; dotted decimal may stand only where the address ends.
    private static func groups(_ text: Substring, endsAddress: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var result: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if endsAddress, index == parts.count - 1, part.contains(".") {
                guard let address = IPv4Address(String(part)) else { return nil }
                result.append(UInt16(truncatingIfNeeded: address.bits >> 16))
                result.append(UInt16(truncatingIfNeeded: address.bits))
                continue
            }
            guard part.utf8.count <= 4, part.utf8.first != UInt8(ascii: "+"), part.utf8.first != UInt8(ascii: "-"),
                let group = UInt16(part, radix: 16)
            else { return nil }
            result.append(group)
        }
        return result
    }
}
