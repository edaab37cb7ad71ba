/// What a call puts aside until its function exits.
struct CallFrame: BitwiseCopyable {
    /// Eight functions at a time, the program's own included, as in Linux.
    static let limit = 8
    /// How much stack each function has.
    static let stackByteCount = 512

    var returnsTo: InstructionPointer
    var r6, r7, r8, r9: UInt64
    var iteration = Iteration()

    /// What `bpf_loop` still has to do; `callback` is nil for an ordinary call.
    struct Iteration: BitwiseCopyable {
        var callback: InstructionPointer?
        var context: UInt64 = 0
        var index: UInt64 = 0
        var count: UInt64 = 0
    }
}
