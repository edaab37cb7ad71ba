/// One slot of a program as it lies in an object (RFC 9669 §3).
struct RawInstruction: BitwiseCopyable {
    static let byteCount = 8

    /// The three low bits of an opcode (RFC 9669 §3.1).
    enum Class: UInt8 {
        case ld, ldx, st, stx, alu, jmp, jmp32, alu64
    }

    var opcode: UInt8
    var destination: UInt8
    var source: UInt8
    var offset: Int16
    var immediate: Int32

    /// Nil where `index` lies beyond the last whole slot.
    init?(_ octets: [UInt8], slot index: Int) {
        let start = index * Self.byteCount
        guard index >= 0, start + Self.byteCount <= octets.count else { return nil }
        opcode = octets[start]
        destination = octets[start + 1] & 0x0F
        source = octets[start + 1] >> 4
        offset = Int16(bitPattern: UInt16(octets[start + 2]) | UInt16(octets[start + 3]) << 8)
        immediate = Int32(bitPattern: octets.word(at: start + 4))
    }

    var instructionClass: Class { Class(rawValue: opcode & 7) ?? .ld }

    /// The four high bits: which arithmetic, which jump.
    var code: Int { Int(opcode >> 4) }

    /// Whether the operand is the source register.
    var takesRegister: Bool { opcode & 8 != 0 }

    var isWideLoad: Bool { opcode == 0x18 }
}

extension [UInt8] {
    /// The little-endian word at a place that the caller knows to be inside.
    func word(at place: Int) -> UInt32 {
        UInt32(self[place]) | UInt32(self[place + 1]) << 8 | UInt32(self[place + 2]) << 16 | UInt32(self[place + 3])
            << 24
    }

    /// Writes a little-endian word at a place that the caller knows to be inside.
    mutating func setWord(_ word: UInt32, at place: Int) {
        for index in 0..<4 { self[place + index] = UInt8(truncatingIfNeeded: word >> UInt32(8 * index)) }
    }
}
