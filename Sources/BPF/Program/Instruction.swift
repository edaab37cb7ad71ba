/// One slot of a program, decoded once so that running it decodes nothing: 16 octets.
struct Instruction: BitwiseCopyable {
    var operation: Operation
    var destination: UInt8 = 0
    var source: UInt8 = 0
    var shortcut = Shortcut.none
    /// Octets for a memory access, slots from the next one for a jump or a call.
    var offset: Int32 = 0
    /// The operand, the helper, or the code of an atomic operation.
    var immediate: Int64 = 0
}
