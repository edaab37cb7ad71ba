public import Basics

extension SeededRandom {
    /// So many octets, each drawn evenly.
    public mutating func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// What a hostile or broken sender makes of a valid message: bits flipped, octets
    /// set to extremes, the end cut off, or something put in or taken out.
    public mutating func mutated(_ valid: [UInt8]) -> [UInt8] {
        var octets = valid
        for _ in 0...below(4) {
            let place = octets.isEmpty ? 0 : Int(below(UInt64(octets.count)))
            switch below(6) {
            case 0 where !octets.isEmpty: octets[place] ^= 1 << UInt8(below(8))
            case 1 where !octets.isEmpty: octets[place] = chance(Ratio(0.5)) ? 0xFF : 0
            case 2 where !octets.isEmpty: octets[place] = UInt8(truncatingIfNeeded: next())
            case 3: octets.removeLast(octets.count - place)
            case 4 where !octets.isEmpty: octets.remove(at: place)
            default: octets.insert(UInt8(truncatingIfNeeded: next()), at: place)
            }
        }
        return octets
    }
}

/// The octets that `write` leaves in a new arena.
public func written(_ write: (inout ByteArena) -> Void) -> [UInt8] {
    var arena = ByteArena(capacity: 64)
    write(&arena)
    return Array(copying: arena.bytes(ByteRange(start: 0, count: arena.count)))
}

extension [UInt8] {
    /// A copy of borrowed octets.
    public init(copying bytes: RawSpan) {
        self = bytes.withUnsafeBytes { Array($0) }
    }

    /// Octets from hexadecimal digits; spaces and line ends are skipped.
    public init(hex: String) {
        let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The octets as lower-case hexadecimal digits.
    public var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Collection<UInt8> {
    /// What `read` makes of the octets; a slice's own span would not outlive the expression that makes it.
    public func reading<Value, Failure: Error>(_ read: (RawSpan) throws(Failure) -> Value) throws(Failure) -> Value {
        let octets = Array(self)
        return try read(octets.span.bytes)
    }
}
