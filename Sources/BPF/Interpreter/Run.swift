/// What the interpreter's loop has at hand.
struct Run {
    let r: Registers
    let memory: AddressSpace
    /// The end of the stack of the function that runs: where its register 10 leads.
    var frame: UnsafeMutableRawPointer
    var position: Position
    /// What was written to a register last, or what the slot before would have written.
    var last: UInt64 = 0

    /// Writes a register.
    @inline(__always)
    mutating func put(_ value: UInt64, _ register: UInt8) {
        r[register] = value
        last = value
    }

    /// Writes a register, whose upper half is cleared.
    @inline(__always)
    mutating func put(_ value: UInt32, _ register: UInt8) { put(UInt64(value), register) }

    /// Reads memory into a register; false where there is nothing to read.
    @inline(__always)
    mutating func load<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, into register: UInt8
    ) -> Bool {
        guard memory.load(type, at: address, into: &last) else { return false }
        r[register] = last
        return true
    }

    /// Writes to the function's own stack, which is known to be there.
    @inline(__always)
    func store<Value: BitwiseCopyable>(_ value: Value, inFrameAt offset: Int32) {
        (frame + Int(offset)).storeBytes(of: value, as: Value.self)
    }

    /// Reads from the function's own stack.
    @inline(__always)
    func load<Value: BitwiseCopyable>(_ type: Value.Type, fromFrameAt offset: Int32) -> Value {
        (frame + Int(offset)).loadUnaligned(as: type)
    }
}
