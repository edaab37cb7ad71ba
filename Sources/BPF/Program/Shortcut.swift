/// What the interpreter's loop does when it comes to a slot: the frequent operations, and groups of slots in one step.
///
/// A shortcut stands beside the operation and changes nothing of it, so that a jump may lead into the middle of a
/// group and whatever a shortcut does not settle is done by the operations one by one. Which there are comes
/// from counting what programs of the data plane run most. Jumps are those that lead ahead.
///
/// Registers lie in memory, and it takes longer to read there what was just written than to do anything with
/// it. So the loop has the value written last at hand, and where no jump leads between two slots there are
/// shortcuts for the second one that use it.
enum Shortcut: UInt8 {
    /// The operation itself.
    case none
    // Arithmetic; `set` is any move of an immediate, `and64K` of either width since its operand has no sign.
    case set, setWide, move64, move32, add64K, add64X, sub64X, and64K, and64X, or64X, rsh64K, lsh64K
    case add32K, add32X, sub32X, or32X, rsh32K, lsh32K, swap16, swap32, swap64
    // Memory; `frame` is the function's own stack by way of register 10, at an offset that is known to be inside.
    case load8, load16, load32, load64, store8, store16, store32, store64
    case frameLoad8, frameLoad32, frameLoad64, frameStore8, frameStore16, frameStore32, frameStore64
    case ja, jeq32K, jne32K, jlt32K, jgt32K, jeq64K, jne64K, jgt64X, jlt64X, jne64X, jgt32X, jne32X
    // The same where an operand is what the slot before wrote: the destination's (`OfLast`), the source's (`ByLast`),
    // where to read (`AtLast`) or what to write (`Last`)
    case add64KOfLast, add64XOfLast, add64ByLast, and64KOfLast, rsh64KOfLast, rsh32KOfLast, add32KOfLast, or32XOfLast
    case move64Last, move32Last, jeq32KOfLast, jne32KOfLast, jgt64XOfLast
    case load8AtLast, load32AtLast, load64AtLast, store8Last, store16Last, store32Last, store64Last
    case frameStore32Last, frameStore64Last
    // Groups
    /// `d = s`, `d += k` or `d += t`.
    case moveAdd64K, moveAdd64X
    /// `d = s` and a shift of it, or the bits of a mask.
    case moveShift64, moveShift32, moveMask32
    /// Shifts left and right: some bits of a number.
    case extract64
    /// A register set, which is a verdict mostly, and a jump that asks for another one.
    case setJeq32K, setJne32K, setJgt64X
    /// A register set and written to the stack or elsewhere.
    case setFrameStore32, setStore8
    /// An octet read and compared.
    case loadJeq8, loadJne8
    /// The place of a key on the stack, a map, and `bpf_map_lookup_elem`.
    case lookUp
    /// Any helper but those that change what runs next.
    case call
}
