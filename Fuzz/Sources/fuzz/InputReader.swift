/// Takes an input apart into the octets and pieces that a driver's events are made of.
///
/// What is taken is a copy of the exact size, so that a read past the end is one past an allocation.
struct InputReader {
    private let octets: [UInt8]
    private var offset = 0

    init(_ bytes: RawSpan) {
        octets = bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    mutating func octet() -> UInt8? {
        guard offset < octets.count else { return nil }
        defer { offset += 1 }
        return octets[offset]
    }

    /// As many octets as the next one says, or what is left.
    mutating func piece() -> [UInt8] {
        let count = Int(octet() ?? 0)
        let end = min(offset + count, octets.count)
        defer { offset = end }
        return [UInt8](octets[offset..<end])
    }

    /// All that has not been taken.
    func rest() -> [UInt8] {
        [UInt8](octets[offset...])
    }
}
