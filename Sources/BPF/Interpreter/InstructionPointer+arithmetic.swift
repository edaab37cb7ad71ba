// Arithmetic, RFC 9669 §4.1 and §4.2. Each function takes the operations that are its own and says
// whether this was one; inlined one behind the other's default, they are one jump table.

/// A program's eleven registers.
typealias Registers = UnsafeMutablePointer<UInt64>

extension Registers {
    @inline(__always)
    func at(_ number: UInt8) -> UnsafeMutablePointer<UInt64> { self + Int(number) }
}

extension InstructionPointer {
    /// Arithmetic of 64 bits with the immediate.
    @inline(__always)
    func arithmetic64K(_ r: Registers) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var k: UInt64 { UInt64(bitPattern: immediate) }
        switch operation {
        case .add64K: d.pointee &+= k
        case .sub64K: d.pointee &-= k
        case .mul64K: d.pointee &*= k
        case .or64K: d.pointee |= k
        case .and64K: d.pointee &= k
        case .xor64K: d.pointee ^= k
        case .lsh64K: d.pointee = d.pointee &<< k
        case .rsh64K: d.pointee = d.pointee &>> k
        case .arsh64K: d.pointee = UInt64(bitPattern: Int64(bitPattern: d.pointee) &>> Int64(bitPattern: k))
        case .mov64K: d.pointee = k
        case .div64K: d.pointee = k == 0 ? 0 : d.pointee / k
        case .mod64K: d.pointee = k == 0 ? d.pointee : d.pointee % k
        case .sdiv64K: d.pointee = signedQuotient(d.pointee, k)
        case .smod64K: d.pointee = signedRemainder(d.pointee, k)
        default: return false
        }
        return true
    }

    /// Arithmetic of 64 bits with a register.
    @inline(__always)
    func arithmetic64X(_ r: Registers) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var s: UInt64 { r.at(source).pointee }
        switch operation {
        case .add64X: d.pointee &+= s
        case .sub64X: d.pointee &-= s
        case .mul64X: d.pointee &*= s
        case .or64X: d.pointee |= s
        case .and64X: d.pointee &= s
        case .xor64X: d.pointee ^= s
        case .lsh64X: d.pointee = d.pointee &<< s
        case .rsh64X: d.pointee = d.pointee &>> s
        case .arsh64X: d.pointee = UInt64(bitPattern: Int64(bitPattern: d.pointee) &>> Int64(bitPattern: s))
        case .mov64X: d.pointee = s
        case .div64X: d.pointee = s == 0 ? 0 : d.pointee / s
        case .mod64X: d.pointee = s == 0 ? d.pointee : d.pointee % s
        case .sdiv64X: d.pointee = signedQuotient(d.pointee, s)
        case .smod64X: d.pointee = signedRemainder(d.pointee, s)
        default: return false
        }
        return true
    }

    /// Arithmetic of 32 bits with the immediate.
    @inline(__always)
    func arithmetic32K(_ r: Registers) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var low: UInt32 { UInt32(truncatingIfNeeded: d.pointee) }
        var k: UInt32 { UInt32(truncatingIfNeeded: immediate) }
        switch operation {
        case .add32K: d.pointee = UInt64(low &+ k)
        case .sub32K: d.pointee = UInt64(low &- k)
        case .mul32K: d.pointee = UInt64(low &* k)
        case .or32K: d.pointee = UInt64(low | k)
        case .and32K: d.pointee = UInt64(low & k)
        case .xor32K: d.pointee = UInt64(low ^ k)
        case .lsh32K: d.pointee = UInt64(low &<< k)
        case .rsh32K: d.pointee = UInt64(low &>> k)
        case .arsh32K: d.pointee = UInt64(UInt32(bitPattern: Int32(bitPattern: low) &>> Int32(bitPattern: k)))
        case .mov32K: d.pointee = UInt64(k)
        case .div32K: d.pointee = UInt64(k == 0 ? 0 : low / k)
        case .mod32K: d.pointee = UInt64(k == 0 ? low : low % k)
        case .sdiv32K: d.pointee = UInt64(signedQuotient(low, k))
        case .smod32K: d.pointee = UInt64(signedRemainder(low, k))
        default: return false
        }
        return true
    }

    /// Arithmetic of 32 bits with a register.
    @inline(__always)
    func arithmetic32X(_ r: Registers) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var low: UInt32 { UInt32(truncatingIfNeeded: d.pointee) }
        var s: UInt32 { UInt32(truncatingIfNeeded: r.at(source).pointee) }
        switch operation {
        case .add32X: d.pointee = UInt64(low &+ s)
        case .sub32X: d.pointee = UInt64(low &- s)
        case .mul32X: d.pointee = UInt64(low &* s)
        case .or32X: d.pointee = UInt64(low | s)
        case .and32X: d.pointee = UInt64(low & s)
        case .xor32X: d.pointee = UInt64(low ^ s)
        case .lsh32X: d.pointee = UInt64(low &<< s)
        case .rsh32X: d.pointee = UInt64(low &>> s)
        case .arsh32X: d.pointee = UInt64(UInt32(bitPattern: Int32(bitPattern: low) &>> Int32(bitPattern: s)))
        case .mov32X: d.pointee = UInt64(s)
        case .div32X: d.pointee = UInt64(s == 0 ? 0 : low / s)
        case .mod32X: d.pointee = UInt64(s == 0 ? low : low % s)
        case .sdiv32X: d.pointee = UInt64(signedQuotient(low, s))
        case .smod32X: d.pointee = UInt64(signedRemainder(low, s))
        default: return false
        }
        return true
    }

    /// What takes one operand: sign, extension, byte order.
    @inline(__always)
    func conversion(_ r: Registers) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var s: UInt64 { r.at(source).pointee }
        switch operation {
        case .neg64: d.pointee = 0 &- d.pointee
        case .neg32: d.pointee = UInt64(0 &- UInt32(truncatingIfNeeded: d.pointee))
        case .movsx64From8: d.pointee = UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: s)))
        case .movsx64From16: d.pointee = UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: s)))
        case .movsx64From32: d.pointee = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: s)))
        case .movsx32From8: d.pointee = UInt64(UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: s))))
        case .movsx32From16: d.pointee = UInt64(UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: s))))
        case .swap16: d.pointee = UInt64(UInt16(truncatingIfNeeded: d.pointee).byteSwapped)
        case .swap32: d.pointee = UInt64(UInt32(truncatingIfNeeded: d.pointee).byteSwapped)
        case .swap64: d.pointee = d.pointee.byteSwapped
        case .truncate16: d.pointee &= 0xFFFF
        case .truncate32: d.pointee &= 0xFFFF_FFFF
        case .nothing: break
        default: return false
        }
        return true
    }
}

/// Division by zero gives zero, and the smallest number by -1 gives itself.
@inline(__always)
private func signedQuotient(_ dividend: UInt64, _ divisor: UInt64) -> UInt64 {
    let (left, right) = (Int64(bitPattern: dividend), Int64(bitPattern: divisor))
    if right == 0 { return 0 }
    return right == -1 ? 0 &- dividend : UInt64(bitPattern: left / right)
}

@inline(__always)
private func signedQuotient(_ dividend: UInt32, _ divisor: UInt32) -> UInt32 {
    let (left, right) = (Int32(bitPattern: dividend), Int32(bitPattern: divisor))
    if right == 0 { return 0 }
    return right == -1 ? 0 &- dividend : UInt32(bitPattern: left / right)
}

/// The remainder by zero is the dividend; its sign is the dividend's.
@inline(__always)
private func signedRemainder(_ dividend: UInt64, _ divisor: UInt64) -> UInt64 {
    let (left, right) = (Int64(bitPattern: dividend), Int64(bitPattern: divisor))
    if right == 0 { return dividend }
    return right == -1 ? 0 : UInt64(bitPattern: left % right)
}

@inline(__always)
private func signedRemainder(_ dividend: UInt32, _ divisor: UInt32) -> UInt32 {
    let (left, right) = (Int32(bitPattern: dividend), Int32(bitPattern: divisor))
    if right == 0 { return dividend }
    return right == -1 ? 0 : UInt32(bitPattern: left % right)
}
