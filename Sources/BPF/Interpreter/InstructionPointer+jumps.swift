// Conditional jumps, RFC 9669 §4.3, in the manner of the arithmetic.

extension InstructionPointer {
    /// Jumps that compare 64 bits with the immediate.
    @inline(__always)
    func jump64K(_ r: Registers, _ next: inout InstructionPointer) -> Bool {
        var d: UInt64 { r.at(destination).pointee }
        var s: UInt64 { UInt64(bitPattern: immediate) }
        switch operation {
        case .jeq64K: if d == s { next += Int(offset) }
        case .jgt64K: if d > s { next += Int(offset) }
        case .jge64K: if d >= s { next += Int(offset) }
        case .jne64K: if d != s { next += Int(offset) }
        case .jlt64K: if d < s { next += Int(offset) }
        case .jle64K: if d <= s { next += Int(offset) }
        case .jset64K: if d & s != 0 { next += Int(offset) }
        case .jsgt64K: if Int64(bitPattern: d) > Int64(bitPattern: s) { next += Int(offset) }
        case .jsge64K: if Int64(bitPattern: d) >= Int64(bitPattern: s) { next += Int(offset) }
        case .jslt64K: if Int64(bitPattern: d) < Int64(bitPattern: s) { next += Int(offset) }
        case .jsle64K: if Int64(bitPattern: d) <= Int64(bitPattern: s) { next += Int(offset) }
        default: return false
        }
        return true
    }

    /// Jumps that compare 64 bits with a register.
    @inline(__always)
    func jump64X(_ r: Registers, _ next: inout InstructionPointer) -> Bool {
        var d: UInt64 { r.at(destination).pointee }
        var s: UInt64 { r.at(source).pointee }
        switch operation {
        case .jeq64X: if d == s { next += Int(offset) }
        case .jgt64X: if d > s { next += Int(offset) }
        case .jge64X: if d >= s { next += Int(offset) }
        case .jne64X: if d != s { next += Int(offset) }
        case .jlt64X: if d < s { next += Int(offset) }
        case .jle64X: if d <= s { next += Int(offset) }
        case .jset64X: if d & s != 0 { next += Int(offset) }
        case .jsgt64X: if Int64(bitPattern: d) > Int64(bitPattern: s) { next += Int(offset) }
        case .jsge64X: if Int64(bitPattern: d) >= Int64(bitPattern: s) { next += Int(offset) }
        case .jslt64X: if Int64(bitPattern: d) < Int64(bitPattern: s) { next += Int(offset) }
        case .jsle64X: if Int64(bitPattern: d) <= Int64(bitPattern: s) { next += Int(offset) }
        default: return false
        }
        return true
    }

    /// Jumps that compare 32 bits with the immediate.
    @inline(__always)
    func jump32K(_ r: Registers, _ next: inout InstructionPointer) -> Bool {
        var d: UInt32 { UInt32(truncatingIfNeeded: r.at(destination).pointee) }
        var s: UInt32 { UInt32(truncatingIfNeeded: immediate) }
        switch operation {
        case .jeq32K: if d == s { next += Int(offset) }
        case .jgt32K: if d > s { next += Int(offset) }
        case .jge32K: if d >= s { next += Int(offset) }
        case .jne32K: if d != s { next += Int(offset) }
        case .jlt32K: if d < s { next += Int(offset) }
        case .jle32K: if d <= s { next += Int(offset) }
        case .jset32K: if d & s != 0 { next += Int(offset) }
        case .jsgt32K: if Int32(bitPattern: d) > Int32(bitPattern: s) { next += Int(offset) }
        case .jsge32K: if Int32(bitPattern: d) >= Int32(bitPattern: s) { next += Int(offset) }
        case .jslt32K: if Int32(bitPattern: d) < Int32(bitPattern: s) { next += Int(offset) }
        case .jsle32K: if Int32(bitPattern: d) <= Int32(bitPattern: s) { next += Int(offset) }
        default: return false
        }
        return true
    }

    /// Jumps that compare 32 bits with a register.
    @inline(__always)
    func jump32X(_ r: Registers, _ next: inout InstructionPointer) -> Bool {
        var d: UInt32 { UInt32(truncatingIfNeeded: r.at(destination).pointee) }
        var s: UInt32 { UInt32(truncatingIfNeeded: r.at(source).pointee) }
        switch operation {
        case .jeq32X: if d == s { next += Int(offset) }
        case .jgt32X: if d > s { next += Int(offset) }
        case .jge32X: if d >= s { next += Int(offset) }
        case .jne32X: if d != s { next += Int(offset) }
        case .jlt32X: if d < s { next += Int(offset) }
        case .jle32X: if d <= s { next += Int(offset) }
        case .jset32X: if d & s != 0 { next += Int(offset) }
        case .jsgt32X: if Int32(bitPattern: d) > Int32(bitPattern: s) { next += Int(offset) }
        case .jsge32X: if Int32(bitPattern: d) >= Int32(bitPattern: s) { next += Int(offset) }
        case .jslt32X: if Int32(bitPattern: d) < Int32(bitPattern: s) { next += Int(offset) }
        case .jsle32X: if Int32(bitPattern: d) <= Int32(bitPattern: s) { next += Int(offset) }
        default: return false
        }
        return true
    }
}
