/// What a decoded instruction does: dense, so that the interpreter's switch is one jump table.
///
/// As in RFC 9669, `K` takes its operand from the immediate and `X` from the source register.
enum Operation: UInt8 {
    // 64-bit arithmetic (§4.1)
    case add64K, sub64K, mul64K, div64K, or64K, and64K, lsh64K, rsh64K, mod64K, xor64K, mov64K, arsh64K
    case add64X, sub64X, mul64X, div64X, or64X, and64X, lsh64X, rsh64X, mod64X, xor64X, mov64X, arsh64X
    case sdiv64K, smod64K, sdiv64X, smod64X, neg64, movsx64From8, movsx64From16, movsx64From32
    // 32-bit arithmetic, which clears the upper half
    case add32K, sub32K, mul32K, div32K, or32K, and32K, lsh32K, rsh32K, mod32K, xor32K, mov32K, arsh32K
    case add32X, sub32X, mul32X, div32X, or32X, and32X, lsh32X, rsh32X, mod32X, xor32X, mov32X, arsh32X
    case sdiv32K, smod32K, sdiv32X, smod32X, neg32, movsx32From8, movsx32From16
    // Byte order (§4.2)
    case swap16, swap32, swap64, truncate16, truncate32, nothing
    // Jumps (§4.3)
    case ja
    case jeq64K, jgt64K, jge64K, jset64K, jne64K, jsgt64K, jsge64K, jlt64K, jle64K, jslt64K, jsle64K
    case jeq64X, jgt64X, jge64X, jset64X, jne64X, jsgt64X, jsge64X, jlt64X, jle64X, jslt64X, jsle64X
    case jeq32K, jgt32K, jge32K, jset32K, jne32K, jsgt32K, jsge32K, jlt32K, jle32K, jslt32K, jsle32K
    case jeq32X, jgt32X, jge32X, jset32X, jne32X, jsgt32X, jsge32X, jlt32X, jle32X, jslt32X, jsle32X
    // Calls
    case callHelper, callRegister, callLocal, callLoop, tailCall, exit
    // Loads and stores (§5)
    case loadImmediate64
    case load8, load16, load32, load64, loadSigned8, loadSigned16, loadSigned32
    case store8K, store16K, store32K, store64K, store8X, store16X, store32X, store64X
    case atomic32, atomic64
    /// The second slot of a 64-bit immediate, which no jump reaches.
    case unreachable
}
