/// Where an instruction lies.
///
/// What instructions do is written on pointers to them and not on copies, so that each loads the fields
/// that it needs and no others.
typealias InstructionPointer = UnsafeMutablePointer<Instruction>

extension InstructionPointer {
    @inline(__always) var operation: Operation { pointee.operation }
    @inline(__always) var destination: UInt8 { pointee.destination }
    @inline(__always) var source: UInt8 { pointee.source }
    @inline(__always) var offset: Int32 { pointee.offset }
    @inline(__always) var immediate: Int64 { pointee.immediate }
}
